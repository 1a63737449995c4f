"""Keeping images."""

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.media.models import Image
from newsletter.media.policy import clean


def add_image(session: Session, *, folder: Path, publication_id: int, data: bytes, original: str, now: datetime) -> Image:
    """Keep an uploaded image; give back its row. The same image is kept once.

    Raises:
        Refused: it is no image, or too large.
    """
    cleaned = clean(data)
    sha256 = hashlib.sha256(cleaned.data).hexdigest()
    known = session.scalar(select(Image).where(Image.publication_id == publication_id, Image.sha256 == sha256))
    if known is not None and (folder / known.name).exists():
        return known
    name = f"{secrets.token_hex(8)}.{cleaned.extension}"
    _write(folder / name, cleaned.data)
    row = Image(
        publication_id=publication_id,
        name=name,
        original=Path(original.replace("\\", "/")).name[:200],
        width=cleaned.width,
        height=cleaned.height,
        size=len(cleaned.data),
        sha256=sha256,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
