"""Reading the quarantine."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.shield.models import Held

PAGE = 50


def waiting(session: Session, publication_id: int, before: int | None = None) -> Sequence[Held]:
    """Sign-ups in quarantine, newest first, by keyset: at most PAGE + 1."""
    query = select(Held).where(Held.publication_id == publication_id)
    query = query if before is None else query.where(Held.id < before)
    return session.scalars(query.order_by(Held.id.desc()).limit(PAGE + 1)).all()


def number_waiting(session: Session, publication_id: int) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(Held).where(Held.publication_id == publication_id)) or 0


def get(session: Session, publication_id: int, held_id: int) -> Held:
    """One of them.

    Raises:
        NotFound: it was decided on already, or is another publication's.
    """
    held = session.get(Held, held_id)
    if held is None or held.publication_id != publication_id:
        raise NotFound(mark("This sign-up does not wait any more."))
    return held
