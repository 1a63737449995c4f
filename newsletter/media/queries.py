"""Reading images."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.media.models import Image
from newsletter.rendering.checks import Picture
from newsletter.settings import Settings


def folder(settings: Settings) -> Path:
    """Where the bytes of images lie."""
    return settings.data_dir / "media"


def pictures(session: Session, publication_id: int) -> dict[str, Picture]:
    """What rendering needs to know about the images of a publication."""
    rows = session.execute(select(Image.name, Image.width, Image.height).where(Image.publication_id == publication_id))
    return {name: Picture(width, height) for name, width, height in rows}


def images_of(session: Session, publication_id: int) -> Sequence[Image]:
    """The latest images of a publication, newest first."""
    return session.scalars(select(Image).where(Image.publication_id == publication_id).order_by(Image.id.desc()).limit(100)).all()
