"""The head of a Markdown file: ``key: value`` lines between two rows of dashes."""

import re
from dataclasses import dataclass, field

from newsletter.errors import Refused

KEYS = ("subject", "preheader", "date", "tags", "slug", "cover")


@dataclass(frozen=True)
class Manuscript:
    """A Markdown file, its head taken off."""

    markdown: str
    subject: str = ""
    preheader: str = ""
    date: str = ""
    slug: str = ""
    cover: str = ""
    tags: list[str] = field(default_factory=list)


def heads(source: str) -> tuple[dict[str, str], str]:
    """The head of a file of another program, as far as it can be understood, and the text. Lists become commas."""
    source = source.lstrip("\ufeff").replace("\r\n", "\n")
    found = re.match(r"(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|$)", source, re.DOTALL)
    if found is None:
        return {}, source
    values: dict[str, str] = {}
    key = ""
    for line in found.group(2).split("\n"):
        item = re.match(r"\s*-\s+(.*)", line)
        pair = re.match(r"([A-Za-z_][\w-]*)\s*[:=]\s*(.*)", line)
        if item and key:
            values[key] = ", ".join(part for part in (values[key], _unquote(item.group(1))) if part)
        elif pair:
            key = pair.group(1).lower()
            values[key] = _unquote(pair.group(2))
    return values, source[found.end() :]


def read(source: str) -> Manuscript:
    """Split a file into its head and its text.

    Raises:
        Refused: the head is broken; the sentence names the line.
    """
    lines = source.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return Manuscript(source.lstrip("\ufeff"))
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() in ("---", "...")), None)
    if end is None:
        raise Refused("Line 1 opens a head with ---, but no second --- closes it.")
    values: dict[str, str] = {}
    for number, line in enumerate(lines[1:end], 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = re.fullmatch(r"([A-Za-z_]+)\s*:\s*(.*)", line.rstrip())
        if found is None:
            raise Refused("Line %(line)s of the head is not “key: value”.", line=number)
        key = found.group(1).lower()
        if key not in KEYS:
            raise Refused("Line %(line)s: there is no key “%(key)s”. Known are: %(known)s.", line=number, key=key, known=", ".join(KEYS))
        if key in values:
            raise Refused("Line %(line)s: “%(key)s” stands there twice.", line=number, key=key)
        values[key] = _unquote(found.group(2))
    tags = [tag for tag in (_unquote(tag) for tag in values.pop("tags", "").strip("[]").split(",")) if tag]
    return Manuscript("\n".join(lines[end + 1 :]).strip("\n") + "\n", tags=tags, **values)


def _unquote(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text
