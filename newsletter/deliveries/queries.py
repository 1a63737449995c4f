"""Reading mailings and the ledger."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from newsletter.deliveries.models import DELIVERY_STATES, OPEN_STATES, Attempt, Delivery, Mailing
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.subscriptions.models import Subscriber

PAGE = 50


@dataclass(frozen=True)
class Progress:
    """How far a mailing is."""

    counts: dict[str, int]
    rate: float
    seconds_left: float | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        return sum(self.counts[state] for state in OPEN_STATES)


def get(session: Session, mailing_id: int, publication_id: int | None = None) -> Mailing:
    """A mailing, of this publication if one is named.

    Raises:
        NotFound: there is none.
    """
    mailing = session.get(Mailing, mailing_id)
    if mailing is None or (publication_id is not None and mailing.publication_id != publication_id):
        raise NotFound(mark("There is no such mailing."))
    return mailing


def of_issue(session: Session, issue_id: int) -> Mailing | None:
    """The mailing of an issue."""
    return session.scalar(select(Mailing).where(Mailing.issue_id == issue_id))


def counts(session: Session, mailing_id: int) -> dict[str, int]:
    """Deliveries by state, every state named (I1)."""
    rows = session.execute(select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id).group_by(Delivery.state))
    return dict.fromkeys(DELIVERY_STATES, 0) | {row[0]: row[1] for row in rows}


def progress(session: Session, mailing: Mailing, now: datetime) -> Progress:
    """Counts, mails a second so far, and seconds that are left at that rate."""
    numbers = counts(session, mailing.id)
    first, last = session.execute(
        select(func.min(Attempt.at), func.max(Attempt.at)).join(Delivery, Delivery.id == Attempt.delivery_id).where(Delivery.mailing_id == mailing.id)
    ).one()
    settled = sum(numbers[state] for state in ("accepted", "refused", "uncertain"))
    end = now if mailing.state == "sending" else last
    spent = (end - first).total_seconds() if first and end else 0.0
    rate = settled / spent if spent > 0.5 else 0.0
    waiting = numbers["planned"] + numbers["claimed"] + numbers["handing_over"]
    return Progress(numbers, round(rate, 2), waiting / rate if rate else None)


def latest(session: Session, publication_id: int) -> tuple[Mailing, Issue] | None:
    """The last mailing of a publication with its issue."""
    row = session.execute(
        select(Mailing, Issue).join(Issue, Issue.id == Mailing.issue_id).where(Mailing.publication_id == publication_id).order_by(Mailing.id.desc()).limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def rows_in(session: Session, mailing_id: int, state: str, after: int = 0) -> list[tuple[Delivery, Subscriber | None]]:
    """One page of the ledger, by keyset; at most PAGE + 1 rows."""
    rows = session.execute(
        select(Delivery, Subscriber)
        .outerjoin(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state == state, Delivery.id > after)
        .order_by(Delivery.id)
        .limit(PAGE + 1)
    )
    return [(row[0], row[1]) for row in rows]


def history(session: Session, subscriber_id: int, publication_id: int) -> list[tuple[Delivery, Mailing, Issue]]:
    """What one person was sent, newest first."""
    rows = session.execute(
        select(Delivery, Mailing, Issue)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(Delivery.subscriber_id == subscriber_id, Mailing.publication_id == publication_id)
        .order_by(Delivery.id.desc())
        .limit(500)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def in_undo(session: Session, now: datetime) -> list[int]:
    """Mailings whose undo window is over."""
    return list(session.scalars(select(Mailing.id).where(Mailing.state == "preparing", Mailing.undo_until <= now)))


def sendable(session: Session, now: datetime) -> list[int]:
    """Mailings that have something to hand over now."""
    ready = exists().where(Delivery.mailing_id == Mailing.id, Delivery.state.in_(("planned", "deferred")), Delivery.next_attempt_at <= now)
    return list(session.scalars(select(Mailing.id).where(Mailing.state == "sending", Mailing.next_attempt_at <= now, ready)))


def finishable(session: Session) -> list[int]:
    """Mailings that are sending with nothing left to send (I10)."""
    still = exists().where(Delivery.mailing_id == Mailing.id, Delivery.state.in_(OPEN_STATES))
    return list(session.scalars(select(Mailing.id).where(Mailing.state == "sending", ~still)))


def abandoned(session: Session, now: datetime) -> bool:
    """Whether somebody holds a lease that is over."""
    query = select(Delivery.id).where(Delivery.state.in_(("claimed", "handing_over")), Delivery.lease_until <= now).limit(1)
    return session.scalar(query) is not None
