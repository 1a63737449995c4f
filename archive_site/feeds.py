"""RSS 2.0, Atom and JSON Feed: full text, absolute addresses, ids that stay.

Each fault that was found in the feeds of others is a test of ours: unbound prefixes, entries without an id,
relative addresses in the text, alternative texts that are overwritten, a bare name as RSS author.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

from archive_site.pictures import absolute
from archive_site.site import Letter, Site

LATEST = 20
# The feeds of tags and authors say the same as that of everything, and the next ones nearly the same as the last.
REMEMBERED = 128
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Feed:
    """What a feed says about itself.

    Args:
        folder: where its files lie, below the base; ends in a slash, or is empty.
        archives: how many pages of older letters there are (RFC 5005).
    """

    title: str
    folder: str
    archives: int = 0


def rss(site: Site, feed: Feed, letters: list[Letter]) -> bytes:
    """RSS 2.0 with content:encoded and dc:creator (RSS' own author element wants a mail address)."""
    items = "".join(_rss_item(site, letter) for letter in letters)
    updated = f"<lastBuildDate>{_rfc822(_newest(letters))}</lastBuildDate>" if letters else ""
    hub = f'<atom:link href="{_xml(site.hub)}" rel="hub"/>' if site.hub else ""
    older = f'<atom:link href="{_xml(_archive(site, feed, feed.archives))}" rel="prev-archive" type="application/atom+xml"/>' if feed.archives else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">\n<channel>'
        f"<title>{_xml(feed.title)}</title><link>{_xml(site.base + feed.folder)}</link><description>{_xml(site.promise or site.name)}</description>"
        f"<language>{site.language}</language>{updated}"
        f'<atom:link href="{_xml(site.base + feed.folder)}rss.xml" rel="self" type="application/rss+xml"/>{hub}{older}\n{items}</channel>\n</rss>\n'
    ).encode()


@lru_cache(maxsize=REMEMBERED)
def _rss_item(site: Site, letter: Letter) -> str:
    tags = "".join(f"<category>{_xml(tag)}</category>" for tag in letter.tags)
    creators = "".join(f"<dc:creator>{_xml(name)}</dc:creator>" for name in authors(site, letter))
    summary = f"<description>{_xml(letter.summary)}</description>" if letter.summary else ""
    return (
        f'<item><title>{_xml(letter.title)}</title><link>{_xml(address(site, letter))}</link><guid isPermaLink="false">{_xml(identity(site, letter))}</guid>'
        f"<pubDate>{_rfc822(letter.published)}</pubDate>{creators}{tags}{summary}"
        f"<content:encoded>{_text(site, letter)}</content:encoded></item>\n"
    )


def atom(site: Site, feed: Feed, letters: list[Letter], page: int = 0) -> bytes:
    """Atom (RFC 4287).

    Args:
        page: 0 for the feed that people subscribe to, otherwise a page of older letters that does not change (RFC 5005).
    """
    entries = "".join(_atom_entry(site, letter) for letter in letters)
    here = _archive(site, feed, page) if page else f"{site.base}{feed.folder}atom.xml"
    links = [
        f'<link rel="self" type="application/atom+xml" href="{_xml(here)}"/>',
        f'<link rel="alternate" type="text/html" href="{_xml(site.base + feed.folder)}"/>',
    ]
    if page:
        links.append(f'<link rel="current" href="{_xml(site.base + feed.folder)}atom.xml"/>')
    elif site.hub:
        links.append(f'<link rel="hub" href="{_xml(site.hub)}"/>')
    older = page - 1 if page else feed.archives
    if older:
        links.append(f'<link rel="prev-archive" href="{_xml(_archive(site, feed, older))}"/>')
    if page and page < feed.archives:
        links.append(f'<link rel="next-archive" href="{_xml(_archive(site, feed, page + 1))}"/>')
    mark = '<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/>' if page else ""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{site.language}">{mark}'
        f"<title>{_xml(feed.title)}</title><id>{_xml(here)}</id><updated>{_rfc3339(_newest(letters))}</updated>"
        f"<author><name>{_xml(site.author or site.name)}</name></author>{''.join(links)}\n{entries}</feed>\n"
    ).encode()


