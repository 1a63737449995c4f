"""Files: written beside, then renamed."""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """Something that a build found wrong. The rest was built.

    Args:
        where: a file or a letter.
        serious: whether something is missing or wrong for readers, and not only unfortunate.
    """

    where: str
    what: str
    serious: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Report:
    """What a build did."""

    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]
    seconds: float
    problems: tuple[Problem, ...] = field(default_factory=tuple)


def fingerprint(data: bytes) -> str:
    """What the manifest says of a file."""
    return hashlib.sha256(data).hexdigest()


def write(file: Path, data: bytes, *, lasting: bool = True) -> None:
    """Write by a temporary file and a rename. Never opens an existing file: releases share them by hard link.

    Args:
        lasting: force it to the disk.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            if lasting:
                os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
