"""RSS 2.0, Atom and JSON Feed: full text, absolute addresses, stable ids.

Each fault that was found in the feeds of others is a test of ours: unbound prefixes, entries without an
id, relative addresses in the text, a bare name as RSS author.
"""

import json
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from archive_site.site import Letter, Site

LATEST = 20


def rss(site: Site, letters: list[Letter], title: str, path: str) -> bytes:
    """RSS 2.0 with content:encoded and dc:creator (RSS' own author element wants a mail address)."""
    items = "".join(_rss_item(site, letter) for letter in letters[:LATEST])
    updated = f"<lastBuildDate>{_rfc822(letters[0].published)}</lastBuildDate>" if letters else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">\n<channel>'
        f"<title>{_xml(title)}</title><link>{_xml(site.base)}</link><description>{_xml(site.promise or site.name)}</description>"
        f"<language>{site.language}</language>{updated}"
        f'<atom:link href="{_xml(site.base + path)}" rel="self" type="application/rss+xml"/>\n{items}</channel>\n</rss>\n'
    ).encode()


def _rss_item(site: Site, letter: Letter) -> str:
    tags = "".join(f"<category>{_xml(tag)}</category>" for tag in letter.tags)
    creator = f"<dc:creator>{_xml(site.author or site.name)}</dc:creator>"
    summary = f"<description>{_xml(letter.summary)}</description>" if letter.summary else ""
    return (
        f'<item><title>{_xml(letter.title)}</title><link>{_xml(address(site, letter))}</link><guid isPermaLink="false">{_xml(_id(site, letter))}</guid>'
        f"<pubDate>{_rfc822(letter.published)}</pubDate>{creator}{tags}{summary}"
        f"<content:encoded>{_xml(absolute(site, letter))}</content:encoded></item>\n"
    )


def atom(site: Site, letters: list[Letter], title: str, path: str) -> bytes:
    """Atom (RFC 4287)."""
    entries = "".join(_atom_entry(site, letter) for letter in letters[:LATEST])
    updated = letters[0].published if letters else datetime(1970, 1, 1, tzinfo=UTC)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{site.language}">'
        f"<title>{_xml(title)}</title><id>{_xml(site.base + path)}</id><updated>{_rfc3339(updated)}</updated>"
        f"<author><name>{_xml(site.author or site.name)}</name></author>"
        f'<link rel="self" type="application/atom+xml" href="{_xml(site.base + path)}"/><link rel="alternate" type="text/html" href="{_xml(site.base)}"/>\n'
        f"{entries}</feed>\n"
    ).encode()


def _atom_entry(site: Site, letter: Letter) -> str:
    tags = "".join(f'<category term="{_xml(tag)}"/>' for tag in letter.tags)
    summary = f"<summary>{_xml(letter.summary)}</summary>" if letter.summary else ""
    moment = _rfc3339(letter.published)
    return (
        f"<entry><title>{_xml(letter.title)}</title><id>{_xml(_id(site, letter))}</id>"
        f'<link rel="alternate" type="text/html" href="{_xml(address(site, letter))}"/>'
        f"<published>{moment}</published><updated>{moment}</updated>{tags}{summary}"
        f'<content type="html">{_xml(absolute(site, letter))}</content></entry>\n'
    )


def json_feed(site: Site, letters: list[Letter], title: str, path: str) -> bytes:
    """JSON Feed 1.1."""
    items = [
        {
            "id": _id(site, letter),
            "url": address(site, letter),
            "title": letter.title,
            "summary": letter.summary,
            "content_html": absolute(site, letter),
            "date_published": _rfc3339(letter.published),
            "tags": list(letter.tags),
        }
        for letter in letters[:LATEST]
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": site.base,
        "feed_url": site.base + path,
        "description": site.promise,
        "language": site.language,
        "authors": [{"name": site.author or site.name}],
        "items": items,
    }
    return (json.dumps(feed, ensure_ascii=False, indent=1) + "\n").encode()


def address(site: Site, letter: Letter) -> str:
    """Where a letter lies."""
    return f"{site.base}{letter.slug}/"


def absolute(site: Site, letter: Letter) -> str:
    """The text of a letter with addresses that work anywhere."""
    html = letter.html.replace('src="/media/', f'src="{escape(site.base)}media/')
    return re.sub(r'href="#', f'href="{escape(address(site, letter))}#', html)


def _id(site: Site, letter: Letter) -> str:
    # An address would change with the domain; a tag does not (RFC 4151).
    host = re.sub(r"^https?://([^/:]+).*", r"\1", site.base)
    year = letter.published.astimezone(UTC).strftime("%Y-%m-%d")
    return f"tag:{host},{year}:{letter.number}"


def _xml(text: str) -> str:
    # Control characters are not allowed in XML 1.0, not even escaped.
    return escape(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text))


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
