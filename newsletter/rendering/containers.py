"""Blocks that Markdown lacks, between lines that begin with three colons.

::

    ::: hinweis Für Eilige          a container: its name, and what it is called
    Text in Markdown
    :::                             its end

    ::: teilen                      a leaf: one line, no end

Each such line becomes a paragraph of private-use characters, which Markdown and the sanitiser let through, and which
no source may contain. So the text is read once, footnotes and all, and the blocks are found again in the tree.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from newsletter.i18n import mark
from newsletter.rendering.findings import Finding

# German and English names stand for the same kind.
CONTAINERS = {
    "hinweis": "callout", "callout": "callout",
    "spalten": "columns", "columns": "columns",
    "nur-mail": "mail", "only-mail": "mail",
    "nur-web": "web", "only-web": "web",
    "umfrage": "poll", "poll": "poll",
    "antwort": "reply", "reply": "reply",
}  # fmt: skip
LEAVES = {
    "weiterlesen": "more", "read-more": "more",
    "teilen": "share", "share": "share",
    "ausgabe": "card", "issue": "card",
    "baustein": "snippet", "snippet": "snippet",
}  # fmt: skip
# Only these may hold other containers; a column within a column has no room.
OUTER = {"mail", "web"}
SEPARATOR = "|||"
MOST_OPTIONS = 12

_LINE = re.compile(r" {0,3}:::+[ \t]*(.*?)[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_OPEN, _CLOSE = "\ue020", "\ue021"
MARKED = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


@dataclass(frozen=True)
class Mark:
    """One line of three colons. ``step`` is open, close, leaf or next (the gap between two columns)."""

    step: str
    kind: str = ""
    words: str = ""
    line: int = 0


@dataclass(frozen=True)
class Marked:
    """A source whose containers are marks."""

    source: str
    marks: tuple[Mark, ...]
    findings: tuple[Finding, ...]


def mark_containers(source: str) -> Marked:
    """Replace the lines of containers by marks.

    A line that cannot be understood stays in the text as it is, and a finding says where it stands: nothing typed is eaten.
    """
    reader = _Reader()
    lines = [reader.read(number, line) for number, line in enumerate(source.split("\n"), 1)]
    reader.end()
    typed = source.split("\n")
    for number in reader.undone:
        lines[number - 1] = typed[number - 1]
    return Marked("\n".join(lines), tuple(reader.marks), tuple(reader.findings))


class _Reader:
    """Reads line by line, and remembers which containers are open."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.findings: list[Finding] = []
        self.undone: list[int] = []
        self._open: list[Mark] = []
        self._fence = ""

    def read(self, number: int, line: str) -> str:
        fence = _FENCE.match(line)
        if fence and (not self._fence or fence.group(1).startswith(self._fence)):
            self._fence = "" if self._fence else fence.group(1)
        if self._fence:
            return line
        if line.strip() == SEPARATOR and self._open and self._open[-1].kind == "columns":
            return self._put(Mark("next", "columns", line=number))
        found = _LINE.match(line)
        return self._colons(number, line, found.group(1)) if found else line

    def _colons(self, number: int, line: str, rest: str) -> str:
        name, _, words = rest.partition(" ")
        name = name.lower()
        if not name:
            return self._put(Mark("close", self._open.pop().kind, line=number)) if self._open else self._wrong(number, line, "container-stray")
        if name in LEAVES:
            return self._put(Mark("leaf", LEAVES[name], words.strip(), number))
        if name not in CONTAINERS:
            return self._wrong(number, line, "container-unknown", name=name)
        if self._open and self._open[-1].kind not in OUTER:
            return self._wrong(number, line, "container-nested")
        opened = Mark("open", CONTAINERS[name], words.strip(), number)
        self._open.append(opened)
        return self._put(opened)

    def _put(self, mark: Mark) -> str:
        self.marks.append(mark)
        return f"\n{_OPEN}{len(self.marks) - 1}{_CLOSE}\n"

    def _wrong(self, number: int, line: str, what: str, name: str = "") -> str:
        self.findings.append(_finding(what, number, name))
        return line

    def end(self) -> None:
        for opened in self._open:
            self.findings.append(_finding("container-open", opened.line, ""))
            # What it held stands in the text as it was typed, gaps between columns among it.
            at = self.marks.index(opened)
            gaps = [one for one in self.marks[at:] if one.step == "next"] if opened.kind == "columns" else []
            for one in [opened, *gaps]:
                self.undone.append(one.line)
                self.marks[self.marks.index(one)] = Mark("gone", line=one.line)


