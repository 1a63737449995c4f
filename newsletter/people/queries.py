"""Reading one person's whole story, and who else the same house writes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, or_, select, text
from sqlalchemy.orm import Session

from newsletter.deliveries.models import Delivery, Mailing
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.notices.models import Notice
from newsletter.orm import Base
from newsletter.people.models import Stroke
from newsletter.publications.models import Publication
from newsletter.shield.models import Held
from newsletter.subscriptions.models import Subscriber, Subscription, Suppression
from newsletter.tokens import Tokens

# L9: every table says what it knows about a person. A test walks through the schema; a table that is in none of these
# lists fails it. Columns that would open a door (hashes of secrets) are left out of what a person gets to see.
SECRET = {"digest": {"confirmations", "leave_links", "reader_letters"}, "code": {"phones"}}
TELL: dict[str, str] = {
    "subscribers": "id = :subscriber",
    "subscriptions": "id = :subscription",
    "consents": "subscription_id = :subscription",
    "confirmations": "subscription_id = :subscription",
    "leave_links": "subscription_id = :subscription",
    "deliveries": "subscriber_id = :subscriber AND mailing_id IN (SELECT id FROM mailings WHERE publication_id = :publication)",
    "attempts": "delivery_id IN (SELECT d.id FROM deliveries d JOIN mailings m ON m.id = d.mailing_id "
    "WHERE d.subscriber_id = :subscriber AND m.publication_id = :publication)",
    "notices": "subscription_id = :subscription",
    "changed_rows": "subscription_id = :subscription",
    "phones": "subscription_id = :subscription",
    "text_messages": "phone_id IN (SELECT id FROM phones WHERE subscription_id = :subscription)",
    "bounces": "subscriber_id = :subscriber AND publication_id = :publication",
    "conversations": "subscriber_id = :subscriber AND publication_id = :publication",
    "messages": "conversation_id IN (SELECT id FROM conversations WHERE subscriber_id = :subscriber AND publication_id = :publication)",
    "attachments": "message_id IN (SELECT id FROM messages WHERE conversation_id IN "
    "(SELECT id FROM conversations WHERE subscriber_id = :subscriber AND publication_id = :publication))",
    "reader_letters": "conversation_id IN (SELECT id FROM conversations WHERE subscriber_id = :subscriber AND publication_id = :publication)",
    "arrivals": "id IN (SELECT arrival_id FROM messages WHERE conversation_id IN "
    "(SELECT id FROM conversations WHERE subscriber_id = :subscriber AND publication_id = :publication))",
    "held": "canonical = :canonical AND publication_id = :publication",
}
# Tables without anybody's data, or with nothing but keyed hashes of it, or whose people are editors.
NOTHING_PERSONAL = {
    "actor_keys", "announcements", "beats", "buckets", "builds", "channels", "claims", "drills", "editors", "facts", "figures", "followers",
    "form_versions", "forms", "gateways", "goals", "images", "imports", "issues", "links", "login_sessions", "mailings", "memberships", "mentions",
    "hooks", "mailboxes", "saved_answers", "used_tokens", "voices",
    "clicks", "comments", "ideas", "notes", "outlets", "snippets", "votes",
    "pings", "proofs", "publications", "revisions", "segments", "signing_keys", "strokes", "suppressions", "tags", "tallies",
    "targets", "throttles", "touches", "transports", "visits", "wordings",
}  # fmt: skip
# Addresses that never became anybody's subscription, which go away by themselves; and what is stored once more for a machine:
# the bytes of a mail, the words by which a conversation is found.
PASSING = {"refused_rows", "arrival_bytes", "conversation_words"}


@dataclass(frozen=True)
class Person:
    """Somebody in one publication."""

    subscription: Subscription
    subscriber: Subscriber
    publication: Publication


def person(session: Session, subscription_id: int) -> Person:
    """Somebody by the number of a subscription.

    Raises:
        NotFound: nobody has it, any more.
    """
    row = session.execute(
        select(Subscription, Subscriber, Publication)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .join(Publication, Publication.id == Subscription.publication_id)
        .where(Subscription.id == subscription_id)
    ).first()
    if row is None:
        raise NotFound(mark("Nobody is there under this address."))
    return Person(row[0], row[1], row[2])


def siblings(session: Session, publication: Publication, subscriber_id: int) -> list[tuple[Publication, Subscription | None]]:
    """The other letters of the same house, and whether somebody gets them. Who answers for them by law is who makes a house (L10)."""
    same = (Publication.imprint_company, Publication.imprint_person, Publication.imprint_street, Publication.imprint_place)
    rows = session.execute(
        select(Publication, Subscription)
        .outerjoin(Subscription, (Subscription.publication_id == Publication.id) & (Subscription.subscriber_id == subscriber_id))
        .where(Publication.id != publication.id, Publication.state == "active", *(column == getattr(publication, column.key) for column in same))
        .order_by(Publication.name)
    )
    return [(row[0], row[1]) for row in rows] if publication.imprint_complete else []


def missed(session: Session, subscription: Subscription, limit: int = 12) -> Sequence[Issue]:
    """What went out while somebody was in pause, or since she left, newest first."""
    since = subscription.paused_at if subscription.state in ("paused", "active") else subscription.ended_at
    if since is None:
        return []
    got = select(Delivery.id).join(Mailing, Mailing.id == Delivery.mailing_id)
    got = got.where(Mailing.issue_id == Issue.id, Delivery.subscription_id == subscription.id, Delivery.state == "accepted")
    query = select(Issue).where(Issue.publication_id == subscription.publication_id, Issue.state == "published", Issue.kind == "letter")
    return session.scalars(query.where(Issue.published_at >= since, ~got.exists()).order_by(Issue.number.desc()).limit(limit)).all()


def everything(session: Session, one: Person) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that is about somebody in one publication (L9, Art. 15 and 20 GDPR)."""
    values = {
        "subscriber": one.subscriber.id,
        "subscription": one.subscription.id,
        "canonical": one.subscriber.canonical,
        "publication": one.publication.id,
    }
    return {name: _rows(session, name, condition, values) for name, condition in TELL.items()}


