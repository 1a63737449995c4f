"""Quotes, apostrophes and dashes as they are set in German and in English."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.rendering.markup import Element


@dataclass(frozen=True)
class Marks:
    """The quotation marks of a language, outer and inner."""

    opening: str
    closing: str
    inner_opening: str
    inner_closing: str


MARKS = {
    "de": Marks("\u201e", "\u201c", "\u201a", "\u2018"),
    "en": Marks("\u201c", "\u201d", "\u2018", "\u2019"),
}
APOSTROPHE = "\u2019"
NO_BREAK = "\u00a0"
VERBATIM = {"code", "pre", "kbd", "samp"}
BLOCKS = {"p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "dt", "dd", "div", "figcaption", "blockquote", "caption"}

_UNIT = re.compile(r"(?<=\d) (?=(?:g|kg|mg|ml|l|cl|km|m|cm|mm|h|min|s|EUR|€|%|°C|Uhr|Watt|kWh|Grad)\b|[€%°])")
_SHORT = re.compile(r"\b(z|d|u|i|o)\. ?(B|h|a|e|Ä)\.")
_DASH = re.compile(r"(?<=\s)--?(?=\s)")
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\b(Nr|No|S|Abs|Kap)\. (?=\d)")
_OPENS_AFTER = set(" \t\n\u00a0([{/\u2013\u2014-\u201e\u201c\u201a\u2018")


def typeset(text: str, language: str) -> str:
    """A line of plain text with right quotes, apostrophes and dashes."""
    return _set(text, " ", "", MARKS.get(language, MARKS["en"]), language)


def typeset_html(root: Element, language: str) -> None:
    """Set every text of a tree in place, but for code. Quotes may begin and end in different elements."""
    marks = MARKS.get(language, MARKS["en"])
    places = list(_places(root, None, verbatim=False))
    before, home = " ", None
    for number, (parent, index, block, verbatim, after_break) in enumerate(places):
        if block is not home:
            before, home = " ", block
        text = str(parent.children[index])
        blank = text.isspace()
        if blank and "\n" in text and block is None:
            continue
        if not verbatim:
            following = ""
            if number + 1 < len(places):
                other, at = places[number + 1][:2]
                following = str(other.children[at])[:1]
            parent.children[index] = text = _set(text, before, following, marks, language)
        if after_break and blank:
            text = " "
        before = text[-1:] or before


class _Place(NamedTuple):
    """Where a text stands: its parent and number there, its block, whether it is code, whether a line break goes before."""

    parent: Element
    at: int
    block: Element | None
    verbatim: bool
    after_break: bool


def _places(parent: Element, block: Element | None, *, verbatim: bool) -> Iterator[_Place]:
    after_break = False
    for index, child in enumerate(parent.children):
        if isinstance(child, str):
            yield _Place(parent, index, block, verbatim, after_break)
        else:
            after_break = after_break or child.name == "br"
            yield from _places(child, child if child.name in BLOCKS else block, verbatim=verbatim or child.name in VERBATIM)


def _set(text: str, before: str, after: str, marks: Marks, language: str) -> str:
    # Most texts have none of this, and to look for a character is a hundred times as fast as to look for a pattern.
    if "-" in text:
        text = text.replace("---", "\u2014")
        text = _DASH.sub("\u2013", text).replace("--", "\u2013")
    if "." in text:
        text = text.replace("...", "\u2026")
        if language == "de":
            text = _SHORT.sub(rf"\1.{NO_BREAK}\2.", text)
        text = _NUMBER.sub(rf"\1.{NO_BREAK}", text)
    if _DIGIT.search(text):
        text = _UNIT.sub(NO_BREAK, text)
    return _quotes(text, before, after, marks)


def _quotes(text: str, before: str, after: str, marks: Marks) -> str:
    if '"' not in text and "'" not in text:
        return text
    out: list[str] = []
    for index, letter in enumerate(text):
        previous = out[-1][-1] if out else before
        following = text[index + 1] if index + 1 < len(text) else after
        opens = previous in _OPENS_AFTER and not following.isspace() and following != ""
        if letter == '"':
            out.append(marks.opening if opens else marks.closing)
        elif letter == "'":
            out.append(_single(text, index, previous, opens, marks, out))
        else:
            out.append(letter)
    return "".join(out)


def _single(text: str, index: int, previous: str, opens: bool, marks: Marks, out: list[str]) -> str:
    rest = text[index + 1 :]
    if opens:
        # „'s war einmal“ and „'nen Kaffee“ leave something out; they do not quote.
        clipped = re.match(r"(?:s|n|ne|nen|ner|nem|tis|twas|em)\b(?![^']*\w')", rest)
        closes_later = re.search(r"[\w.,!?…]'(?!\w)", rest)
        return APOSTROPHE if clipped or not closes_later else marks.inner_opening
    between_letters = previous.isalnum() and rest[:1].isalnum()
    if between_letters:
        return APOSTROPHE
    open_ones = out.count(marks.inner_opening) - out.count(marks.inner_closing)
    return marks.inner_closing if open_ones > 0 else APOSTROPHE