def _finding(what: str, line: int, name: str) -> Finding:
    values: dict[str, object] = {}
    if what == "container-unknown":
        close = difflib.get_close_matches(name, [*CONTAINERS, *LEAVES], 1)
        values = {"name": name[:40], "meant": close[0] if close else ""}
        fix = mark("You probably mean “%(meant)s”.") if close else mark("The help page shows every block.")
        return Finding(what, "error", "There is no block called “%(name)s”; its line would stand in the letter.", fix, line, values)
    text, fix = {
        "container-stray": (mark("Three colons end a block here, but none is open."), mark("Take the line out, or begin the block further up.")),
        "container-nested": (mark("A block begins inside another one that holds only text."), mark("End the outer one first, with a line of three colons.")),
        "container-open": (mark("A block begins here and never ends."), mark("Write a line of three colons where it should end.")),
    }[what]
    return Finding(what, "error", text, fix, line, values)


def with_snippets(source: str, snippets: Mapping[str, str]) -> tuple[str, list[int], list[Finding]]:
    """Put snippets in the place of their names.

    Gives back the text, for each of its lines the line that it came from, and what is wrong. A snippet within a snippet is
    not followed, so that none can hold itself.
    """
    lines: list[str] = []
    origin: list[int] = []
    findings: list[Finding] = []
    fence = ""
    for number, line in enumerate(source.split("\n"), 1):
        fenced = _FENCE.match(line)
        if fenced and (not fence or fenced.group(1).startswith(fence)):
            fence = "" if fence else fenced.group(1)
        name = None if fence else snippet_name(line)
        taken = [line]
        if name is not None and name in snippets:
            taken = ["", *(inner for inner in snippets[name].split("\n") if snippet_name(inner) is None), ""]
        elif name is not None:
            text, fix = "There is no snippet called “%(name)s”.", "Choose one from the list of snippets, or write it first."
            findings.append(Finding("snippet-unknown", "error", text, fix, number, {"name": name[:60]}))
        lines += taken
        origin += [number] * len(taken)
    return "\n".join(lines), origin, findings


def snippet_name(line: str) -> str | None:
    """The snippet that a line stands for, or nothing."""
    found = _LINE.match(line)
    name, _, words = found.group(1).partition(" ") if found else ("", "", "")
    return words.strip().lower() if LEAVES.get(name.lower()) == "snippet" else None


def named(source: str, kind: str) -> list[str]:
    """What the leaves of a kind name: snippets or issues."""
    found = []
    for line in source.split("\n"):
        match = _LINE.match(line)
        name, _, words = match.group(1).partition(" ") if match else ("", "", "")
        if LEAVES.get(name.lower()) == kind and words.strip():
            found.append(words.strip().lower())
    return list(dict.fromkeys(found))


def all_polls(texts: Iterable[str]) -> list[tuple[int, int]]:
    """More than the numbers of every poll and answer that these texts can hold."""
    polls = sum(
        1 for text in texts for line in text.split("\n") if (found := _LINE.match(line)) and CONTAINERS.get(found.group(1).partition(" ")[0].lower()) == "poll"
    )
    return [(poll, option) for poll in range(1, polls + 1) for option in range(1, MOST_OPTIONS + 1)]


def for_readers_of_the_web(source: str) -> str:
    """The source without what stands in the mail alone, for the Markdown beside a page."""
    marked = mark_containers(source)
    out: list[str] = []
    depth = 0
    skipping = 0
    for part in marked.source.split("\n"):
        found = MARKED.fullmatch(part)
        mark = marked.marks[int(found.group(1))] if found else None
        if mark and mark.step == "open":
            depth += 1
            if mark.kind == "mail" and not skipping:
                skipping = depth
        if not skipping and not (mark and mark.kind == "web"):
            out.append(_again(mark) if mark else part)
        if mark and mark.step == "close":
            if skipping == depth:
                skipping = 0
            depth -= 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n" if marked.marks else source


_ENGLISH = {
    "callout": "callout",
    "columns": "columns",
    "poll": "poll",
    "reply": "reply",
    "more": "read-more",
    "share": "share",
    "card": "issue",
    "snippet": "snippet",
}


def _again(mark: Mark) -> str:
    if mark.step == "next":
        return SEPARATOR
    return ":::" if mark.step == "close" else f"::: {_ENGLISH[mark.kind]} {mark.words}".rstrip()
