"""Reading CSV of any shape: its encoding, delimiter and header are found out, and nothing in it is believed (C9).

Lines are read with a limit and decoded one by one, as UTF-8 or as what Windows wrote before, so that neither a line of fifty
megabytes nor a file in two encodings does harm. UTF-16 is rewritten first. The place in the file is known after every row, so that reading
can go on there.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from newsletter.errors import Refused
from newsletter.i18n import mark

LONGEST_LINE = 1024 * 1024
MOST_LINES = 200  # a cell may contain line ends; an unfinished quotation mark would swallow the rest of the file
MOST_COLUMNS = 200
LARGEST_FILE = 1024 * 1024 * 1024
SAMPLE = 256 * 1024
DELIMITERS = (",", ";", "\t", "|")
_ADDRESS = re.compile(r"[^@\s,;|]+@[^@\s,;|]+\.[^@\s,;|]+")


class Unreadable(Refused):
    """The file cannot be read from a row on; ``row`` counts from 1 and includes the header."""

    def __init__(self, message: str, row: int, **values: object) -> None:
        super().__init__(message)
        self.row = row
        self.values = {"row": row, **values}


@dataclass(frozen=True)
class Shape:
    """How a file is written.

    Args:
        columns: the names in its head, or numbers where it has none.
        sample: the first rows, cut short, for a page to show.
    """

    delimiter: str
    header: bool
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]


def look(path: Path) -> Shape:
    """Find out how a file is written.

    Raises:
        Refused: it is empty, packed, a table of another program, or no text.
        Unreadable: its first rows cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    _refuse_other_files(head)
    delimiter = _delimiter(head)
    first = []
    for row, _ in rows(path, delimiter):
        if any(cell.strip() for cell in row):
            first.append(row)
        if len(first) > 8:
            break
    if not first:
        raise Refused(mark("The file is empty."))
    if len(first[0]) > MOST_COLUMNS:
        raise Unreadable(mark("Row %(row)s: it has %(n)s columns, more than %(most)s."), 1, n=len(first[0]), most=MOST_COLUMNS)
    header = not any(_ADDRESS.fullmatch(cell.strip()) for cell in first[0])
    if header and len(first) == 1:
        raise Refused(mark("The file has a head and nobody in it."))
    columns = tuple(cell.strip()[:80] or str(index) for index, cell in enumerate(first[0], 1)) if header else tuple(str(n) for n in range(1, len(first[0]) + 1))
    sample = tuple(tuple(cell.strip()[:60] for cell in row[: len(columns)]) for row in first[1 if header else 0 :][:5])
    return Shape(delimiter, header, columns, sample)


def _refuse_other_files(head: bytes) -> None:
    if head.startswith(b"PK\x03\x04"):
        raise Refused(mark("This is a packed file or an Excel table. Unpack it, or save the table as CSV."))
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\xd0\xcf\x11\xe0")):
        raise Refused(mark("This is a packed file or an Excel table. Unpack it, or save the table as CSV."))
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Refused(mark("The file is empty."))
    if head.count(b"\0") > max(8, len(head) // 100):
        raise Refused(mark("This is no text file."))


def _delimiter(head: bytes) -> str:
    """The character that cuts most lines into the same number of cells, and finds an address among them."""
    lines = [line for line in decoded(head).lstrip("\ufeff").splitlines() if line.strip()][:50]
    best, most = ",", -1.0
    for delimiter in DELIMITERS:
        try:
            found = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        width = max({len(row) for row in found}, key=[len(row) for row in found].count, default=1)
        same = sum(len(row) == width for row in found) / max(len(found), 1)
        clean = any(_ADDRESS.fullmatch(cell.strip()) for row in found for cell in row)
        score = (same + clean) * (1 if width > 1 else 0.5) + min(width, 50) / 1000
        if score > most:
            best, most = delimiter, score
    return best


def decoded(line: bytes) -> str:
    """A line as text: UTF-8, or what Windows wrote before there was UTF-8."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


class _Lines:
    """The lines of a file; ``place`` is the number of bytes that were read."""

    def __init__(self, file: BinaryIO, place: int) -> None:
        self._file = file
        self.place = place
        self.since = 0  # lines since the last row ended
        self.row = 0
        file.seek(place)
        if place == 0 and file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)

    def __iter__(self) -> Iterator[str]:
        while block := self._file.read(SAMPLE):
            # To the end of its last line, which has a limit as well.
            lines = (block + self._file.readline(LONGEST_LINE)).splitlines(keepends=True)
            for line in lines:
                self.place += len(line)
                self.since += 1
                if self.since > MOST_LINES or len(line) >= LONGEST_LINE:
                    self._refuse(line)
                yield decoded(line)

    def _refuse(self, line: bytes) -> None:
        if len(line) >= LONGEST_LINE:
            raise Unreadable(mark("Row %(row)s: it is longer than a megabyte."), self.row + 1)
        raise Unreadable(mark("Row %(row)s: a quotation mark is out of place there, or never closed."), self.row + 1)


def rows(path: Path, delimiter: str, place: int = 0, row: int = 0) -> Iterator[tuple[list[str], int]]:
    """The rows of a file from a place on, each with the place behind it.

    Args:
        row: how many rows lie before the place.

    Raises:
        Unreadable: a line is too long, or a quotation mark is never closed.
    """
    csv.field_size_limit(LONGEST_LINE)
    with path.open("rb") as file:
        lines = _Lines(file, place)
        if place == 0:
            lines.place = file.tell()
        lines.row = row
        try:
            # Strict: a quotation mark that is out of place would otherwise swallow the people behind it without a word.
            for cells in csv.reader(lines, delimiter=delimiter, strict=True):
                lines.row += 1
                lines.since = 0
                yield cells, lines.place
        except csv.Error as error:
            raise Unreadable(mark("Row %(row)s: a quotation mark is out of place there, or never closed."), lines.row + 1) from error


def rewrite(path: Path, encoding: str) -> None:
    """Write a file anew as UTF-8, a piece at a time.

    Raises:
        Refused: it is not what its first bytes say.
    """
    fresh = path.with_suffix(".utf8")
    try:
        with path.open(encoding=encoding, newline="") as old, fresh.open("w", encoding="utf-8", newline="") as new:
            for piece in iter(lambda: old.read(SAMPLE), ""):
                new.write(piece)
    except UnicodeError as error:
        fresh.unlink(missing_ok=True)
        raise Refused(mark("This is no text file.")) from error
    fresh.replace(path)


def scan(path: Path, delimiter: str) -> int:
    """Read a file to its end without looking at what is in it; give back how many rows it has.

    Raises:
        Unreadable: it cannot be read to its end.
    """
    number = 0
    for _ in rows(path, delimiter):
        number += 1
    return number
