"""Two people changed the same text. Both changes go into one text, and where they wrote at the same place both stay."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Beyond this, words are not compared one by one: the time grows with the square.
MOST_WORDS = 4000


@dataclass(frozen=True)
class Merged:
    """The result.

    Args:
        clashes: the lines, from 1, at which both versions stand one below the other.
    """

    text: str
    clashes: tuple[int, ...] = ()


def merge(base: str, theirs: str, mine: str) -> Merged:
    """Merge two texts that came from a third one, line by line, and word by word within a line that both changed.

    Nothing that either of them wrote is lost: at a place that both changed in different ways, her lines stand first and
    mine below them.
    """
    if mine in (base, theirs):
        return Merged(theirs)
    if theirs == base:
        return Merged(mine)
    out: list[str] = []
    clashes: list[int] = []
    for before, hers, own in _pieces(base.split("\n"), theirs.split("\n"), mine.split("\n")):
        if own in (before, hers):
            out += hers
        elif hers == before:
            out += own
        else:
            joined = _by_words("\n".join(before), "\n".join(hers), "\n".join(own))
            if joined is None:
                clashes.append(len(out) + 1)
                gap = [""] if hers and own else []
                out += [*hers, *gap, *own]
            else:
                out += joined.split("\n")
    return Merged("\n".join(out), tuple(clashes))


def _by_words(before: str, hers: str, own: str) -> str | None:
    """The same for the words of a passage; None when both changed the same ones, or somebody has taken all of it away."""
    parts = [re.findall(r"\w+|\s+|[^\w\s]", text) for text in (before, hers, own)]
    if not before.strip() or not hers.strip() or not own.strip() or max(map(len, parts)) > MOST_WORDS:
        return None
    out: list[str] = []
    for base, theirs, mine in _pieces(*parts):
        if mine in (base, theirs):
            out += theirs
        elif theirs == base:
            out += mine
        else:
            return None
    return "".join(out)


def _pieces(base: list[str], theirs: list[str], mine: list[str]) -> list[tuple[list[str], list[str], list[str]]]:
    """The three texts cut where all of them agree: stretches that are the same, and what lies between."""
    left, right = _kept(base, theirs), _kept(base, mine)
    found: list[tuple[list[str], list[str], list[str]]] = []
    at = [0, 0, 0]
    stable = [(place, left[place], right[place]) for place in range(len(base)) if place in left and place in right]
    for place, hers, own in [*stable, (len(base), len(theirs), len(mine))]:
        if (place, hers, own) != tuple(at):
            found.append((base[at[0] : place], theirs[at[1] : hers], mine[at[2] : own]))
        if place < len(base):
            found.append((base[place : place + 1],) * 3)
        at = [place + 1, hers + 1, own + 1]
    return found


def _kept(base: list[str], other: list[str]) -> dict[int, int]:
    """Where each part of the first that is still there stands in the second."""
    matcher = SequenceMatcher(None, base, other, autojunk=False)
    return {block.a + step: block.b + step for block in matcher.get_matching_blocks() for step in range(block.size)}


@dataclass(frozen=True)
class Change:
    """A stretch of a comparison: ``same``, ``gone`` or ``new``."""

    kind: str
    text: str


def differences(old: str, new: str) -> list[list[Change]]:
    """What changed between two texts, line by line; within a changed line word by word. Unchanged lines are kept."""
    before, after = old.split("\n"), new.split("\n")
    rows: list[list[Change]] = []
    for step, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if step == "equal":
            rows += [[Change("same", line)] for line in before[a:b]]
            continue
        pairs = min(b - a, d - c)
        rows += [_in_line(one, other) for one, other in zip(before[a : a + pairs], after[c : c + pairs], strict=True)]
        rows += [[Change("gone", line)] for line in before[a + pairs : b]]
        rows += [[Change("new", line)] for line in after[c + pairs : d]]
    return rows


def _in_line(old: str, new: str) -> list[Change]:
    before, after = re.findall(r"\w+|\s+|[^\w\s]", old), re.findall(r"\w+|\s+|[^\w\s]", new)
    if max(len(before), len(after)) > MOST_WORDS:
        return [Change("gone", old), Change("new", new)]
    found: list[Change] = []
    for step, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if step == "equal":
            found.append(Change("same", "".join(before[a:b])))
            continue
        if b > a:
            found.append(Change("gone", "".join(before[a:b])))
        if d > c:
            found.append(Change("new", "".join(after[c:d])))
    return found
