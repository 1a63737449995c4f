"""Beginning imports, and everything about them that is not the reading itself."""

import hashlib
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.imports import presets, reading
from newsletter.imports.models import Import, RefusedRow
from newsletter.imports.policy import mapping_of
from newsletter.settings import Settings

LEASE = timedelta(seconds=60)
KEEP = timedelta(days=30)


def folder(settings: Settings) -> Path:
    """Where uploaded files lie until they are done with."""
    place = settings.data_dir / "imports"
    place.mkdir(exist_ok=True, mode=0o700)
    return place


def file_of(settings: Settings, import_id: int) -> Path:
    """The file of one import."""
    return folder(settings) / f"{import_id}.csv"


def receive(session: Session, settings: Settings, *, publication_id: int, editor_id: int | None, stream: IO[bytes], file_name: str, now: datetime) -> Import:
    """Keep an uploaded file and find out how it is written.

    Raises:
        Refused: it is no table of text, or larger than a gigabyte. Nothing of it is kept.
    """
    fresh = folder(settings) / f"upload-{hashlib.sha256(f'{now}{file_name}'.encode()).hexdigest()[:16]}-{id(stream)}"
    try:
        with fresh.open("wb") as file:
            shutil.copyfileobj(_Limited(stream), file)
        shape = _shape(fresh)
        guessed = {str(index): meaning for index, meaning in presets.meanings(shape.columns).items()}
        preset = presets.recognise(shape.columns)
        job = Import(
            publication_id=publication_id, editor_id=editor_id, file_name=file_name.replace("\\", "/").rpartition("/")[2][:200] or "list.csv",
            sha256=_digest(fresh), size=fresh.stat().st_size, created_at=now,
            shape={"delimiter": shape.delimiter, "header": shape.header, "columns": list(shape.columns), "sample": [list(row) for row in shape.sample],
                   "preset": preset.name if preset else ""},
            mapping={"columns": guessed, "always": (preset.always if preset else "") or "active"},
        )  # fmt: skip
        session.add(job)
        session.flush()
        fresh.replace(file_of(settings, job.id))
    finally:
        fresh.unlink(missing_ok=True)
    return job


class _Limited:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, reading.LARGEST_FILE

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise Refused(mark("The file is larger than a gigabyte. Please split it."))
        return piece


def _shape(path: Path) -> reading.Shape:
    with path.open("rb") as file:
        head = file.read(2)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        reading.rewrite(path, "utf-16")
    return reading.look(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare(session: Session, job: Import, *, values: Mapping[str, Any], zone: str) -> None:
    """Say what the columns mean and why these people may be written to; then the file is looked through.

    Raises:
        Refused: no column has the addresses, or there is no basis (L1).
        Conflict: it is at work, or done.
    """
    basis = str(values.get("basis", "")).strip()
    if len(basis) < 10:
        raise Refused(mark("Please say in a sentence why these people may be written to. It becomes part of each consent."), field="basis")
    mapping_of(values["mapping"], zone)
    if job.state != "checking":
        job.become("checking")
    job.mapping, job.basis, job.evidence = dict(values["mapping"]), basis, str(values.get("evidence", "")).strip()
    job.tags = [tag for tag in (" ".join(one.split())[:60] for one in str(values.get("tags", "")).split(",")) if tag]
    job.update = bool(values.get("update", True))
    _from_the_top(session, job)


def start(session: Session, job: Import) -> None:
    """Take the people over.

    Raises:
        Conflict: it was not looked through yet.
    """
    job.become("running")
    _from_the_top(session, job)


def undo(session: Session, job: Import) -> None:
    """Take an import back; whoever has decided something herself since then stays.

    Raises:
        Conflict: there is nothing to take back.
    """
    job.become("undoing")
    session.flush()


def _from_the_top(session: Session, job: Import) -> None:
    job.place = job.rows = job.added = job.updated = job.unchanged = job.ended = job.refused = 0
    job.seconds, job.trouble, job.settled_at, job.lease_until = 0.0, "", None, None
    session.execute(delete(RefusedRow).where(RefusedRow.import_id == job.id))
    session.flush()


def claim(session: Session, import_id: int, *, now: datetime) -> Import | None:
    """Take an import to work on it; nothing when somebody else has it."""
    free = or_(Import.lease_until.is_(None), Import.lease_until <= now)
    result = session.execute(
        update(Import).where(Import.id == import_id, Import.state.in_(("checking", "running", "undoing")), free).values(lease_until=now + LEASE)
    )
    assert isinstance(result, CursorResult)
    return session.get(Import, import_id, populate_existing=True) if result.rowcount == 1 else None


def free_all(session: Session) -> None:
    """Nobody else can be at work: what a dead worker held is free."""
    session.execute(update(Import).where(Import.lease_until.is_not(None)).values(lease_until=None))


def forget_files(session: Session, settings: Settings, *, now: datetime) -> None:
    """Files and refused rows go after a month, and files of imports that are done at once: they are full of addresses (L5)."""
    done = {str(one) for one in session.scalars(select(Import.id).where(or_(Import.state.in_(("done", "undone")), Import.created_at < now - KEEP)))}
    for file in folder(settings).glob("*.csv"):
        if file.stem in done:
            file.unlink(missing_ok=True)
    old = select(Import.id).where(Import.created_at < now - KEEP)
    session.execute(delete(RefusedRow).where(RefusedRow.import_id.in_(old)).execution_options(synchronize_session=False))
