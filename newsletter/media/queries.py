"""Reading images."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from archive_site.pictures import widths
from newsletter.errors import NotFound
from newsletter.i18n import mark
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


def get(session: Session, publication_id: int, image_id: int) -> Image:
    """One image.

    Raises:
        NotFound: this publication has none.
    """
    image = session.get(Image, image_id)
    if image is None or image.publication_id != publication_id:
        raise NotFound(mark("There is no such picture."))
    return image


def search(
    session: Session, publication_id: int, *, words: str = "", before: int | None = None, limit: int, without: set[str] | None = None
) -> Sequence[Image]:
    """Images by the name of their file or by what they show, newest first, by keyset.

    Args:
        without: names of images that are left out.
    """
    query = select(Image).where(Image.publication_id == publication_id)
    for word in words.split()[:5]:
        query = query.where(or_(Image.original.icontains(word, autoescape=True), Image.alt.icontains(word, autoescape=True)))
    if before is not None:
        query = query.where(Image.id < before)
    query = query.order_by(Image.id.desc())
    if without is None:
        return session.scalars(query.limit(limit)).all()
    return list(islice((image for image in session.scalars(query) if image.name not in without), limit))


def number_of(session: Session, publication_id: int) -> int:
    """How many images a publication has."""
    return session.scalar(select(func.count()).select_from(Image).where(Image.publication_id == publication_id)) or 0


def crops(session: Session, publication_id: int, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The part for cards and the description of some images, by name."""
    rows = session.execute(select(Image.name, Image.crop, Image.alt).where(Image.publication_id == publication_id, Image.name.in_(names)))
    return {name: (crop or name, alt) for name, crop, alt in rows}


def widths_of(image: Image) -> list[int]:
    """The widths in which the archive offers an image, as AVIF and WebP."""
    return widths(image.width)


def images_of(session: Session, publication_id: int) -> Sequence[Image]:
    """The latest images of a publication, newest first."""
    return session.scalars(select(Image).where(Image.publication_id == publication_id).order_by(Image.id.desc()).limit(100)).all()
