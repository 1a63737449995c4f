"""Connecting outlets; preparing, letting go, cancelling and settling announcements."""

import secrets
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.announcements import policy
from newsletter.announcements.models import Announcement, Outlet
from newsletter.channels import queries
from newsletter.channels.actions import add_link
from newsletter.channels.catalogue import usual
from newsletter.channels.models import Channel, Link
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.notices.actions import tell_owners
from newsletter.publications.models import Publication
from newsletter.rendering.merge import paragraphs

LONGEST_TEXT = 10_000


def announce(session: Session, links: Links, publication: Publication, *, issue: Issue, now: datetime) -> list[int]:
    """Prepare a post on every channel where one is possible, each with a link of its own; give back those that are due.

    Asked twice, it adds nothing. What is a month old is no news.
    """
    if issue.published_at is None or now - issue.published_at > policy.NEWS_FOR:
        return []
    news = policy.News(issue.subject.strip(), issue.preheader.strip(), publication.name, publication.promise, issue.language or publication.language)
    known = set(session.scalars(select(Announcement.channel_id).where(Announcement.issue_id == issue.id)))
    found = []
    for channel, outlet in _places(session, publication.id):
        if channel.id not in known:
            label = f"{issue.subject.strip()[:100]} ({channel.name})"
            code = add_link(session, channel_id=channel.id, label=label, path=f"{issue.slug}/", now=now)
            row = _prepare(session, links, channel, outlet, news, code, now)
            row.issue_id, row.image = issue.id, issue.cover or "card"
            if outlet is not None and outlet.automatic:
                row.state, row.next_attempt_at = "queued", now
                found.append(row)
            elif outlet is None:
                row.state = "todo"
    session.flush()
    return [row.id for row in found]


def prepare_emergency(session: Session, links: Links, publication: Publication, *, drill_id: int, news: policy.News, without: set[int], now: datetime) -> int:
    """Posts about an outage on every channel that still works, ready for somebody to let them go; give back how many."""
    known = set(session.scalars(select(Announcement.channel_id).where(Announcement.drill_id == drill_id)))
    number = 0
    for channel, outlet in _places(session, publication.id):
        if channel.id not in without | known:
            code = add_link(session, channel_id=channel.id, label=f"{news.title[:100]} ({channel.name})", now=now)
            _prepare(session, links, channel, outlet, news, code, now).drill_id = drill_id
            number += 1
    session.flush()
    return number


def _places(session: Session, publication_id: int) -> list[tuple[Channel, Outlet | None]]:
    rows = session.execute(
        select(Channel, Outlet)
        .outerjoin(Outlet, (Outlet.channel_id == Channel.id) & (Outlet.state == "active"))
        .where(Channel.publication_id == publication_id, Channel.ended_at.is_(None))
        .order_by(Channel.id)
    )
    known = queries.figures(session, publication_id)
    return [(row[0], row[1]) for row in rows if usual(row[0].kind).post and (row[1] or queries.is_at_home(row[0], known))]


def _prepare(session: Session, links: Links, channel: Channel, outlet: Outlet | None, news: policy.News, code: str, now: datetime) -> Announcement:
    link_id = session.scalar(select(Link.id).where(Link.code == code))
    text = policy.words(channel.kind, news, links.short(code), outlet.facts if outlet else None)
    row = Announcement(
        publication_id=channel.publication_id, channel_id=channel.id, outlet_id=outlet.id if outlet else None, link_id=link_id,
        way=outlet.kind if outlet else "hand", state="ready", text=text, key=secrets.token_hex(16), created_at=now,
    )  # fmt: skip
    session.add(row)
    return row


def change_text(session: Session, row: Announcement, text: str) -> None:
    """Write another text. The link has to stay in it, or nobody would know what the post brought.

    Raises:
        Refused: it is empty or too long. Conflict: it is out already.
    """
    if row.state not in ("ready", "todo", "failed", "cancelled") or row.handed_at is not None:
        raise Conflict(mark("This post is on its way already."))
    text = paragraphs(text, LONGEST_TEXT + 1)
    if not text or len(text) > LONGEST_TEXT:
        raise Refused(mark("A post needs a text."), field="text")
    row.text = text
    session.flush()


