"""What an archive is made from."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from archive_site.slugs import is_slug

# What the archive itself calls its folders; no letter may be called so.
RESERVED = frozenset(
    {"about", "ap", "assets", "authors", "cards", "epub", "feed", "feeds", "imprint", "index", "l", "manifest", "media", "page", "privacy", "search", "series"}
    | {"sitemap", "tags", "404", "read", "webmention"}
)


def may_be_called(slug: str) -> bool:
    """Whether a letter may lie under this name. A year is a list."""
    return is_slug(slug) and slug not in RESERVED and not re.fullmatch(r"[0-9]{4}", slug)


@dataclass(frozen=True)
class Letter:
    """One issue of a publication. ``html`` is safe already; images in it are called ``/media/<name>``.

    Args:
        id: never changes and is never used twice.
        changed: when its text last changed, for feeds and search engines.
        visibility: ``public``, ``unlisted``, ``delayed`` (public from ``listed_from`` on) or ``subscribers``.
        translations: the same letter in other languages, as (language, address).
        old_slugs: where it lay before; redirects stay there.
        cover: the name of an image that stands for the letter, and what it shows.
        mentions: what others wrote about it, as (author, address, words).
        answers: letters of readers who want to be read, as (name, text).
    """

    id: int
    number: int
    slug: str
    title: str
    html: str
    published: datetime
    summary: str = ""
    markdown: str = ""
    changed: datetime | None = None
    language: str = ""
    tags: tuple[str, ...] = ()
    series: str = ""
    authors: tuple[str, ...] = ()
    minutes: int = 1
    visibility: str = "public"
    listed_from: datetime | None = None
    translations: tuple[tuple[str, str], ...] = ()
    old_slugs: tuple[str, ...] = ()
    cover: str = ""
    cover_alt: str = ""
    mentions: tuple[tuple[str, str, str], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()

    @property
    def touched(self) -> datetime:
        """When it last changed, or came out."""
        return max(self.changed or self.published, self.published)


@dataclass(frozen=True)
class Landing:
    """A page that a short address leads to: ``l/<code>/``. It says what there is, and signs up under its own code.

    Args:
        entries: what else it names, as (label, address).
    """

    code: str
    title: str
    lead: str = ""
    entries: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Site:
    """One publication, without its letters. Addresses are absolute; ``base`` ends in a slash.

    Args:
        theme: a folder of ``templates/archive``.
        accent: a colour as ``#rrggbb`` in place of the theme's own, or empty.
        logo: the name of an image, or empty.
        ai_crawlers: ``allow`` or ``refuse``; refusing also leaves out the Markdown beside the pages.
        hub: the WebSub hub that is told of new letters, or empty.
        handle: the publication's name in the Fediverse, ``@name@host``, or empty.
        webmention: where mentions are received, or empty.
        media: the folder in which images lie.
        landings: pages for short addresses.
        cards, books, search: whether share images, a book for each year and the search are made.
    """

    name: str
    base: str
    language: str
    timezone: str
    byline: str = ""
    author: str = ""
    about: str = ""
    promise: str = ""
    sign_up_url: str = ""
    form_action: str = ""
    form_via: str = ""
    form_button: str = ""
    form_hint: str = ""
    privacy_url: str = ""
    imprint: tuple[str, ...] = ()
    theme: str = "calm"
    accent: str = ""
    logo: str = ""
    ai_crawlers: str = "allow"
    hub: str = ""
    handle: str = ""
    actor: str = ""
    webmention: str = ""
    cards: bool = True
    books: bool = True
    search: bool = True
    landings: tuple[Landing, ...] = ()
    media: Path = field(default=Path("media"), compare=False)

    @property
    def mark(self) -> str:
        """A short name for what feeds, twins and cards say of the publication; another one means that all of them change."""
        return _mark({key: value for key, value in asdict(self).items() if key not in ("media", "landings", *LOOKS)})

    @property
    def landings_mark(self) -> str:
        """A short name for the landing pages, which nothing else of the archive shows; empty without any."""
        return _mark({one.code: asdict(one) for one in self.landings}) if self.landings else ""

    @property
    def looks(self) -> str:
        """A short name for what only pages show."""
        return _mark({key: getattr(self, key) for key in LOOKS})


# What only pages show: a change of it makes no feed, twin or book anew.
LOOKS = ("theme", "logo", "byline", "sign_up_url", "form_action", "form_via", "form_button", "form_hint", "privacy_url", "webmention")


def _mark(values: dict[str, object]) -> str:
    return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=12).hexdigest()
