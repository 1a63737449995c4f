"""The file in which visits wait for the database."""

import errno
import fcntl
import json
import os
import uuid
import weakref
from collections.abc import Mapping
from datetime import date
from pathlib import Path

FOLDER = "visits"

# Link, day, kind.
Key = tuple[int, date, str]


class Journal:
    """A file of numbered lines that belongs to one process: as long as that lives, the file is locked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{uuid.uuid4().hex}.jsonl"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.close = weakref.finalize(self, os.close, self._file)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(self._file).st_nlink == 0:
            # Between making and locking it somebody took it for one that was left behind.
            raise FileNotFoundError(errno.ENOENT, "The file was cleared away.", str(self.path))
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)  # or a power cut takes the file itself, with everything in it
        finally:
            os.close(entry)
        self._number = self._size = 0

    @property
    def fact(self) -> str:
        return fact_of(self.path)

    def append(self, counts: Mapping[Key, int]) -> int:
        """Put counts on the disk; give back the number of their line.

        Raises:
            OSError: the disk does not take them; then nothing of them is in the file.
        """
        rows = [[link_id, day.isoformat(), kind, number] for (link_id, day, kind), number in counts.items()]
        line = json.dumps([self._number + 1, rows]).encode() + b"\n"
        try:
            if self._put(line) != len(line):
                raise OSError(errno.ENOSPC, "The disk is full.")
            os.fsync(self._file)
        except OSError:
            # Half a line would hide all that follow it.
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)
        self._number += 1
        return self._number

    def is_long(self) -> bool:
        return self._size > 1_000_000

    def _put(self, line: bytes) -> int:
        return os.write(self._file, line)


def fact_of(path: Path) -> str:
    """The fact under which the database says up to which line a file has been counted."""
    return f"visits:{path.stem}"
