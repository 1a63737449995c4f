"""Reading publications."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.publications.models import Publication


def by_slug(session: Session, slug: str) -> Publication:
    """The publication.

    Raises:
        NotFound: there is none.
    """
    found = session.scalar(select(Publication).where(Publication.slug == slug))
    if found is None:
        raise NotFound(mark("There is no publication called “%(slug)s”."), slug=slug)
    return found


def get(session: Session, publication_id: int) -> Publication:
    """The publication with this id, which a foreign key promises."""
    return session.get_one(Publication, publication_id)


def everything(session: Session) -> list[Publication]:
    """All publications, by name."""
    return list(session.scalars(select(Publication).order_by(Publication.name)))
