"""The usual channels: whom they belong to, and what one can do there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Usual:
    """A channel that many have.

    Args:
        operator: the company behind it; what belongs together fails together, as on 4 October 2021, when Facebook,
            Instagram and WhatsApp were gone for six hours.
        followers: whether people follow one there, so that there is a number to write down.
        profile: whether there is a page of one's own that can carry a link.
        post: how an issue is announced there: ``mastodon`` and ``bluesky`` by their interfaces, ``hand`` by a person, or not at all.
        longest: characters of a post; 0 where nothing is posted.
    """

    kind: str
    de: str
    en: str
    ownership: str
    operator: str = ""
    followers: bool = False
    profile: bool = False
    post: str = ""
    longest: int = 0

    def name(self, language: str) -> str:
        return self.de if language == "de" else self.en


USUAL = {
    one.kind: one
    for one in (
        Usual("site", "Eigene Website", "Own website", "owned"),
        Usual("archive", "Archiv", "Archive", "owned"),
        Usual("feed", "Feed (RSS)", "Feed (RSS)", "owned", followers=True),
        Usual("recommendation", "Empfehlung", "Recommendation", "owned"),
        Usual("direct", "Direkt", "Direct", "owned"),
        Usual("print", "Gedrucktes", "Print", "owned"),
        Usual("search", "Suche", "Search", "open"),
        Usual("event", "Veranstaltung", "Event", "open"),
        Usual("partner", "Partner", "Partner", "open"),
        Usual("podcast", "Podcast", "Podcast", "open", followers=True, profile=True),
        Usual("mastodon", "Mastodon", "Mastodon", "open", followers=True, profile=True, post="mastodon", longest=500),
        Usual("bluesky", "Bluesky", "Bluesky", "open", followers=True, profile=True, post="bluesky", longest=300),
        Usual("instagram", "Instagram", "Instagram", "closed", "Meta", True, True, "hand", 2200),
        Usual("facebook", "Facebook", "Facebook", "closed", "Meta", True, True, "hand", 2000),
        Usual("whatsapp", "WhatsApp-Kanal", "WhatsApp channel", "closed", "Meta", True, True, "hand", 1024),
        Usual("threads", "Threads", "Threads", "closed", "Meta", True, True, "hand", 500),
        Usual("linkedin", "LinkedIn", "LinkedIn", "closed", "Microsoft", True, True, "hand", 3000),
        Usual("xing", "Xing", "Xing", "closed", "New Work", True, True, "hand", 420),
        Usual("x", "X", "X", "closed", "X Corp.", True, True, "hand", 280),
        Usual("tiktok", "TikTok", "TikTok", "closed", "ByteDance", True, True),
        Usual("youtube", "YouTube", "YouTube", "closed", "Google", True, True),
        Usual("pinterest", "Pinterest", "Pinterest", "closed", "Pinterest", True, True),
        Usual("telegram", "Telegram", "Telegram", "closed", "Telegram", True, True, "hand", 4096),
        Usual("other", "Etwas anderes", "Something else", "open", followers=True, profile=True),
    )
}

# What nearly everybody has from the first day.
FIRST = ("site", "archive", "recommendation", "instagram", "linkedin")


def usual(kind: str) -> Usual:
    """What the catalogue says of a channel."""
    return USUAL.get(kind, USUAL["other"])


def guessed(name: str) -> str:
    """The kind of a channel by its name, for those that were added by name."""
    wanted = name.casefold().strip()
    for one in USUAL.values():
        if wanted in (one.de.casefold(), one.en.casefold(), one.kind):
            return one.kind
    return next((one.kind for one in USUAL.values() if len(one.kind) > 3 and one.kind in wanted), "other")
