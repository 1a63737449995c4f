"""Files: written beside, then renamed, and only when they differ."""

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Artifact:
    """One file of the archive: its path below the root, and how to make its bytes."""

    path: str
    make: Callable[[], bytes]


@dataclass(frozen=True)
class Report:
    """What a build did."""

    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]
    seconds: float


def fingerprint(data: bytes) -> str:
    """A short name for some content."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def write(file: Path, data: bytes) -> None:
    """Write by a temporary file and a rename. Never opens an existing file: releases share them by hard link."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
