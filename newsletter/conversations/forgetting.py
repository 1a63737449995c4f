"""Conversations of somebody who is forgotten (Art. 17 GDPR, L5)."""

from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from newsletter.archive.actions import request_build
from newsletter.conversations.models import Conversation, Message
from newsletter.issues.models import Issue, ReaderLetter


def forget(session: Session, publication_id: int, *, subscriber_id: int, canonical: str, now: datetime) -> list[int]:
    """Delete everything that somebody wrote and what was answered; gives back the arrivals whose bytes have to go, too."""
    hers = or_(Conversation.subscriber_id == subscriber_id, Conversation.email == canonical)
    ids = list(session.scalars(select(Conversation.id).where(Conversation.publication_id == publication_id, hers)))
    arrivals = session.scalars(select(Message.arrival_id).where(Message.conversation_id.in_(ids), Message.arrival_id.is_not(None)))
    found = [one for one in arrivals if one is not None]
    shown = select(ReaderLetter.issue_id).where(ReaderLetter.conversation_id.in_(ids), ReaderLetter.state == "agreed")
    for issue_id in session.scalars(shown).all():
        # Her lines go from the archive, too.
        session.execute(update(Issue).where(Issue.id == issue_id).values(appearance=Issue.appearance + 1))
        request_build(session, publication_id=publication_id, issue_id=issue_id, now=now)
    session.execute(delete(Conversation).where(Conversation.id.in_(ids)))
    return found


def hand_on(session: Session, publication_id: int, old: int, new: int) -> None:
    """She has another address now, and her conversations with her."""
    mine = Conversation.publication_id == publication_id, Conversation.subscriber_id == old
    session.execute(update(Conversation).where(*mine).values(subscriber_id=new))
