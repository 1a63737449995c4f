"""Reading issues and revisions."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue, Revision


def get(session: Session, publication_id: int, issue_id: int) -> Issue:
    """An issue of this publication.

    Raises:
        NotFound: there is none.
    """
    issue = session.get(Issue, issue_id)
    if issue is None or issue.publication_id != publication_id:
        raise NotFound(mark("There is no such issue."))
    return issue


def drafts(session: Session, publication_id: int) -> list[Issue]:
    """What is being written or waits for its hour, newest first."""
    query = select(Issue).where(Issue.publication_id == publication_id, Issue.state != "published", Issue.kind == "letter")
    return list(session.scalars(query.order_by(Issue.state.desc(), Issue.changed_at.desc())))


def published(session: Session, publication_id: int, limit: int | None = None, before: int | None = None) -> list[Issue]:
    """What went out, newest first, by keyset on the number."""
    query = select(Issue).where(Issue.publication_id == publication_id, Issue.state == "published", Issue.kind == "letter")
    if before is not None:
        query = query.where(Issue.number < before)
    return list(session.scalars(query.order_by(Issue.number.desc()).limit(limit)))


def next_number(session: Session, publication_id: int) -> int:
    """The number that the next issue gets."""
    return (session.scalar(select(func.max(Issue.number)).where(Issue.publication_id == publication_id)) or 0) + 1


def due(session: Session, now: datetime) -> list[int]:
    """Scheduled issues whose hour has come."""
    return list(session.scalars(select(Issue.id).where(Issue.state == "scheduled", Issue.scheduled_at <= now).limit(20)))


def revisions(session: Session, issue_id: int) -> list[Revision]:
    """What an issue said before, newest first."""
    return list(session.scalars(select(Revision).where(Revision.issue_id == issue_id).order_by(Revision.revision.desc()).limit(200)))


def revision(session: Session, issue_id: int, number: int) -> Revision:
    """One old version.

    Raises:
        NotFound: there is none.
    """
    found = session.scalar(select(Revision).where(Revision.issue_id == issue_id, Revision.revision == number))
    if found is None:
        raise NotFound(mark("There is no such version."))
    return found
