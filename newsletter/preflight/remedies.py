"""What the program can mend by itself: text in, text out. Each mends one finding, and only that."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from newsletter.i18n import mark
from newsletter.rendering.findings import Finding


@dataclass(frozen=True)
class Words:
    """What can be changed."""

    subject: str
    preheader: str
    markdown: str


Mend = Callable[[Words, Finding], Words]


def mend(words: Words, finding: Finding) -> Words | None:
    """The words without what was found, or nothing where only a person can decide."""
    known = MENDS.get(finding.id)
    if known is None:
        return None
    better = known[1](words, finding)
    return better if better != words else None


def label(finding: Finding) -> str:
    """What its button says, or nothing."""
    known = MENDS.get(finding.id)
    if known is None or (finding.id in ("merge-unknown", "container-unknown") and not finding.values.get("meant")):
        return ""
    return known[0]


def _in_line(words: Words, finding: Finding, change: Callable[[str], str]) -> Words:
    lines = words.markdown.split("\n")
    if not 0 < finding.line <= len(lines):
        return words
    lines[finding.line - 1] = change(lines[finding.line - 1])
    return replace(words, markdown="\n".join(lines))


def _text(values: Mapping[str, object], name: str) -> str:
    return str(values.get(name, ""))


def _field(words: Words, finding: Finding) -> Words:
    wrong, meant = _text(finding.values, "field"), _text(finding.values, "meant")
    if not meant:
        return words
    pattern = re.compile(r"(\{\{\s*)" + re.escape(wrong) + r"(?=\s*(?:\||\}\}))")
    return Words(*(pattern.sub(lambda found: found.group(1) + meant, part) for part in (words.subject, words.preheader, words.markdown)))


def _https(words: Words, finding: Finding) -> Words:
    href = _text(finding.values, "href")
    return replace(words, markdown=words.markdown.replace(href, "https://" + href.removeprefix("http://")))


def _shorter_alt(words: Words, finding: Finding) -> Words:
    def change(found: re.Match[str]) -> str:
        alt = found.group(1)
        return f"![{alt[:240].rsplit(' ', 1)[0]} …](" if len(alt) > 250 else found.group(0)

    return replace(words, markdown=re.sub(r"!\[([^\]\n]*)\]\(", change, words.markdown))


def _block_name(words: Words, finding: Finding) -> Words:
    name, meant = _text(finding.values, "name"), _text(finding.values, "meant")
    return (
        _in_line(words, finding, lambda line: re.sub(rf"(:::+\s*){re.escape(name)}", rf"\g<1>{meant}", line, count=1, flags=re.IGNORECASE)) if meant else words
    )


def _end_block(words: Words, finding: Finding) -> Words:
    return replace(words, markdown=words.markdown.rstrip("\n") + "\n:::\n")


def _drop_line(words: Words, finding: Finding) -> Words:
    lines = words.markdown.split("\n")
    if not 0 < finding.line <= len(lines) or not re.fullmatch(r"\s*:::+\s*", lines[finding.line - 1]):
        return words
    del lines[finding.line - 1]
    return replace(words, markdown="\n".join(lines))


def _drop_braces(words: Words, finding: Finding) -> Words:
    typed = _text(finding.values, "typed")
    return _in_line(words, finding, lambda line: re.sub(r"\s?\{:?\s*" + re.escape(typed) + r"\s*\}?", "", line, count=1))


def _heading(words: Words, finding: Finding) -> Words:
    return _in_line(words, finding, lambda line: re.sub(r"^#(#{2,})", r"\1", line))


def _no_answer(words: Words, finding: Finding) -> Words:
    return replace(words, subject=re.sub(r"^\s*(?:(?:re|aw|wg|fwd?|antw)\s*:\s*)+", "", words.subject, flags=re.IGNORECASE))


def _one_mark(words: Words, finding: Finding) -> Words:
    head, _, tail = words.subject.partition("!")
    return replace(words, subject=f"{head}!{tail.replace('!', '')}".rstrip())


def _first_sentence(words: Words, finding: Finding) -> Words:
    for part in re.split(r"\n\s*\n", words.markdown):
        plain = re.sub(r"\{\{[^}]*\}\}|!?\[([^\]]*)\]\([^)]*\)(?:\{[^}]*\})?|[*_`>#~|]", r"\1", part)
        text = " ".join(plain.split()).strip(" ,-")
        if len(text) > 20 and not text.startswith(":::"):
            sentence = re.split(r"(?<=[.!?…])\s", text)[0]
            return replace(words, preheader=sentence if len(sentence) <= 90 else sentence[:88].rsplit(" ", 1)[0] + " …")
    return words


def _elsewhere(words: Words, finding: Finding) -> Words:
    """Mended where pictures can be fetched; here only its button is known."""
    return words


MENDS: dict[str, tuple[str, Mend]] = {
    "image-foreign": (mark("Bring the pictures here"), _elsewhere),
    "merge-unknown": (mark("Replace it by “%(meant)s”"), _field),
    "link-http": (mark("Change to https"), _https),
    "image-alt-long": (mark("Shorten the description"), _shorter_alt),
    "container-unknown": (mark("Replace it by “%(meant)s”"), _block_name),
    "container-open": (mark("End it at the end of the text"), _end_block),
    "container-stray": (mark("Take the line out"), _drop_line),
    "attribute-broken": (mark("Take the braces out"), _drop_braces),
    "heading-order": (mark("Lift it by one level"), _heading),
    "subject-answer": (mark("Take the beginning away"), _no_answer),
    "subject-exclaims": (mark("Leave one of them"), _one_mark),
    "preheader-empty": (mark("Take the first sentence"), _first_sentence),
}
