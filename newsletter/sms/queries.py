"""Reading gateways, phones and what was sent to them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.sms.models import IS_QUEUED, Gateway, Note, Phone, TextMessage
from newsletter.subscriptions.models import Subscription


def gateway(session: Session, publication_id: int) -> Gateway | None:
    """How a publication's messages leave, if they can."""
    return session.get(Gateway, publication_id)


def phone_of(session: Session, subscription_id: int) -> Phone | None:
    """The number that a reader gave, in whatever state it is."""
    return session.scalar(select(Phone).where(Phone.subscription_id == subscription_id))


def reachable(session: Session, publication_id: int) -> int:
    """How many get text messages: whoever confirmed a number and still reads along."""
    query = select(func.count()).select_from(Phone).join(Subscription, Subscription.id == Phone.subscription_id)
    where = Phone.publication_id == publication_id, Phone.state == "active", Subscription.state.in_(("active", "paused"))
    return session.scalar(query.where(*where)) or 0


def phones(session: Session, publication_id: int) -> Sequence[Phone]:
    """Their numbers."""
    query = select(Phone).join(Subscription, Subscription.id == Phone.subscription_id)
    where = Phone.publication_id == publication_id, Phone.state == "active", Subscription.state.in_(("active", "paused"))
    return session.scalars(query.where(*where).order_by(Phone.id)).all()


def due(session: Session, now: datetime) -> list[int]:
    """Messages that should leave now."""
    query = select(TextMessage.id).where(IS_QUEUED, TextMessage.next_attempt_at <= now)
    return list(session.scalars(query.order_by(TextMessage.next_attempt_at).limit(20)))


def notes(session: Session, publication_id: int, limit: int = 20) -> list[tuple[Note, dict[str, int]]]:
    """What was sent to everybody, newest first, with how many messages are in each state."""
    rows = session.scalars(select(Note).where(Note.publication_id == publication_id).order_by(Note.id.desc()).limit(limit)).all()
    query = select(TextMessage.note_id, TextMessage.state, func.count()).where(TextMessage.note_id.in_([row.id for row in rows]))
    counts: dict[int, dict[str, int]] = {}
    for note_id, state, number in session.execute(query.group_by(TextMessage.note_id, TextMessage.state)):
        counts.setdefault(note_id or 0, {})[state] = number
    return [(row, counts.get(row.id, {})) for row in rows]


def notes_of_drill(session: Session, drill_id: int) -> Sequence[Note]:
    """What was sent because of an outage."""
    return session.scalars(select(Note).where(Note.drill_id == drill_id).order_by(Note.id)).all()
