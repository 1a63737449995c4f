"""A file as chunks of rows that are checked and ready to be written.

Checking costs as much as writing. A large file is read in a process of its own, a few chunks ahead of the one that
writes; plain tuples travel between them, by marshal, because nothing else is as quick.
"""

import gc
import marshal
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from newsletter.imports.policy import Columns, Reader, Row, RowRefused
from newsletter.imports.reading import Unreadable, rows

CHUNK = 10_000
WORTH_TWO = 4 * 1024 * 1024


class Chunk(NamedTuple):
    """Some rows, those that cannot be taken (number, address, reason), and the place in the file behind them."""

    rows: list[Row]
    refused: list[tuple[int, str, str]]
    read: int
    place: int


def chunks(path: Path, columns: Columns, delimiter: str, header: bool, *, place: int = 0, read: int = 0) -> Iterator[Chunk]:
    """The rows of a file from a place on.

    Args:
        read: how many people were read before the place.

    Raises:
        Unreadable: the file cannot be read on.
    """
    if path.stat().st_size - place < WORTH_TWO:
        yield from _here(path, columns, delimiter, header, place, read)
        return
    ours, theirs = get_context("spawn").Pipe(duplex=False)
    helper = get_context("spawn").Process(target=_elsewhere, args=(theirs, path, columns, delimiter, header, place, read), daemon=True)
    helper.start()
    theirs.close()
    try:
        while (piece := _next(ours)) is not None:
            yield Chunk([Row._make(row) for row in piece[0]], *piece[1:])
    finally:
        ours.close()
        helper.terminate()
        helper.join()


def _next(pipe: Connection) -> tuple[list[tuple[object, ...]], list[tuple[int, str, str]], int, int] | None:
    found = marshal.loads(pipe.recv_bytes())  # noqa: S302 -- it comes from our own process
    if found and found[0] == "unreadable":
        raise Unreadable(found[1], found[2], **{name: value for name, value in found[3].items() if name != "row"})
    return found or None


def _elsewhere(pipe: Connection, path: Path, columns: Columns, delimiter: str, header: bool, place: int, read: int) -> None:
    gc.disable()  # a million rows and not one cycle
    try:
        for chunk in _here(path, columns, delimiter, header, place, read):
            pipe.send_bytes(marshal.dumps(([tuple(row) for row in chunk.rows], *chunk[1:])))
        pipe.send_bytes(marshal.dumps(()))
    except Unreadable as error:
        pipe.send_bytes(marshal.dumps(("unreadable", error.message, error.row, {name: str(value) for name, value in error.values.items()})))
    except (BrokenPipeError, ConnectionResetError):
        return  # whoever wrote has stopped


def _here(path: Path, columns: Columns, delimiter: str, header: bool, place: int, read: int) -> Iterator[Chunk]:
    take = Reader(columns).read
    head = int(header)
    number = read + head
    found: list[Row] = []
    refused: list[tuple[int, str, str]] = []
    seen = 0
    lines = rows(path, delimiter, place, number if place else 0)
    if head and not place:
        next(lines, None)
    behind = place
    for cells, behind in lines:
        seen += 1
        try:
            found.append(take(number + seen, cells))
        except RowRefused as error:
            if any(cells):
                refused.append((number + seen, error.email, error.reason))
        if seen >= CHUNK:
            yield Chunk(found, refused, seen, behind)
            number, seen, found, refused = number + seen, 0, [], []
    if seen:
        yield Chunk(found, refused, seen, behind)