def release(session: Session, row: Announcement, *, now: datetime) -> None:
    """Let a post go, or try again what failed.

    Raises:
        Conflict: it is out, or on its way.
    """
    if row.state in ("done", "posted"):
        raise Conflict(mark("This post is on its way already."))
    if row.way == "hand":
        row.become("todo")
    else:
        row.become("queued")
        row.next_attempt_at, row.attempts, row.problem = now, 0, ""
    session.flush()


def cancel(session: Session, row: Announcement, *, now: datetime) -> None:
    """It is not posted.

    Raises:
        Conflict: a server may have it already.
    """
    if row.state == "queued" and row.handed_at is not None:
        raise Conflict(mark("A server may have this post already. Delete it there, if it appears."))
    row.become("cancelled")
    row.next_attempt_at, row.settled_at = None, now
    session.flush()


def settle_by_hand(session: Session, row: Announcement, *, done: bool, now: datetime) -> None:
    """Somebody has posted it herself, or takes that back.

    Raises:
        Conflict: it was not hers to post.
    """
    row.become("done" if done else "todo")
    row.settled_at = now if done else None
    session.flush()


def claim(session: Session, announcement_id: int, *, now: datetime) -> bool | None:
    """Take a post into one's hands. None: somebody else has it, or it is settled; otherwise whether a server may have it already."""
    row = session.get(Announcement, announcement_id, populate_existing=True)
    if row is None:
        return None
    before = row.handed_at is not None
    won = session.execute(
        update(Announcement)
        .where(Announcement.id == announcement_id, Announcement.state == "queued", Announcement.next_attempt_at <= now)
        .values(next_attempt_at=now + policy.LEASE, attempts=Announcement.attempts + 1, handed_at=now)
    )
    assert isinstance(won, CursorResult)
    return before if won.rowcount == 1 else None


def posted(session: Session, announcement_id: int, found: policy.Posted, *, now: datetime) -> None:
    """It is there."""
    row = session.get_one(Announcement, announcement_id, populate_existing=True)
    row.state, row.remote, row.address, row.problem = "posted", found.remote, found.address, ""
    row.settled_at, row.next_attempt_at = now, None


def put_off(session: Session, announcement_id: int, error: policy.Later, *, sure: bool, now: datetime) -> None:
    """The server cannot take it now.

    Args:
        sure: no earlier try left anything there.
    """
    row = session.get_one(Announcement, announcement_id, populate_existing=True)
    wait = policy.pause(row.attempts)
    row.problem = str(error)[:500]
    row.handed_at = None if sure and error.nothing else row.handed_at
    if wait is None:
        row.state, row.next_attempt_at = "failed", None
    else:
        row.next_attempt_at = now + max(wait, error.wait or wait)


def refuse(session: Session, announcement_id: int, error: policy.Rejected, *, sure: bool, now: datetime) -> None:
    """The server will not take it. If it does not know the account any more, its owner has to connect it again.

    Args:
        sure: nothing of it is there; then it may be changed and cancelled again.
    """
    row = session.get_one(Announcement, announcement_id, populate_existing=True)
    row.state, row.problem, row.next_attempt_at, row.settled_at = "failed", str(error)[:500], None, now
    row.handed_at = None if sure else row.handed_at
    outlet = session.get(Outlet, row.outlet_id) if row.outlet_id else None
    if error.account and outlet is not None:
        outlet.state, outlet.problem = "refused", str(error)[:500]


def remind(session: Session, links: Links, *, now: datetime) -> int:
    """Tell owners of posts that wait for a person: after a day, then every week. Gives back how many mails were queued."""
    waits = select(Announcement).where(
        Announcement.state == "todo",
        or_(Announcement.reminded_at.is_(None) & (Announcement.created_at <= now - policy.REMIND_AFTER), Announcement.reminded_at <= now - policy.REMIND_AGAIN),
    )
    found: dict[int, list[Announcement]] = {}
    for row in session.scalars(waits.order_by(Announcement.id).limit(200)):
        found.setdefault(row.publication_id, []).append(row)
    mails = 0
    for publication_id, rows in found.items():
        publication = session.get_one(Publication, publication_id)
        names = [session.get_one(Channel, row.channel_id).name for row in rows]
        mails += tell_owners(session, publication, "todo", now=now, names=list(dict.fromkeys(names)), link=f"{links.reach(publication.slug)}/announcements")
        for row in rows:
            row.reminded_at = now
    session.flush()
    return mails
