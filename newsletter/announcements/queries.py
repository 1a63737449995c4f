"""Reading outlets and announcements, and what each of them brought."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from newsletter.announcements.models import IS_QUEUED, Announcement, Outlet
from newsletter.channels.models import Channel, Link, Visit
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.subscriptions.models import Subscription


class Row(NamedTuple):
    """An announcement with everything that a page says of it.

    ``visits`` and ``joined`` are the return path: who followed its link, and who signed up and confirmed by it.
    """

    announcement: Announcement
    channel: Channel
    issue: Issue | None
    link: Link | None
    visits: int
    joined: int


def due(session: Session, now: datetime) -> list[int]:
    """What should be posted now."""
    query = select(Announcement.id).where(IS_QUEUED, Announcement.next_attempt_at <= now)
    return list(session.scalars(query.order_by(Announcement.next_attempt_at).limit(20)))


def latest(session: Session, publication_id: int, limit: int = 60) -> list[Row]:
    """The last announcements of issues, newest issue first."""
    return _rows(session, (Announcement.publication_id == publication_id) & Announcement.issue_id.is_not(None), limit)


def of_drill(session: Session, drill_id: int) -> list[Row]:
    """The posts that were prepared in a drill."""
    return _rows(session, Announcement.drill_id == drill_id, 200)


def _rows(session: Session, where: ColumnElement[bool], limit: int) -> list[Row]:
    query = (
        select(Announcement, Channel, Issue, Link)
        .join(Channel, Channel.id == Announcement.channel_id)
        .outerjoin(Issue, Issue.id == Announcement.issue_id)
        .outerjoin(Link, Link.id == Announcement.link_id)
        .where(where)
        .order_by(Issue.number.desc(), Announcement.id)
        .limit(limit)
    )
    rows = session.execute(query).all()
    ids = [row[3].id for row in rows if row[3] is not None]
    visits = select(Visit.link_id, func.sum(Visit.number)).where(Visit.link_id.in_(ids), Visit.kind == "person").group_by(Visit.link_id)
    joined = select(Subscription.link_id, func.count()).where(Subscription.link_id.in_(ids), Subscription.confirmed_at.is_not(None))
    seen = {row[0]: int(row[1]) for row in session.execute(visits)}
    came = {row[0]: int(row[1]) for row in session.execute(joined.group_by(Subscription.link_id))}
    return [Row(*row, seen.get(row[3].id, 0) if row[3] else 0, came.get(row[3].id, 0) if row[3] else 0) for row in rows]


def of_issue(session: Session, issue_id: int) -> list[tuple[int, int]]:
    """What the posts about an issue brought: visits of people and sign-ups, a pair for each."""
    return [(row.visits, row.joined) for row in _rows(session, Announcement.issue_id == issue_id, 60)]


def get(session: Session, publication_id: int, announcement_id: int) -> Announcement:
    """One of them.

    Raises:
        NotFound: there is none of this publication.
    """
    row = session.get(Announcement, announcement_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("There is no such announcement."))
    return row


def outlets(session: Session, publication_id: int) -> dict[int, Outlet]:
    """The accounts of a publication, by channel."""
    return {row.channel_id: row for row in session.scalars(select(Outlet).where(Outlet.publication_id == publication_id))}


def outlet(session: Session, publication_id: int, channel_id: int) -> Outlet:
    """The account of a channel.

    Raises:
        NotFound: there is none.
    """
    row = session.scalar(select(Outlet).where(Outlet.publication_id == publication_id, Outlet.channel_id == channel_id))
    if row is None:
        raise NotFound(mark("This channel is not connected."))
    return row


def waiting(session: Session, publication_id: int) -> Sequence[tuple[Announcement, Channel]]:
    """What a person has to post herself."""
    query = select(Announcement, Channel).join(Channel, Channel.id == Announcement.channel_id)
    rows = session.execute(query.where(Announcement.publication_id == publication_id, Announcement.state == "todo").order_by(Announcement.id))
    return [(row[0], row[1]) for row in rows]
