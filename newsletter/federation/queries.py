"""Reading followers, pings and mentions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive_site.visibility import Shown
from newsletter.errors import NotFound
from newsletter.federation.models import ActorKey, Follower, Mention, Ping
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.issues.policy import shown as shown_as
from newsletter.publications.models import Publication


def key(session: Session, publication_id: int) -> ActorKey | None:
    """The key of a publication, if anybody has asked for it yet."""
    return session.get(ActorKey, publication_id)


def listed(issues: Sequence[Issue], publication: Publication, now: datetime) -> list[Issue]:
    """Those of some issues that everybody may know of."""
    return [issue for issue in issues if shown_as(publication, issue, now) == Shown.LISTED]


def inboxes(session: Session, publication_id: int) -> list[str]:
    """Where followers are, each server once."""
    return list(session.scalars(select(Follower.inbox).where(Follower.publication_id == publication_id).distinct().order_by(Follower.inbox)))


def followers(session: Session, publication_id: int) -> int:
    """How many follow."""
    return session.scalar(select(func.count()).select_from(Follower).where(Follower.publication_id == publication_id)) or 0


def pings_due(session: Session, now: datetime) -> list[int]:
    """What should be said now."""
    return list(session.scalars(select(Ping.id).where(Ping.state == "queued", Ping.next_attempt_at <= now).order_by(Ping.next_attempt_at).limit(50)))


def mentions_due(session: Session, now: datetime) -> list[int]:
    """Mentions whose page should be looked at now."""
    return list(session.scalars(select(Mention.id).where(Mention.next_attempt_at <= now).order_by(Mention.next_attempt_at).limit(50)))


def mentions(session: Session, publication_id: int) -> Sequence[Mention]:
    """What there is to decide first, then the newest."""
    rows = session.scalars(select(Mention).where(Mention.publication_id == publication_id, Mention.state != "new").order_by(Mention.id.desc()).limit(200)).all()
    return sorted(rows, key=lambda row: row.state != "waiting")


def mention(session: Session, publication_id: int, mention_id: int) -> Mention:
    """One of them.

    Raises:
        NotFound: there is none of this publication.
    """
    row = session.get(Mention, mention_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("There is no such mention."))
    return row


def shown(session: Session, issue_id: int) -> Sequence[Mention]:
    """What stands below an issue, oldest first."""
    return session.scalars(select(Mention).where(Mention.issue_id == issue_id, Mention.state == "shown").order_by(Mention.id)).all()


def mentioned(session: Session, publication_id: int) -> set[int]:
    """The issues below which something stands."""
    return set(session.scalars(select(Mention.issue_id).where(Mention.publication_id == publication_id, Mention.state == "shown")))


def pings(session: Session, publication_id: int, limit: int = 20) -> Sequence[Ping]:
    """What was said last."""
    return session.scalars(select(Ping).where(Ping.publication_id == publication_id).order_by(Ping.id.desc()).limit(limit)).all()
