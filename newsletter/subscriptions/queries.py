"""Reading subscribers, subscriptions and consents."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from newsletter.channels.models import Channel
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.subscriptions.models import Confirmation, Consent, Form, LeaveLink, Subscriber, Subscription
from newsletter.tokens import digest, digest_from

PAGE = 50

Question = tuple[Confirmation, Subscription, Subscriber]


@dataclass(frozen=True)
class Reader:
    """A row of the list of people."""

    subscription: Subscription
    subscriber: Subscriber
    channel: Channel | None


def first_form(session: Session, publication_id: int) -> Form | None:
    """The form that the hosted page shows."""
    return session.scalar(select(Form).where(Form.publication_id == publication_id).order_by(Form.id).limit(1))


def counts(session: Session, publication_id: int) -> dict[str, int]:
    """How many subscriptions are in each state."""
    rows = session.execute(select(Subscription.state, func.count()).where(Subscription.publication_id == publication_id).group_by(Subscription.state))
    return {"pending": 0, "active": 0, "paused": 0, "unsubscribed": 0} | {row[0]: row[1] for row in rows}


def page_of(
    session: Session, publication_id: int, *, state: str = "", text: str = "", channel_id: int | None = None, before: int | None = None
) -> list[Reader]:
    """One page of people, newest first, by keyset: at most PAGE + 1 rows, so that one sees whether there are more."""
    query = _readers(publication_id)
    if state:
        query = query.where(Subscription.state == state)
    if channel_id:
        query = query.where(Subscription.channel_id == channel_id)
    if text.strip():
        # LIKE's own wildcards are escaped: somebody who searches for 100% means 100%.
        pattern = "%" + text.strip().casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(or_(Subscriber.canonical.like(pattern, escape="\\"), func.lower(Subscriber.name).like(pattern, escape="\\")))
    if before:
        query = query.where(Subscription.id < before)
    rows = session.execute(query.order_by(Subscription.id.desc()).limit(PAGE + 1))
    return [Reader(row[0], row[1], row[2]) for row in rows]


def reader(session: Session, publication_id: int, subscription_id: int) -> Reader:
    """One person.

    Raises:
        NotFound: not in this publication.
    """
    row = session.execute(_readers(publication_id).where(Subscription.id == subscription_id)).first()
    if row is None:
        raise NotFound(mark("Nobody is there under this address."))
    return Reader(row[0], row[1], row[2])


def reader_by_email(session: Session, publication_id: int, email: str) -> Reader:
    """One person by address.

    Raises:
        Refused: this is no address.
        NotFound: not in this publication.
    """
    row = session.execute(_readers(publication_id).where(Subscriber.canonical == parse(email).canonical)).first()
    if row is None:
        raise NotFound(mark("Nobody is there under this address."))
    return Reader(row[0], row[1], row[2])


def _readers(publication_id: int) -> Select[Subscription, Subscriber, Channel | None]:
    return (
        select(Subscription, Subscriber, Channel)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .outerjoin(Channel, Channel.id == Subscription.channel_id)
        .where(Subscription.publication_id == publication_id)
    )


def consents_of(session: Session, subscription_id: int) -> list[Consent]:
    """The chain of one subscription, oldest first."""
    return list(session.scalars(select(Consent).where(Consent.subscription_id == subscription_id).order_by(Consent.id)))


def open_question(session: Session, secret: str) -> Question | None:
    """What a confirmation link asks."""
    row = session.execute(
        select(Confirmation, Subscription, Subscriber)
        .join(Subscription, Subscription.id == Confirmation.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Confirmation.digest == digest(secret))
    ).first()
    return (row[0], row[1], row[2]) if row else None


def by_leave_link(session: Session, secret: str) -> tuple[Subscription, Subscriber] | None:
    """Whose unsubscribe address this is."""
    row = session.execute(
        select(Subscription, Subscriber)
        .join(LeaveLink, LeaveLink.subscription_id == Subscription.id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(LeaveLink.digest == digest(secret))
    ).first()
    return (row[0], row[1]) if row else None


def arrivals(session: Session, publication_id: int, since: datetime) -> list[tuple[Channel | None, int]]:
    """Who confirmed since then, by channel, most first."""
    rows = session.execute(
        select(Channel, func.count())
        .select_from(Subscription)
        .outerjoin(Channel, Channel.id == Subscription.channel_id)
        .where(Subscription.publication_id == publication_id, Subscription.confirmed_at >= since)
        .group_by(Channel.id)
        .order_by(func.count().desc(), Channel.name)
    )
    return [(row[0], row[1]) for row in rows]


def departures(session: Session, publication_id: int, since: datetime) -> int:
    """How many left since then."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Subscription)
            .where(Subscription.publication_id == publication_id, Subscription.state == "unsubscribed", Subscription.ended_at >= since)
        )
        or 0
    )


def link_was_used(session: Session, first: int, before: int) -> bool:
    """Whether an unsubscribe address with one of these numbers was used."""
    numbers = LeaveLink.digest >= digest_from(first), LeaveLink.digest < digest_from(before)
    return session.scalar(select(LeaveLink.digest).where(*numbers, LeaveLink.used_at.is_not(None)).limit(1)) is not None
