"""Quotes, apostrophes and dashes as they are set in German and in English."""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag


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
_NUMBER = re.compile(r"\b(Nr|No|S|Abs|Kap)\. (?=\d)")
_OPENS_AFTER = set(" \t\n\u00a0([{/\u2013\u2014-\u201e\u201c\u201a\u2018")


def typeset(text: str, language: str) -> str:
    """A line of plain text with right quotes, apostrophes and dashes."""
    return _set(text, " ", "", MARKS.get(language, MARKS["en"]), language)


def typeset_html(soup: BeautifulSoup, language: str) -> None:
    """Set every text of a tree in place, but for code. Quotes may begin and end in different elements."""
    marks = MARKS.get(language, MARKS["en"])
    nodes = [node for node in soup.find_all(string=True) if type(node) is NavigableString]
    before, home = " ", None
    for index, node in enumerate(nodes):
        parents = [parent for parent in node.parents if isinstance(parent, Tag)]
        block = next((parent for parent in parents if parent.name in BLOCKS), None)
        if block is not home:
            before, home = " ", block
        text = str(node)
        if not text.strip() and "\n" in text and block is None:
            continue
        if VERBATIM.isdisjoint(parent.name for parent in parents):
            following = str(nodes[index + 1])[:1] if index + 1 < len(nodes) else ""
            done = _set(text, before, following, marks, language)
            if done != text:
                node.replace_with(NavigableString(done))
            text = done
        if any(parent.name == "br" for parent in node.previous_siblings if isinstance(parent, Tag)) and not text.strip():
            text = " "
        before = text[-1:] or before


def _set(text: str, before: str, after: str, marks: Marks, language: str) -> str:
    text = text.replace("...", "\u2026").replace("---", "\u2014")
    text = re.sub(r"(?<=\s)--?(?=\s)", "\u2013", text)
    text = text.replace("--", "\u2013")
    text = _UNIT.sub(NO_BREAK, text)
    if language == "de":
        text = _SHORT.sub(rf"\1.{NO_BREAK}\2.", text)
    text = _NUMBER.sub(rf"\1.{NO_BREAK}", text)
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
