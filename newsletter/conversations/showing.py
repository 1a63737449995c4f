"""A mail as it was formatted: without scripts and styles, and with pictures only where somebody asks for them."""

import re
from collections.abc import Callable

import nh3

from newsletter.errors import Refused
from newsletter.fetching import Unreachable, Web
from newsletter.mail.incoming.letter import parts_of
from newsletter.mail.incoming.mime import Part
from newsletter.media.policy import Cleaned, clean

LONGEST = 500_000
MOST_PICTURES = 60
_TAGS = {
    "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p",
    "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel"}


def formatted(mail: Part, picture: Callable[[int], str] | None = None) -> tuple[str, int]:
    """The HTML of a mail, cleaned, and how many pictures it has.

    Args:
        picture: makes the address under which we show the picture of a number; without it there are none (L8: loading one would
            tell the sender that and when her mail was read).
    """
    markup = _markup(mail)
    found = sources(mail)
    numbers = {source: number for number, source in enumerate(found)}

    def rewrite(tag: str, name: str, value: str) -> str | None:
        if (tag, name) != ("img", "src"):
            return value
        number = numbers.get(value.strip())
        return picture(number) if picture is not None and number is not None else None

    tags = _TAGS | ({"img"} if picture is not None else set())
    allowed = {"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
    html = nh3.clean(
        markup, tags=tags, attributes=allowed, attribute_filter=rewrite, url_schemes=_SCHEMES | {"cid"}, link_rel="noopener noreferrer nofollow",
        clean_content_tags={"script", "style", "title", "head", "noscript", "template", "svg", "math", "object", "iframe", "form", "select", "textarea"},
    )  # fmt: skip
    # Whatever did not become an address of ours has no place to load from.
    return re.sub(r"<img(?![^>]*\ssrc=)[^>]*>", "", html), len(found)


def _markup(mail: Part) -> str:
    part = next((one for one in parts_of(mail) if one.kind == "text/html" and one.disposition != "attachment"), None)
    return part.text()[:LONGEST] if part is not None else ""


def sources(mail: Part) -> list[str]:
    """Where the pictures of a mail lie: with it (``cid:``) or on somebody's server. Those of one pixel only count readers."""
    found: list[str] = []

    def note(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            found.append(value.strip())
        return value

    markup = _markup(mail)
    pixels = re.sub(r"<img\b[^>]*\b(?:width|height)\s*=\s*[\"']?[01](?:px)?[\"'\s>/][^>]*>?", "", markup, flags=re.IGNORECASE)
    nh3.clean(pixels, tags={"img"}, attributes={"img": {"src"}}, attribute_filter=note, url_schemes={"http", "https", "cid"})
    return list(dict.fromkeys(one for one in found if one.startswith(("cid:", "http://", "https://"))))[:MOST_PICTURES]


def picture_of(mail: Part, number: int, web: Web) -> Cleaned | None:
    """One picture, made anew so that only pixels survive. Those on other servers are fetched by us: the reader's browser asks nobody."""
    found = sources(mail)
    if not 0 <= number < len(found):
        return None
    source = found[number]
    data = _enclosed(mail, source[4:]) if source.startswith("cid:") else _fetched(web, source)
    return remade(data)


def remade(data: bytes) -> Cleaned | None:
    """A picture made anew, or nothing."""
    try:
        return clean(data) if data else None
    except Refused:
        return None


def _enclosed(mail: Part, content_id: str) -> bytes:
    part = next((one for one in parts_of(mail) if one.fields.get("content-id").strip().strip("<>") == content_id), None)
    return part.content() if part is not None else b""


def _fetched(web: Web, address: str) -> bytes:
    try:
        answer = web.get(address)
    except Unreachable:
        return b""
    return answer.body if answer.status == 200 else b""
