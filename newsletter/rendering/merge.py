"""Merge fields: ``{{ vorname|du }}``. A fixed vocabulary, one pass, no template language (C4)."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from html import escape

from newsletter.rendering.findings import Finding

# What may stand between the braces, and the value it stands for.
FIELDS = {
    "vorname": "first_name",
    "first_name": "first_name",
    "name": "name",
    "anrede": "greeting",
    "greeting": "greeting",
}
LONGEST_VALUE = 100

# Fields travel through Markdown and MJML as private-use characters, which no source may contain:
# so a value can never be expanded a second time, and braces in code stay braces.
_START, _MIDDLE, _END = "\ue000", "\ue001", "\ue002"
_ANY = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(r"\s*(\w+)\s*(?:\|([^{}|\r\n]{0,100}))?\s*")
_MARKED = re.compile(f"{_START}([a-z_]+){_MIDDLE}([^{_START}{_MIDDLE}{_END}]*){_END}")
_PRIVATE = re.compile("[\ue000-\uf8ff]")


def without_private(text: str) -> str:
    """Text that cannot be mistaken for a marked field."""
    return _PRIVATE.sub("", text)


def mark(text: str) -> str:
    """Replace known fields by marks; leave everything else between braces as it is."""
    return _ANY.sub(_mark_one, text)


def _mark_one(match: re.Match[str]) -> str:
    field = _FIELD.fullmatch(match.group(1))
    if field is None or field.group(1).lower() not in FIELDS:
        return match.group(0)
    return f"{_START}{FIELDS[field.group(1).lower()]}{_MIDDLE}{(field.group(2) or '').strip()}{_END}"


def unknown_fields(text: str) -> list[Finding]:
    """An error for each pair of braces that we could not fill."""
    findings = []
    for match in _ANY.finditer(text):
        field = _FIELD.fullmatch(match.group(1))
        word = (field.group(1) if field else match.group(1)).strip()[:40]
        if field is not None and word.lower() in FIELDS:
            continue
        close = difflib.get_close_matches(word.lower(), FIELDS, 1)
        findings.append(
            Finding(
                "merge-unknown",
                "error",
                "There is no field called “%(field)s”; its braces would stand in every mail.",
                "You probably mean “%(meant)s”." if close else "Known fields are: vorname, name, anrede.",
                text.count("\n", 0, match.start()) + 1,
                {"field": word, "meant": close[0] if close else ""},
            )
        )
    return findings


def fill(text: str, values: Mapping[str, str], treat: Callable[[str], str]) -> str:
    """Put the values in place of the marks, in one pass.

    Args:
        values: by the names on the right side of FIELDS; a missing or empty one takes the fallback.
        treat: what the place needs, such as HTML escaping.
    """
    return _MARKED.sub(lambda match: treat(clean(values.get(match.group(1), "")) or match.group(2)), text)


def fill_html(text: str, values: Mapping[str, str]) -> str:
    """As :func:`fill`, escaped. Fallbacks were escaped with the text that they stood in."""
    return _MARKED.sub(lambda match: escape(clean(values.get(match.group(1), ""))) or match.group(2), text)


def cut(text: str) -> list[str | tuple[str, str]]:
    """A text cut at its marks: plain text, and (field, fallback) for each mark."""
    pieces: list[str | tuple[str, str]] = []
    at = 0
    for match in _MARKED.finditer(text):
        pieces += [text[at : match.start()], (match.group(1), match.group(2))]
        at = match.end()
    return [piece for piece in [*pieces, text[at:]] if piece]


def clean(value: str) -> str:
    """A value of a person as it may stand in a mail: NFC, no controls, at most 100 characters."""
    if value.isascii() and value.isprintable():
        return value[:LONGEST_VALUE].strip()
    value = unicodedata.normalize("NFC", value)
    value = "".join(" " if letter in "\t\n\r" else letter for letter in value if letter in "\t\n\r" or unicodedata.category(letter)[0] != "C")
    return without_private(value)[:LONGEST_VALUE].strip()


def line(value: str, longest: int) -> str:
    """Words of an editor on one line: NFC, no controls, single blanks."""
    return " ".join(paragraphs(value, longest * 2).split())[:longest].strip()


def paragraphs(value: str, longest: int) -> str:
    """Words of an editor with their line ends: NFC, no other controls."""
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    value = "".join(letter for letter in value if letter == "\n" or unicodedata.category(letter)[0] != "C")
    return without_private(value).strip()[:longest]


def values_of(name: str, greeting: str) -> dict[str, str]:
    """The values for one person.

    Args:
        name: as given at sign-up, or empty.
        greeting: the publication's word, such as „Hallo“.
    """
    name = clean(name)
    first = name.split(" ")[0] if name else ""
    return {"name": name, "first_name": first, "greeting": f"{greeting} {first}".strip()}