@lru_cache(maxsize=REMEMBERED)
def _atom_entry(site: Site, letter: Letter) -> str:
    tags = "".join(f'<category term="{_xml(tag)}"/>' for tag in letter.tags)
    summary = f"<summary>{_xml(letter.summary)}</summary>" if letter.summary else ""
    people = "".join(f"<author><name>{_xml(name)}</name></author>" for name in authors(site, letter))
    language = f' xml:lang="{letter.language}"' if letter.language and letter.language != site.language else ""
    return (
        f"<entry{language}><title>{_xml(letter.title)}</title><id>{_xml(identity(site, letter))}</id>"
        f'<link rel="alternate" type="text/html" href="{_xml(address(site, letter))}"/>'
        f"<published>{_rfc3339(letter.published)}</published><updated>{_rfc3339(letter.touched)}</updated>{people}{tags}{summary}"
        f'<content type="html">{_text(site, letter)}</content></entry>\n'
    )


def json_feed(site: Site, feed: Feed, letters: list[Letter]) -> bytes:
    """JSON Feed 1.1."""
    row = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": site.base + feed.folder,
        "feed_url": f"{site.base}{feed.folder}feed.json",
        "description": site.promise or site.name,
        "language": site.language,
        "authors": [{"name": site.author or site.name}],
        **({"hubs": [{"type": "WebSub", "url": site.hub}]} if site.hub else {}),
    }
    # With an indent, json would not use its part that is written in C.
    items = ",\n".join(_json_item(site, letter) for letter in letters)
    return f'{json.dumps(row, ensure_ascii=False)[:-1]}, "items": [\n{items}\n]}}\n'.encode("utf-8", "replace")


@lru_cache(maxsize=REMEMBERED)
def _json_item(site: Site, letter: Letter) -> str:
    row = {
        "id": identity(site, letter),
        "url": address(site, letter),
        "title": letter.title,
        **({"summary": letter.summary} if letter.summary else {}),
        "content_html": absolute(letter.html, site.base, address(site, letter)),
        "date_published": _rfc3339(letter.published),
        "date_modified": _rfc3339(letter.touched),
        "authors": [{"name": name} for name in authors(site, letter)],
        **({"tags": list(letter.tags)} if letter.tags else {}),
        "language": letter.language or site.language,
    }
    return json.dumps(row, ensure_ascii=False)


def authors(site: Site, letter: Letter) -> tuple[str, ...]:
    """Who wrote a letter."""
    return letter.authors or (site.author or site.name,)


def address(site: Site, letter: Letter) -> str:
    """Where a letter lies."""
    return f"{site.base}{letter.slug}/"


def identity(site: Site, letter: Letter) -> str:
    """The id of a letter in feeds. An address would change with its name; this does not (RFC 4151)."""
    return f"tag:{urlsplit(site.base).hostname or 'localhost'},{letter.published.astimezone(UTC):%Y-%m-%d}:{letter.id}"


def _archive(site: Site, feed: Feed, page: int) -> str:
    return f"{site.base}{feed.folder}feed/{page}.xml"


def _newest(letters: list[Letter]) -> datetime:
    return max((letter.touched for letter in letters), default=BEGINNING)


def _text(site: Site, letter: Letter) -> str:
    return _escaped(site.base, address(site, letter), letter.html)


@lru_cache(maxsize=32)  # RSS and Atom say the same text
def _escaped(base: str, where: str, html: str) -> str:
    return _xml(absolute(html, base, where))


def _xml(text: str) -> str:
    # Control characters are not allowed in XML 1.0, not even escaped.
    return escape(_FORBIDDEN.sub("", text))


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