def _rows(session: Session, name: str, condition: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    table = Base.metadata.tables[name]
    assert isinstance(table, Table)
    hidden = {column for column, tables in SECRET.items() if name in tables} | {"facts", "raw"}
    rows = session.execute(select(table).where(text(condition).bindparams(**{key: value for key, value in values.items() if f":{key}" in condition})))
    return [{key: _plain(value) for key, value in row._mapping.items() if key not in hidden} for row in rows]


def _plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def stroke(session: Session, publication_id: int, stroke_id: int) -> Stroke:
    """One act on many.

    Raises:
        NotFound: there is none, or it was taken back.
    """
    row = session.get(Stroke, stroke_id)
    if row is None or row.publication_id != publication_id or row.undone_at is not None:
        raise NotFound(mark("This was taken back already."))
    return row


def last_stroke(session: Session, publication_id: int) -> Stroke | None:
    """The last act on many that can still be taken back."""
    query = select(Stroke).where(Stroke.publication_id == publication_id, Stroke.undone_at.is_(None))
    return session.scalar(query.order_by(Stroke.id.desc()).limit(1))


def notices_of(session: Session, message_ids: Sequence[str]) -> dict[str, Notice]:
    """The mails that a chain of consents names, by Message-ID: when they were taken, what was answered, and the hash of their bytes (L2)."""
    found = session.scalars(select(Notice).where(Notice.message_id.in_([one for one in message_ids if one])))
    return {notice.message_id: notice for notice in found}


def empty_quarantine(session: Session, publication_id: int) -> None:
    """Nobody who waits there is let in."""
    session.execute(delete(Held).where(Held.publication_id == publication_id))


def suppression_reasons(session: Session, publication_id: int) -> list[tuple[str, int]]:
    """Why addresses are not written to, and how many for each reason."""
    here = or_(Suppression.publication_id == publication_id, Suppression.publication_id.is_(None))
    rows = session.execute(select(Suppression.reason, func.count()).where(here).group_by(Suppression.reason).order_by(func.count().desc()))
    return [(row[0], row[1]) for row in rows]


def suppression_of(session: Session, tokens: Tokens, publication_id: int, canonical: str) -> Suppression | None:
    """Why one address is not written to. Only by the address can it be found: what is stored are keyed hashes."""
    here = or_(Suppression.publication_id == publication_id, Suppression.publication_id.is_(None))
    return session.scalar(select(Suppression).where(Suppression.fingerprint.in_(tokens.fingerprints("suppression", canonical)), here).limit(1))
