"""Reading drills."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.drills.models import Drill
from newsletter.errors import NotFound
from newsletter.i18n import mark


def get(session: Session, publication_id: int, drill_id: int) -> Drill:
    """One of them.

    Raises:
        NotFound: there is none of this publication.
    """
    row = session.get(Drill, drill_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("There is no such drill."))
    return row


def open_one(session: Session, publication_id: int) -> Drill | None:
    """The drill that has begun and has not ended."""
    query = select(Drill).where(Drill.publication_id == publication_id, Drill.state == "open")
    return session.scalar(query.order_by(Drill.id.desc()).limit(1))


def past(session: Session, publication_id: int, limit: int = 40) -> Sequence[Drill]:
    """The drills that were done, newest first."""
    query = select(Drill).where(Drill.publication_id == publication_id, Drill.state == "closed")
    return session.scalars(query.order_by(Drill.begun_at.desc()).limit(limit)).all()


def last(session: Session, publication_id: int) -> datetime | None:
    """When the last one was done."""
    query = select(Drill.closed_at).where(Drill.publication_id == publication_id, Drill.state == "closed")
    return session.scalar(query.order_by(Drill.closed_at.desc()).limit(1))
