"""What is said to other servers, and what their pages say. Without I/O."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup
from bs4.element import Tag

from archive_site.twins import CONTEXT, PUBLIC
from newsletter.links import Links
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base

SECURITY = "https://w3id.org/security/v1"
JSON = "application/activity+json"
MOST_WORDS = 280
# A server that is down for a weekend is not gone: 2, 4, 8 … minutes, three days in all.
ATTEMPTS = 12


def wait(attempts: int) -> timedelta:
    """How long until the next try."""
    return timedelta(minutes=2**attempts)


def host_of(links: Links) -> str:
    """The host that a handle ends in."""
    return urlsplit(links.base).netloc


def handle(links: Links, publication: Publication) -> str:
    """The publication's name in the Fediverse. Servers there ask by https only, so there is none without it."""
    return f"@{publication.slug}@{host_of(links)}" if links.base.startswith("https://") else ""


def webfinger(links: Links, publication: Publication) -> dict[str, Any]:
    """Where an account is (RFC 7033)."""
    actor = links.actor(publication.slug)
    page = {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": archive_base(publication, links)}
    return {
        "subject": f"acct:{publication.slug}@{host_of(links)}",
        "aliases": [actor, archive_base(publication, links)],
        "links": [{"rel": "self", "type": JSON, "href": actor}, page],
    }


def actor(links: Links, publication: Publication, public_key: str) -> dict[str, Any]:
    """A publication as somebody whom one can follow."""
    where = links.actor(publication.slug)
    return {
        "@context": [CONTEXT, SECURITY],
        "id": where,
        "type": "Service",
        "preferredUsername": publication.slug,
        "name": publication.name,
        "summary": publication.promise,
        "url": archive_base(publication, links),
        "inbox": f"{where}/inbox",
        "outbox": f"{where}/outbox",
        "followers": f"{where}/followers",
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "published": publication.created_at.strftime("%Y-%m-%dT00:00:00Z"),
        "publicKey": {"id": f"{where}#main-key", "owner": where, "publicKeyPem": public_key},
    }


def announced(actor: str, address: str, issue_id: int, published: datetime) -> dict[str, Any]:
    """What the outbox says of an issue."""
    return {
        "id": f"{actor}/issues/{issue_id}#create",
        "type": "Create",
        "actor": actor,
        "published": published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "to": [PUBLIC],
        "object": address,
    }


def accept(links: Links, publication: Publication, follow: dict[str, Any], number: int) -> dict[str, Any]:
    """The answer to somebody who follows."""
    where = links.actor(publication.slug)
    return {"@context": CONTEXT, "id": f"{where}#accept-{number}", "type": "Accept", "actor": where, "object": follow}


def create(links: Links, publication: Publication, article: dict[str, Any], issue_id: int) -> dict[str, Any]:
    """A new issue, said to followers.

    The object keeps the address of its JSON in the archive while that lies on our host; servers believe an object only
    from the host of its author, so an archive elsewhere gets an address here.
    """
    where = links.actor(publication.slug)
    inside = article | ({} if urlsplit(article["id"]).netloc == host_of(links) else {"id": f"{where}/issues/{issue_id}"})
    inside.pop("@context", None)
    return {
        "@context": CONTEXT,
        "id": f"{where}/issues/{issue_id}#create",
        "type": "Create",
        "actor": where,
        "published": article["published"],
        "to": [PUBLIC],
        "cc": [f"{where}/followers"],
        "object": inside,
    }


@dataclass(frozen=True)
class Words:
    """What a page that mentions us says of itself."""

    author: str
    excerpt: str


def mentions(page: str, address: str, target: str) -> Words | None:
    """What a page says, if it really links to the target; otherwise nothing."""
    soup = BeautifulSoup(page, "html.parser")
    wanted = urldefrag(target)[0].rstrip("/")
    for found in soup.find_all(["a", "img", "video", "audio", "source"]):
        there = urljoin(address, str(found.get("href") or found.get("src") or ""))
        if urldefrag(there)[0].rstrip("/") == wanted:
            return Words(_author(soup, address), _excerpt(soup, found))
    return None


def _author(soup: BeautifulSoup, address: str) -> str:
    for place in (soup.select_one(".p-author .p-name, .p-author"), soup.select_one(".h-card .p-name")):
        if place is not None and place.get_text(strip=True):
            return " ".join(place.get_text(" ").split())[:120]
    meta = soup.find("meta", attrs={"name": "author"})
    name = str(meta.get("content", "")) if isinstance(meta, Tag) else ""
    return (name.strip() or urlsplit(address).hostname or address)[:120]


def _excerpt(soup: BeautifulSoup, link: Tag) -> str:
    entry = soup.select_one(".h-entry .e-content, .h-entry .p-summary, .h-entry .p-name")
    near = link.find_parent(["p", "li", "blockquote", "article"])
    text = " ".join((entry or near or soup.title or link).get_text(" ").split())
    return text if len(text) <= MOST_WORDS else text[:MOST_WORDS].rsplit(" ", 1)[0] + " …"


def endpoint(page: str, headers: dict[str, str], address: str) -> str:
    """Where a page receives webmentions (W3C Webmention, 3.1.2): its Link header first, then its first link or a."""
    for part in re.split(r",\s*(?=<)", headers.get("link", "")):
        found = re.match(r'\s*<([^>]*)>\s*;.*?\brel="?([^";]*)"?', part)
        if found and "webmention" in found.group(2).lower().split():
            return urljoin(address, str(found.group(1)))
    soup = BeautifulSoup(page, "html.parser")
    for link in soup.find_all(["link", "a"]):
        if link.has_attr("href") and "webmention" in [word.lower() for word in (link.get("rel") or [])]:
            return urljoin(address, str(link["href"]))
    return ""


def outside_links(html: str, base: str) -> list[str]:
    """The pages elsewhere that an issue links to, each once."""
    own = urlsplit(base).netloc
    found = re.findall(r'<a\b[^>]*\shref="(https?://[^"]+)"', html)
    return [address for address in dict.fromkeys(map(unescape, found)) if urlsplit(address).netloc != own][:50]
