"""What a letter points to beyond its own text: its page, the address for answers, its polls, places to share it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from newsletter.i18n import Speech


def nowhere(poll: int, option: int) -> str:
    """Polls of a text that nobody can answer yet."""
    return f"#poll-{poll}-{option}"


class Addresses:
    """Addresses of polls that were made beforehand, so that they can travel to another process."""

    def __init__(self, known: Mapping[tuple[int, int], str]) -> None:
        self.known = dict(known)

    def __call__(self, poll: int, option: int) -> str:
        return self.known.get((poll, option)) or nowhere(poll, option)


@dataclass(frozen=True)
class Outside:
    """Where the parts of one issue lead.

    Args:
        language: of the labels.
        title: what is shared.
        address: where the issue can be read.
        reply: the mail address for answers, or empty.
        poll: the address of an answer, from the numbers of the poll and of the option, both from 1.
    """

    language: str = "de"
    title: str = ""
    address: str = ""
    reply: str = ""
    poll: Callable[[int, int], str] = nowhere

    @property
    def speech(self) -> Speech:
        return Speech(self.language)

    @property
    def reply_to(self) -> str:
        """A mailto: address that opens an answer."""
        return f"mailto:{self.reply}?subject={quote('Re: ' + self.title)}" if self.reply else ""

    @property
    def more(self) -> str:
        """The place on the page where the mail stops."""
        return f"{self.address}#weiter" if self.address else ""

    def shares(self) -> list[tuple[str, str]]:
        """Ways to hand the letter on. Plain links: nobody is told anything before one of them is used."""
        if not self.address:
            return []
        words, url = quote(self.title, safe=""), quote(self.address, safe="")
        return [
            (self.speech("By mail"), f"mailto:?subject={words}&body={url}"),
            ("WhatsApp", f"https://wa.me/?text={words}%20{url}"),
            ("Bluesky", f"https://bsky.app/intent/compose?text={words}%20{url}"),
            ("LinkedIn", f"https://www.linkedin.com/sharing/share-offsite/?url={url}"),
            (self.speech("The address"), self.address),
        ]
