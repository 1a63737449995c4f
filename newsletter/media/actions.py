"""Keeping images."""

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.media.models import Image
from newsletter.media.policy import clean, crop, crop_name
from newsletter.rendering.merge import line


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
        crop=crop_name(name, 50, 50),
        created_at=now,
    )
    _write(folder / row.crop, crop(cleaned.data, 50, 50))
    session.add(row)
    session.flush()
    return row


def describe(session: Session, image: Image, *, folder: Path, alt: str, focus: tuple[int, int]) -> None:
    """Say what a picture shows, and which point of it a crop keeps in sight."""
    image.alt = line(alt, 300)
    image.focus_x, image.focus_y = (max(0, min(100, part)) for part in focus)
    name = crop_name(image.name, image.focus_x, image.focus_y)
    if image.crop != name and (folder / image.name).is_file():
        # The old part stays: a mail that has left shows it.
        _write(folder / name, crop((folder / image.name).read_bytes(), image.focus_x, image.focus_y))
        image.crop = name
    session.flush()


def throw_away(session: Session, image: Image, *, folder: Path) -> None:
    """Delete a picture and what was made of it. Whoever calls this has made sure that nothing shows it."""
    session.delete(image)
    session.flush()
    for file in folder.glob(f"{image.name.partition('.')[0]}*"):
        file.unlink(missing_ok=True)


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
