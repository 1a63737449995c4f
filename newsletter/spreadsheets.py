"""CSV that no spreadsheet takes for a program (C8)."""

import csv
import io
from collections.abc import Iterable

# Excel and LibreOffice evaluate what begins with these, the full-width ones included.
DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula. :func:`plain` undoes it, so what was exported can be imported."""
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell


def plain(cell: str) -> str:
    """The reverse of :func:`safe`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(DANGEROUS) else cell


def line(cells: Iterable[str]) -> str:
    """One line of a file, every cell safe."""
    stream = io.StringIO()
    csv.writer(stream).writerow([safe(cell) for cell in cells])
    return stream.getvalue()
