"""Who was forgotten, written down outside the database: a backup that is put back must not bring anybody back (L5)."""

import contextlib
import logging
import os
from pathlib import Path

from newsletter.people.actions import erase_by_fingerprints
from newsletter.process import Process

log = logging.getLogger(__name__)


def note(process: Process, publication_id: int, fingerprint: str) -> None:
    """Remember that somebody was forgotten; only a keyed hash of the address is written."""
    with _file(process).open("a", encoding="ascii") as stream:
        stream.write(f"{publication_id} {fingerprint}\n")
        stream.flush()
        os.fsync(stream.fileno())


def replay(process: Process) -> int:
    """Forget everybody again who was forgotten after the copy was made. Gives back how many."""
    wanted: set[tuple[int, str]] = set()
    with contextlib.suppress(FileNotFoundError):
        for line in _file(process).read_text("ascii").splitlines():
            publication_id, _, fingerprint = line.partition(" ")
            # A line that a full disk cut off names nobody.
            if publication_id.isdigit() and len(fingerprint) == 64:
                wanted.add((int(publication_id), fingerprint))
    if not wanted:
        return 0
    with process.writing() as session:
        found = erase_by_fingerprints(session, process.tokens, wanted, years=process.settings.proof_years, now=process.clock())
    if found:
        log.warning("%s people who had been forgotten were in the older copy of the database, and are forgotten again", found)
    return found


def _file(process: Process) -> Path:
    return process.settings.data_dir / "erased"
