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
from newsletter.orm import holds, unindexed
from newsletter.subscriptions.models import MOVES, Confirmation, Consent, LeaveLink, Subscriber, Subscription, Tag
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
    # One by one: counting equal rows of an index is twice as fast as grouping it.
    number = select(func.count()).select_from(Subscription).where(Subscription.publication_id == publication_id)
    return {state: session.scalar(number.where(Subscription.state == state)) or 0 for state in MOVES}


def readers(session: Session, publication_id: int) -> int:
    """How many are on the list, those in pause among them."""
    number = select(func.count()).select_from(Subscription).where(Subscription.publication_id == publication_id)
    return sum(session.scalar(number.where(Subscription.state == state)) or 0 for state in ("active", "paused"))


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

    The list goes from the newest on, what was searched for by address or as it came. First only numbers are looked for,
    each in the way that is shortest with a million people; then the rows of this page are fetched.
    """
    text = " ".join(asked.text.split()).casefold()
    if text:
        ids, more = _found_ids(session, asked, text, after, PAGE)
    else:
        ids = _newest_ids(session, asked, before)
        more = {"before": ids[PAGE - 1]} if len(ids) > PAGE else {}
    by_id = {row[0].id: Reader(row[0], row[1], row[2]) for row in session.execute(_everybody().where(Subscription.id.in_(ids[:PAGE])))}
    return [by_id[number] for number in ids[:PAGE]], more


def _newest_ids(session: Session, asked: Wanted, before: int | None) -> list[int]:
    conditions = _conditions(session, asked)
    if before:
        conditions.append(Subscription.id < before)
    if asked.tag_id is None and asked.channel_id is None and asked.fits is None:
        # The index has the newest of each state at its end.
        states = [asked.state] if asked.state else list(MOVES)
        rare = select(Subscription.id).where(Subscription.publication_id == asked.publication_id).order_by(Subscription.id.desc()).limit(PAGE + 1)
        found = [number for state in states for number in session.scalars(rare.where(Subscription.state == state, *conditions))]
        return sorted(found, reverse=True)[: PAGE + 1]
    here = Subscription.publication_id if asked.channel_id else unindexed(Subscription.publication_id, sqlite=_on_sqlite(session))
    query = select(Subscription.id).where(here == asked.publication_id, *conditions)
    if asked.fits is not None:
        query = query.join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    return list(session.scalars(query.order_by(Subscription.id.desc()).limit(PAGE + 1)))


def _found_ids(session: Session, asked: Wanted, text: str, after: str, limit: int | None) -> tuple[list[int], dict[str, object]]:
    """Who has a text in her address or name. The beginning of an address is found at once, anything else by walking along once."""
    mine = Subscription.subscriber_id == Subscriber.id, Subscription.publication_id == asked.publication_id, *_conditions(session, asked)
    place: Any = Subscriber.canonical if "@" in text and not text.startswith("@") else Subscriber.id
    query = select(Subscriber.id, place).where(_matches(session, text), select(Subscription.id).where(*mine).exists())
    if after:
        query = query.where(place > (after if place is Subscriber.canonical else int(after) if after.isdigit() else 0))
    rows = session.execute(query.order_by(place).limit(limit + 1 if limit else None)).all()
    people = [row[0] for row in rows[:limit]]
    found = {
        row[1]: row[0]
        for row in session.execute(
            select(Subscription.id, Subscription.subscriber_id).where(
                unindexed(Subscription.publication_id, sqlite=_on_sqlite(session)) == asked.publication_id,
                Subscription.subscriber_id.in_(people),
            )
        )
    }
    return [found[one] for one in people], {"after": str(rows[limit - 1][1])} if limit and len(rows) > limit else {}


def ids_of(session: Session, asked: Wanted, most: int) -> list[int]:
    """The subscriptions of everybody whom a list shows, at most so many."""
    text = " ".join(asked.text.split()).casefold()
    if text:
        return _found_ids(session, asked, text, "", most)[0]
    query = select(Subscription.id).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    query = query.where(Subscription.publication_id == asked.publication_id, *_conditions(session, asked))
    return list(session.scalars(query.order_by(Subscription.id).limit(most)))


def _conditions(session: Session, asked: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.state:
        found.append(Subscription.state == asked.state)
    if asked.channel_id:
        found.append(Subscription.channel_id == asked.channel_id)
    if asked.tag_id:
        found.append(Subscription.tags.contains(f",{asked.tag_id},"))
    return found if asked.fits is None else [*found, asked.fits]


def _on_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _matches(session: Session, text: str) -> ColumnElement[bool]:
    if "@" in text and not text.startswith("@"):
        return and_(Subscriber.canonical >= text, Subscriber.canonical < text + "\U0010ffff")
    sqlite = _on_sqlite(session)
    if "@" in text or "." in text:
        return holds(Subscriber.canonical, text, sqlite=sqlite, small=True)
    return or_(holds(Subscriber.canonical, text, sqlite=sqlite, small=True), holds(Subscriber.name, text, sqlite=sqlite))


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
    return _everybody().where(Subscription.publication_id == publication_id)


def _everybody() -> Select[Subscription, Subscriber, Channel | None]:
    return (
        select(Subscription, Subscriber, Channel)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .outerjoin(Channel, Channel.id == Subscription.channel_id)
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


def latest_addresses(session: Session, publication_id: int, limit: int = 5) -> list[str]:
    """Addresses of those who came last, to choose one from."""
    query = (
        select(Subscriber.email)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.publication_id == publication_id, Subscription.state == "active")
        .order_by(Subscription.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))
