"""Reading imports."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.imports.models import Import, RefusedRow

PAGE = 100
AT_WORK = ("checking", "running", "undoing")


def all_of(session: Session, publication_id: int) -> Sequence[Import]:
    """The imports of a publication, newest first."""
    return session.scalars(select(Import).where(Import.publication_id == publication_id).order_by(Import.id.desc()).limit(50)).all()


def get(session: Session, publication_id: int, import_id: int) -> Import:
    """One of them.

    Raises:
        NotFound: there is none, or it is another publication's.
    """
    row = session.get(Import, import_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("There is no such import."))
    return row


def refused(session: Session, import_id: int, after: int = 0) -> Sequence[RefusedRow]:
    """Rows that were not taken, in the order of the file: at most PAGE + 1."""
    query = select(RefusedRow).where(RefusedRow.import_id == import_id, RefusedRow.row > after)
    return session.scalars(query.order_by(RefusedRow.row).limit(PAGE + 1)).all()


def reasons(session: Session, import_id: int) -> list[tuple[str, int]]:
    """Why rows were not taken, and how many for each reason, most first."""
    query = select(RefusedRow.reason, func.count()).where(RefusedRow.import_id == import_id).group_by(RefusedRow.reason)
    return [(row[0], row[1]) for row in session.execute(query.order_by(func.count().desc()))]


def due(session: Session, now: datetime) -> list[int]:
    """Imports that somebody should be working on and nobody is."""
    free = or_(Import.lease_until.is_(None), Import.lease_until <= now)
    return list(session.scalars(select(Import.id).where(Import.state.in_(AT_WORK), free).order_by(Import.id)))
