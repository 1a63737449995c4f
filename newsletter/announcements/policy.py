"""What a post says, how long it may be, and when it is tried again. Without I/O."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from newsletter.channels.catalogue import usual

# 1, 2, 4 … minutes, at most six hours apart: 32 hours in all.
ATTEMPTS = 14
LEASE = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
# Whoever has not posted by hand is reminded after a day, then every week.
REMIND_AFTER, REMIND_AGAIN = timedelta(days=1), timedelta(days=7)
# A letter of last month is no news any more.
NEWS_FOR = timedelta(days=30)
MASTODON_LINK = 23  # characters that any address counts for, unless the server says otherwise
BLUESKY_LINK = 34  # what is shown of an address there
X_LINK = 23


class Later(Exception):
    """The server cannot take it now; try again.

    Args:
        wait: how long it asked for, if it did.
        nothing: it surely has nothing of it.
    """

    def __init__(self, why: str, wait: timedelta | None = None, *, nothing: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.nothing = nothing


class Rejected(Exception):
    """The server will not take it, however often it is asked. ``account``: it does not know the account any more."""

    def __init__(self, why: str, *, account: bool = False) -> None:
        super().__init__(why)
        self.account = account


@dataclass(frozen=True)
class Posted:
    """It is there: under which name, and where people see it."""

    remote: str
    address: str


@dataclass(frozen=True)
class Post:
    """What is posted.

    Args:
        key: the same for every try.
        link: the address in the text; every announcement has another one, so a post can be found by it.
        title, summary: what a card below the post says.
        image: the picture of the card, and what it shows.
    """

    key: str
    text: str
    link: str
    language: str
    at: datetime
    number: int
    title: str = ""
    summary: str = ""
    image: bytes = b""
    alt: str = ""


def pause(attempts: int) -> timedelta | None:
    """How long until the next try; None: that was the last."""
    return min(timedelta(minutes=2 ** (attempts - 1)), timedelta(hours=6)) if attempts < ATTEMPTS else None


def asked_to_wait(headers: dict[str, str], now: datetime) -> timedelta | None:
    """How long a server asks for: in Retry-After (RFC 9110, 10.2.3) or in its own fields (Mastodon: a moment, Bluesky: seconds)."""
    for name in ("retry-after", "x-ratelimit-reset", "ratelimit-reset"):
        text = headers.get(name, "").strip()
        found = _moment(text, now) if text else None
        if found is not None:
            return max(timedelta(seconds=1), min(found - now, LONGEST_WAIT))
    return None


def _moment(text: str, now: datetime) -> datetime | None:
    if text.isdigit():
        seconds = int(text)
        if seconds > 10**11:
            return None
        return datetime.fromtimestamp(seconds, UTC) if seconds > 10**9 else now + timedelta(seconds=seconds)
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


# Measures: what a platform counts.


def plain(text: str) -> int:
    """Characters as Unicode counts them. Graphemes, which Bluesky counts, are never more."""
    return len(unicodedata.normalize("NFC", text))


def weighed(text: str) -> int:
    """Characters as X counts them: most scripts of Asia and emoji count twice (twitter-text, configuration 3)."""
    light = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
    return sum(1 if any(low <= ord(sign) <= high for low, high in light) else 2 for sign in unicodedata.normalize("NFC", text))


def cut(text: str, longest: int, measure: Callable[[str], int] = plain) -> str:
    """The text, or as many of its words as fit, with an ellipsis."""
    text = text.strip()
    if measure(text) <= longest:
        return text
    words = text.split(" ")
    while words and measure(" ".join(words).rstrip(",;:–-") + " …") > longest:
        words.pop()
    if not words:
        letters = text
        while letters and measure(letters + "…") > longest:
            letters = letters[:-1]
        return letters + "…" if letters else ""
    return " ".join(words).rstrip(",;:–-") + " …"


@dataclass(frozen=True)
class News:
    """What is announced: an issue, or an outage."""

    title: str
    summary: str
    name: str  # of the publication
    promise: str
    language: str


def words(kind: str, news: News, link: str, facts: dict[str, Any] | None = None) -> str:
    """A post for one kind of channel, no longer than it may be there. The link is always whole.

    Args:
        facts: what the server says: ``longest`` and ``link`` (characters that an address counts for).
    """
    german = news.language == "de"
    longest = int((facts or {}).get("longest") or usual(kind).longest or 500)
    if kind == "instagram":
        # Addresses in a caption cannot be followed there.
        where = "Der Link steht im Profil." if german else "The link is in the profile."
        short = f"({link.partition('://')[2]})"
        return _stacked([news.title, news.summary, f"{where} {short}", news.promise], longest, keep=2)
    if kind in ("linkedin", "facebook", "telegram"):
        lead = f"„{news.title}“ – {news.name}" if german else f"“{news.title}” – {news.name}"
        ask = "Ganz lesen und als Mail bekommen:" if german else "Read it all, and get it by mail:"
        return _stacked([lead, news.summary, f"{ask}\n{link}"], longest, keep=2)
    if kind == "whatsapp":
        return _stacked([f"*{news.title}*", news.summary, link], longest, keep=2)
    cost = {"mastodon": int((facts or {}).get("link") or MASTODON_LINK), "x": X_LINK, "bluesky": max(BLUESKY_LINK, len(link))}.get(kind, len(link))
    measure = weighed if kind == "x" else plain
    room = longest - cost - 2
    title = cut(news.title, room, measure)
    left = room - measure(title) - 2
    summary = cut(news.summary, left, measure) if left >= 24 else ""
    return "\n\n".join(part for part in (title, summary, link) if part)


def _stacked(parts: list[str], longest: int, keep: int) -> str:
    """Paragraphs one below the other; what is too much is taken off the others, never off the one to keep."""
    fixed = parts[keep]
    room = longest - len(fixed)
    found: list[str] = []
    for place, part in enumerate(parts):
        if place == keep:
            found.append(fixed)
            continue
        kept = cut(part, max(0, room - 2))
        if kept:
            room -= len(kept) + 2
            found.append(kept)
    return "\n\n".join(found)


def measured(kind: str, text: str, link: str, facts: dict[str, Any] | None = None) -> tuple[int, int]:
    """How long a post is, as its platform counts, and how long it may be."""
    longest = int((facts or {}).get("longest") or usual(kind).longest or 500)
    if kind in ("mastodon", "x") and link and link in text:
        cost = int((facts or {}).get("link") or MASTODON_LINK) if kind == "mastodon" else X_LINK
        text = text.replace(link, "~" * cost)
    return (weighed(text) if kind == "x" else plain(text)), longest
