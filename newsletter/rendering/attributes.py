"""Attributes behind a link, an image or a heading: ``{ .button }``, ``{ credit="Foto: Jana" }``, ``{ #anker }``."""

import re

from newsletter.i18n import mark
from newsletter.rendering.checks import without_code
from newsletter.rendering.findings import Finding

CLASSES = {"button", "quiet"}
KEYS = {"credit", "foto"}

# Where Markdown's attribute lists are read: behind an element, at the end of a heading, alone on a line. {{ … }} is a field.
_PLACES = (
    re.compile(r"(?<=[)\]*_~])[ ]?(\{)(?!\{):?([^{}\n]*)(\}?)"),
    re.compile(r"^#[^\n]*?[ \t](\{)(?!\{):?([^{}\n]*)(\})[ \t]*$", re.MULTILINE),
    re.compile(r"^[ \t]*(\{)(?!\{):?([^{}\n]*)(\}?)[ \t]*$", re.MULTILINE),
)
_TOKEN = re.compile(r"""\s*(?:\.(?P<class>[\w-]+)|\#(?P<id>[\w:.-]+)|(?P<key>[\w-]+)=(?:"[^"]*"|'[^']*'|[^\s"'{}=]+))(?=\s|$)""")


def check_attributes(source: str) -> tuple[str, list[Finding]]:
    """Find attribute lists that say nothing we know.

    Gives back the source in which such braces are plain characters, so that they stand in the letter where they were
    typed and nothing is eaten, and a finding for each.
    """
    blank = without_code(source)
    places = {match.start(1): (match[2], bool(match[3])) for place in _PLACES for match in place.finditer(blank)}
    findings: list[Finding] = []
    out: list[str] = []
    at = 0
    for brace, (inside, closed) in sorted(places.items()):
        if _is_meant(inside) and _wrong(inside, closed=closed):
            line = blank.count("\n", 0, brace) + 1
            findings.append(Finding("attribute-broken", "error", *_words(closed=closed), line=line, values={"typed": inside.strip()[:60]}))
            out += [source[at:brace], "\\{"]
            at = brace + 1
    return "".join(out) + source[at:], findings


def _wrong(inside: str, *, closed: bool) -> bool:
    if not closed:
        return True
    at = 0
    text = inside.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or (token["class"] and token["class"] not in CLASSES) or (token["key"] and token["key"] not in KEYS):
            return True
        at = token.end()
    return not text.strip()


def _is_meant(inside: str) -> bool:
    """Whether somebody meant attributes: a dot, a hash or an equals sign. Braces in prose are just braces."""
    return bool(re.match(r"\s*[.#]\w", inside)) or "=" in inside


def _words(*, closed: bool) -> tuple[str, str]:
    if not closed:
        return mark("The braces behind “%(typed)s” are never closed."), mark("Write a } at their end.")
    return mark("“%(typed)s” in braces means nothing here."), mark('Known are { .button }, { credit="…" } and { #anchor }.')
