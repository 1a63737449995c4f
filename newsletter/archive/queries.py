"""Reading builds and targets."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.accounts.queries import publications_of, role_of
from newsletter.archive.models import Build, Target, Touch
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue


class Touched(NamedTuple):
    """What the next build has to look at.

    Args:
        issues: None: everything.
        ids: the touches that say so. Not only the last one: transactions may commit in another order than they began.
    """

    issues: list[int] | None
    ids: list[int]


def touched(session: Session, publication_id: int) -> Touched:
    """What has changed since the last build."""
    rows = session.execute(select(Touch.id, Touch.issue_id).where(Touch.publication_id == publication_id).order_by(Touch.id)).all()
    everything = any(issue_id is None for _, issue_id in rows)
    return Touched(None if everything else sorted({issue_id for _, issue_id in rows if issue_id is not None}), [number for number, _ in rows])


def due(session: Session, now: datetime) -> list[int]:
    """Builds that should be made now; the newest of a publication stands for all of them."""
    return list(session.scalars(select(Build.id).where(Build.state == "queued", Build.next_attempt_at <= now).order_by(Build.id).limit(20)))


def latest(session: Session, publication_id: int) -> Build | None:
    """The last build of a publication that is not only an appointment."""
    appointment = (Build.state == "queued") & (Build.attempts == 0) & (Build.next_attempt_at > Build.requested_at)
    return session.scalar(select(Build).where(Build.publication_id == publication_id, ~appointment).order_by(Build.id.desc()).limit(1))


def not_announced(session: Session, publication_id: int) -> Sequence[Issue]:
    """Issues that went out and of which other servers know nothing yet, oldest first."""
    query = select(Issue).where(Issue.publication_id == publication_id, Issue.state == "published", Issue.kind == "letter", Issue.announced_at.is_(None))
    return session.scalars(query.order_by(Issue.id)).all()


def targets(session: Session, publication_id: int) -> Sequence[Target]:
    """The places where an archive is published, oldest first."""
    return session.scalars(select(Target).where(Target.publication_id == publication_id).order_by(Target.id)).all()


def target(session: Session, publication_id: int, target_id: int) -> Target:
    """One of them.

    Raises:
        NotFound: there is none of this publication.
    """
    row = session.get(Target, target_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("There is no such target."))
    return row


def targets_due(session: Session, now: datetime) -> list[int]:
    """Targets that should be brought up to date or checked now."""
    return list(session.scalars(select(Target.id).where(Target.state == "active", Target.next_attempt_at <= now).order_by(Target.next_attempt_at).limit(20)))


def partners(session: Session, issue: Issue, editor_id: int) -> Sequence[Issue]:
    """Issues that may be the same one in another language: those of every publication in which an editor writes, newest first (P4)."""
    mine = [one.id for one in publications_of(session, editor_id) if role_of(session, editor_id, one.id) != "viewer"]
    query = select(Issue).where(Issue.state == "published", Issue.id != issue.id, Issue.publication_id.in_(mine))
    return session.scalars(query.order_by(Issue.published_at.desc()).limit(300)).all()
