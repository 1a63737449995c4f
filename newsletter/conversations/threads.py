"""Which conversation, which letter and which person a mail belongs to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.conversations import policy
from newsletter.conversations.models import Conversation, Message
from newsletter.deliveries.models import Delivery, Mailing


def by_ids(session: Session, publication_id: int, ids: Sequence[str]) -> Conversation | None:
    """The conversation to which a mail belongs by what it refers to, the nearest first (RFC 5322 §3.6.4)."""
    query = select(Message.message_id, Conversation).join(Conversation, Conversation.id == Message.conversation_id)
    rows = {row[0]: row[1] for row in session.execute(query.where(Message.message_id.in_(ids), Conversation.publication_id == publication_id))}
    return next((rows[one] for one in ids if one in rows), None)


def by_matter(session: Session, publication_id: int, email: str, subject: str, now: datetime) -> Conversation | None:
    """The same person about the same thing, a short while ago, by a program that does not say what it answers."""
    query = select(Conversation).where(
        Conversation.publication_id == publication_id, Conversation.email == email.lower(), Conversation.last_at > now - policy.SAME_MATTER
    )
    wanted = policy.base_subject(subject)
    rows = session.scalars(query.order_by(Conversation.last_at.desc()).limit(20))
    return next((row for row in rows if wanted and policy.base_subject(row.subject) == wanted), None)


def known(session: Session, publication_id: int, message_id: str) -> bool:
    """Whether a mail is in the inbox already."""
    query = select(Message.id).join(Conversation, Conversation.id == Message.conversation_id)
    return (
        bool(message_id) and session.scalar(query.where(Message.message_id == message_id, Conversation.publication_id == publication_id).limit(1)) is not None
    )


def delivery_of(session: Session, publication_id: int, references: Sequence[str], subscriber_id: int | None) -> Delivery | None:
    """The letter that a mail answers, by the random part of its Message-ID.

    There is no index on it, which would cost every delivery of every mailing: those of the person are looked through, and for
    an address that we do not know those of the last twelve letters.
    """
    wanted = [one.strip("<>").rpartition("@")[0] for one in references]
    if not wanted:
        return None
    query = select(Delivery).join(Mailing, Mailing.id == Delivery.mailing_id).where(Mailing.publication_id == publication_id, Delivery.reference.in_(wanted))
    if subscriber_id is not None and (found := session.scalar(query.where(Delivery.subscriber_id == subscriber_id).limit(1))) is not None:
        return found
    last = session.scalars(select(Mailing.id).where(Mailing.publication_id == publication_id).order_by(Mailing.id.desc()).limit(12)).all()
    return session.scalar(query.where(Delivery.mailing_id.in_(last)).limit(1))


def letter_id(session: Session, conversation: Conversation) -> str:
    """The Message-ID of the letter that she got, for an answer to words that came without a mail."""
    query = select(Delivery.reference, Mailing.content).join(Mailing, Mailing.id == Delivery.mailing_id)
    mine = Mailing.issue_id == conversation.issue_id, Delivery.subscriber_id == conversation.subscriber_id, Delivery.state == "accepted"
    row = session.execute(query.where(*mine).limit(1)).first() if conversation.issue_id and conversation.subscriber_id else None
    return f"<{row[0]}@{str(row[1]['from_address']).rpartition('@')[2]}>" if row else ""


def publication_of(session: Session, ids: Sequence[str]) -> int | None:
    """Whose conversation some mails belong to."""
    query = select(Conversation.publication_id).join(Message, Message.conversation_id == Conversation.id)
    return session.scalar(query.where(Message.message_id.in_(ids), Message.kind == "out").limit(1))
