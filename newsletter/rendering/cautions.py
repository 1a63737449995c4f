"""What may go out, but not without a word: habits that cost readers, or that filters take for fraud."""

import re
from urllib.parse import urlsplit

from newsletter.rendering.findings import Finding
from newsletter.rendering.markup import Element

MOST_LINKS = 60
SHORTENERS = frozenset(
    {"bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rebrand.ly", "rb.gy", "t1p.de", "kurzelinks.de", "lnkd.in", "s.id"}
)
# What says nothing about where it leads, read aloud on its own as screen readers do (WCAG 2.2 §2.4.4).
EMPTY_WORDS = frozenset(
    {
        "hier",
        "hier klicken",
        "klick hier",
        "klicke hier",
        "mehr",
        "weiter",
        "link",
        "dieser link",
        "here",
        "click here",
        "more",
        "this",
        "this link",
        "read more",
    }
)
PLACEHOLDERS = frozenset(
    {"example", "example.com", "example.org", "example.net", "beispiel.de", "deine-seite.de", "deine-adresse.de", "domain.de", "domain.com"}
)
_HOST = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-zäöü]{2,24})(?:[/:?#].*)?", re.IGNORECASE)


def check_words(root: Element, source: str) -> list[Finding]:
    """Links, headings and picture texts that deserve a second look."""
    found: list[Finding] = []
    links = list(root.elements("a"))
    for link in links:
        found += _link(link, source)
    outward = [link for link in links if link.get("href").startswith("http")]
    if len(outward) > MOST_LINKS:
        text, fix = "The letter has %(n)s links; filters grow suspicious beyond %(limit)s.", "Keep those that matter, or link to a page that holds the others."
        found.append(Finding("links-many", "warning", text, fix, values={"n": len(outward), "limit": MOST_LINKS}))
    found += _headings(root, source)
    for image in root.elements("img"):
        alt = image.get("alt").strip()
        if alt and re.fullmatch(r"(?:[\w -]+\.(?:jpe?g|png|gif|webp|heic)|(?:IMG|DSC|PXL|image|bild|foto)[\w -]*\d[\w -]*)", alt, re.IGNORECASE):
            text, fix = "An image is described by the name of its file: “%(alt)s”.", "Say in a few words what it shows, for people who do not see it."
            found.append(Finding("image-alt-file", "warning", text, fix, line_of(source, f"![{alt}"), {"alt": alt[:60]}))
        elif len(alt) > 250:
            text, fix = "A description of an image has %(n)s characters.", "A sentence or two is enough; the rest belongs into the text."
            found.append(Finding("image-alt-long", "warning", text, fix, line_of(source, image.get("src")), {"n": len(alt), "src": image.get("src")}))
    return found


def _link(link: Element, source: str) -> list[Finding]:
    href, words = link.get("href"), " ".join(link.text().split())
    if not href or href.startswith("#") or link.has_class("footnote-ref") or link.has_class("footnote-backref"):
        return []
    line = line_of(source, f"]({href}") or line_of(source, href)
    found = []
    if words.lower().strip(" .!:»›→") in EMPTY_WORDS:
        text, fix = "A link is called “%(words)s”.", "Name what is behind it: people who listen to a page hear the links alone."
        found.append(Finding("link-words", "warning", text, fix, line, {"words": words[:40], "href": href}))
    parts = urlsplit(href)
    host = (parts.hostname or "").lower()
    if parts.scheme == "http" and not is_private(host) and not is_placeholder(host):
        text, fix = "A link goes by http and not by https: %(href)s", "Most pages can be reached by https, too."
        found.append(Finding("link-http", "warning", text, fix, line, {"href": href[:200]}))
    if host.removeprefix("www.") in SHORTENERS:
        text, fix = "%(host)s hides where a link leads; filters count that against you.", "Use the long address."
        found.append(Finding("link-shortened", "warning", text, fix, line, {"host": host, "href": href[:200]}))
    shown = _HOST.fullmatch(words)
    if shown and parts.scheme.startswith("http") and not same_house(shown.group(1), host):
        text, fix = "A link shows %(shown)s and leads to %(host)s, as phishing does.", "Show the same name, or words in its place."
        found.append(Finding("link-phishing", "warning", text, fix, line, {"shown": shown.group(1), "host": host, "href": href[:200]}))
    return found


def same_house(one: str, other: str) -> bool:
    """Whether two hosts are the same but for a part in front, such as www."""
    first, second = one.lower(), other.lower()
    return first == second or first.endswith(f".{second}") or second.endswith(f".{first}")


def _headings(root: Element, source: str) -> list[Finding]:
    found: list[Finding] = []
    before = 1
    for element in root.elements():
        if element.name in ("h2", "h3", "h4"):
            level = int(element.name[1])
            if level > before + 1:
                text, fix = "The heading “%(title)s” skips a level.", "Begin with ##, and go one step deeper at a time; people who listen find their way by it."
                title = element.text().strip()
                found.append(Finding("heading-order", "warning", text, fix, line_of(source, title), {"title": title[:60]}))
            before = level
    return found


def is_placeholder(host: str) -> bool:
    """Whether an address was left over from a sample (RFC 2606 keeps some of these names for that)."""
    return host.removeprefix("www.") in PLACEHOLDERS or ("." not in host and ":" not in host and host != "localhost")


def is_private(host: str) -> bool:
    """Whether an address can be reached from one's own network alone."""
    return (
        host == "localhost"
        or host.endswith((".localhost", ".local", ".internal"))
        or bool(re.match(r"(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\.", host))
    )


def line_of(source: str, needle: str) -> int:
    """The line in which something stands, or 0."""
    place = source.find(needle) if needle else -1
    return source.count("\n", 0, place) + 1 if place >= 0 else 0
