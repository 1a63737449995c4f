"""Reading subscribers, subscriptions and consents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from newsletter.channels.models import Channel
from newsletter.errors import NotFound
from newsletter.forms.models import Wording
from newsletter.forms.queries import texts
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.subscriptions.models import Confirmation, Consent, LeaveLink, Subscriber, Subscription, Tag
from newsletter.tokens import digest, digest_from

PAGE = 50

Question = tuple[Confirmation, Subscription, Subscriber]


@dataclass(frozen=True)
class Reader:
    """A row of the list of people."""

    subscription: Subscription
    subscriber: Subscriber
    channel: Channel | None


def counts(session: Session, publication_id: int) -> dict[str, int]:
    """How many subscriptions are in each state."""
    rows = session.execute(select(Subscription.state, func.count()).where(Subscription.publication_id == publication_id).group_by(Subscription.state))
    return {"pending": 0, "active": 0, "paused": 0, "unsubscribed": 0} | {row[0]: row[1] for row in rows}


@dataclass(frozen=True)
class Wanted:
    """Whom a list shows.

    Args:
        fits: the condition of a segment.
    """

    publication_id: int
    state: str = ""
    text: str = ""
    channel_id: int | None = None
    tag_id: int | None = None
    fits: ColumnElement[bool] | None = None


def page_of(session: Session, asked: Wanted, *, before: int | None = None, after: str = "") -> tuple[list[Reader], dict[str, object]]:
    """One page of people, and how to ask for the next one; nothing for that on the last page.

    The list goes from the newest on. What was searched for goes by address: then the index of addresses is walked, which is
    a tenth of the table.
    """
    text = " ".join(asked.text.split()).casefold()
    query = _readers(asked.publication_id)
    query = query.where(*_conditions(session, asked))
    if text:
        query = query.where(_matches(session, text))
        query = (query.where(Subscriber.canonical > after) if after else query).order_by(Subscriber.canonical)
    else:
        query = (query.where(Subscription.id < before) if before else query).order_by(Subscription.id.desc())
    rows = [Reader(row[0], row[1], row[2]) for row in session.execute(query.limit(PAGE + 1))]
    more: dict[str, object] = {}
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        more = {"after": last.subscriber.canonical} if text else {"before": last.subscription.id}
    return rows[:PAGE], more


def ids_of(session: Session, asked: Wanted, most: int) -> list[int]:
    """The subscriptions of everybody whom a list shows, at most so many."""
    query = select(Subscription.id).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    query = query.where(Subscription.publication_id == asked.publication_id, *_conditions(session, asked))
    text = " ".join(asked.text.split()).casefold()
    query = query.where(_matches(session, text)) if text else query
    return list(session.scalars(query.order_by(Subscription.id).limit(most)))


def _conditions(session: Session, asked: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.state:
        found.append(Subscription.state == asked.state)
    if asked.channel_id:
        found.append(Subscription.channel_id == asked.channel_id)
    if asked.tag_id:
        found.append(contains(session, Subscription.tags, f",{asked.tag_id},"))
    return found if asked.fits is None else [*found, asked.fits]


def _matches(session: Session, text: str) -> ColumnElement[bool]:
    """Whoever has a text in her address or her name. An address that is typed whole is found at once."""
    if "@" in text and not text.startswith("@"):
        return and_(Subscriber.canonical >= text, Subscriber.canonical < text + "\U0010ffff")
    if "@" in text or "." in text or text.isdigit():
        return contains(session, Subscriber.canonical, text)
    return or_(contains(session, Subscriber.canonical, text), contains(session, func.lower(Subscriber.name), text))


def contains(session: Session, column: Any, text: str) -> ColumnElement[bool]:
    """Whether a column contains a text, letter for letter: no wildcards to escape, and twice as fast as LIKE."""
    found: ColumnElement[bool] = (func.instr(column, text) if session.get_bind().dialect.name == "sqlite" else func.strpos(column, text)) > 0
    return found


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


def wordings_of(session: Session, consents: Sequence[Consent]) -> dict[int, Wording]:
    """The words that consents were given to."""
    return texts(session, (row.wording_id for row in consents))


def tags_of(session: Session, publication_id: int) -> dict[int, str]:
    """The tags of a publication by number, in the order of their names."""
    rows = session.execute(select(Tag.id, Tag.name).where(Tag.publication_id == publication_id).order_by(func.lower(Tag.name)))
    return {row[0]: row[1] for row in rows}


def subscriptions_of(session: Session, subscriber_id: int) -> Sequence[Subscription]:
    """Everything that one person subscribes to."""
    return session.scalars(select(Subscription).where(Subscription.subscriber_id == subscriber_id).order_by(Subscription.id)).all()


def open_question(session: Session, secret: str, purpose: str = "confirm") -> Question | None:
    """What a link that went to somebody's mailbox is for."""
    row = session.execute(
        select(Confirmation, Subscription, Subscriber)
        .join(Subscription, Subscription.id == Confirmation.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Confirmation.digest == digest(secret), Confirmation.purpose == purpose)
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


def link_was_used(session: Session, first: int, before: int) -> bool:
    """Whether an unsubscribe address with one of these numbers was used."""
    numbers = LeaveLink.digest >= digest_from(first), LeaveLink.digest < digest_from(before)
    return session.scalar(select(LeaveLink.digest).where(*numbers, LeaveLink.used_at.is_not(None)).limit(1)) is not None
