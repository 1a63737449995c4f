"""Handing an answer to the mail server: through the same transports as letters, signed, with its place in the thread."""

import logging
from datetime import datetime
from html import escape

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.conversations import policy
from newsletter.conversations.models import Conversation, Message
from newsletter.i18n import Speech
from newsletter.mail.addresses import parse
from newsletter.mail.dkim import KeyBroken
from newsletter.mail.message import Letter, Sender, compose
from newsletter.mail.replies import Reply
from newsletter.mail.returning import returning
from newsletter.mail.smtp import SmtpError
from newsletter.notices.policy import LEASE, pause_after
from newsletter.process import Process
from newsletter.publications.keys import signed
from newsletter.publications.models import Publication
from newsletter.transports.single import hand_over, is_final, working

log = logging.getLogger(__name__)


def send(process: Process, message_id: int) -> None:
    """Send an answer, once it is claimed; write down what became of it."""
    with process.writing() as session:
        message = _claim(session, message_id, now=process.clock())
        if message is None:
            return
        address = working(session, process.settings, process.tokens)
    try:
        with process.reading() as session:
            raw = signed(session, process.tokens, parse(message.sender).domain, bytes_of(session, message))
        reply = _hand_over(process, address, message, raw)
    except KeyBroken as error:
        log.error("answer %s waits: %s", message_id, error)
        _put_off(process, message_id, str(error), final=False)
    except SmtpError as error:
        log.warning("answer %s was not taken (%s): %s", message_id, error.phase, error)
        _put_off(process, message_id, f"{error.phase}: {error}", final=is_final(error))
    else:
        with process.writing() as session:
            row = session.get_one(Message, message_id)
            row.state, row.reply, row.lease_until, row.next_attempt_at = "accepted", str(reply)[:500], None, None


def _claim(session: Session, message_id: int, *, now: datetime) -> Message | None:
    free = or_(Message.lease_until.is_(None), Message.lease_until <= now)
    query = update(Message).where(Message.id == message_id, Message.state == "queued", Message.next_attempt_at <= now, free)
    result = session.execute(query.values(lease_until=now + LEASE, attempts=Message.attempts + 1))
    assert isinstance(result, CursorResult)
    return session.get(Message, message_id, populate_existing=True) if result.rowcount == 1 else None


def bytes_of(session: Session, message: Message) -> bytes:
    """The mail of an answer: the same bytes at every try."""
    conversation = session.get_one(Conversation, message.conversation_id)
    publication = session.get_one(Publication, conversation.publication_id)
    speech = Speech(publication.language, publication.timezone)
    asked = session.scalar(
        select(Message).where(Message.conversation_id == conversation.id, Message.message_id == message.in_reply_to, Message.kind == "in").limit(1)
    )
    text, html = message.text, _paragraphs(message.text)
    if asked is not None and asked.text:
        intro = speech("On %(day)s %(name)s wrote:", day=speech.day(asked.at), name=asked.name or asked.email)
        text = f"{text}\n\n{intro}\n\n{policy.quoted(asked.text)}\n"
        html = f'{html}<p>{escape(intro)}</p><blockquote type="cite">{_paragraphs(asked.text)}</blockquote>'
    letter = Letter(
        sender=Sender(message.name, parse(message.sender), parse(publication.reply_to) if publication.reply_to else None),
        recipient=parse(message.email), subject=message.subject, text=text, html=f"<!doctype html><html><body>{html}</body></html>",
        reference=message.message_id.strip("<>").rpartition("@")[0], references=tuple(message.references.split()), by_hand=True,
    )  # fmt: skip
    return compose(letter, message.at)


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in text.split("\n\n") if part.strip())


def _hand_over(process: Process, address: str, message: Message, raw: bytes) -> Reply:
    domain = process.settings.bounce_domain
    # What the other side cannot deliver comes back to the conversation, where mail comes in at all.
    sender = returning(process.tokens, domain, "c", message.conversation_id) if process.settings.open_door else message.sender
    return hand_over(address, domain, sender, parse(message.email), raw)


def _put_off(process: Process, message_id: int, why: str, *, final: bool) -> None:
    now = process.clock()
    with process.writing() as session:
        row = session.get_one(Message, message_id)
        pause = pause_after(row.attempts)
        row.reply, row.lease_until = why[:500], None
        if final or pause is None:
            row.state, row.next_attempt_at = "failed", None
            conversation = session.get_one(Conversation, row.conversation_id)
            conversation.state, conversation.unread, conversation.last_at = "open", True, now
            conversation.waiting_since = conversation.waiting_since or now
            session.add(Message(conversation_id=conversation.id, kind="failed", at=now, text=why[:500]))
        else:
            row.next_attempt_at = now + pause
