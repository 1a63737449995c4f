"""What editors do with a conversation: answer, note, assign, label, move, close."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.conversations import policy, threads
from newsletter.conversations.models import Conversation, Message, SavedAnswer, Word
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.orm import insert_into
from newsletter.publications.models import Publication


def answer(
    session: Session, publication: Publication, conversation: Conversation, *, text: str, editor_id: int, close: bool, seen: int = 0, now: datetime
) -> Message:
    """Write back. The mail leaves after twenty seconds, in which it can be taken back.

    Args:
        seen: the last message that the editor saw when she wrote; with 0 nobody asks.

    Raises:
        Refused: it says nothing, or very much.
        Conflict: something came in meanwhile that she has not seen.
    """
    text = _worth_sending(text)
    last = session.scalar(
        select(Message).where(Message.conversation_id == conversation.id, Message.kind == "in").order_by(Message.at.desc(), Message.id.desc()).limit(1)
    )
    _refuse_unseen(session, conversation, seen)
    sender = parse(publication.from_address)
    answered = last.message_id if last is not None else ""
    # Words from a page have no Message-ID; the answer to them stands below the letter that led there.
    chain = policy.threaded(last.references.split(), answered) if last is not None and answered else (threads.letter_id(session, conversation),)
    to = (last.sender if last is not None else "") or conversation.email
    message = Message(
        conversation_id=conversation.id, kind="out", at=now, editor_id=editor_id, name=publication.from_name, email=to, sender=sender.wire,
        subject=policy.answer_subject(last.subject if last else conversation.subject), text=text, state="queued", next_attempt_at=now + policy.TAKE_BACK,
        message_id=f"<a.{secrets.token_hex(12)}@{sender.domain}>", in_reply_to=answered, references=" ".join(chain),
    )  # fmt: skip
    session.add(message)
    _answered(conversation, close=close, now=now)
    index(session, conversation, (text,))
    session.flush()
    return message


def _worth_sending(text: str) -> str:
    text = text.replace("\r\n", "\n").strip("\n").rstrip()
    if not text.strip():
        raise Refused(mark("Write something first."), field="text")
    if len(text) > policy.LONGEST_ANSWER:
        raise Refused(mark("%(n)s characters are too many here; %(limit)s are possible."), field="text", n=len(text), limit=policy.LONGEST_ANSWER)
    return text


def _refuse_unseen(session: Session, conversation: Conversation, seen: int) -> None:
    newest = session.scalar(select(func.max(Message.id)).where(Message.conversation_id == conversation.id, Message.kind != "note")) or 0
    if seen and newest > seen:
        raise Conflict(mark("Something new has come in this conversation. Read it, then send your answer."))


def _answered(conversation: Conversation, *, close: bool, now: datetime) -> None:
    if conversation.waiting_since is not None:
        conversation.waited = max(0, int((now - conversation.waiting_since).total_seconds()))
    conversation.answered_at, conversation.waiting_since, conversation.last_at, conversation.unread = now, None, now, False
    conversation.become("closed" if close else "answered")
    if conversation.place == "spam":
        conversation.place = conversation.shelf


def withdraw(session: Session, conversation: Conversation, message: Message, *, now: datetime) -> str:
    """Take an answer back that has not left; gives back its words.

    Raises:
        Conflict: it has left.
    """
    query = delete(Message).where(Message.id == message.id, Message.state == "queued", Message.attempts == 0, Message.lease_until.is_(None))
    words, result = message.text, session.execute(query.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise Conflict(mark("It is too late to take this back: the mail has left."))
    session.expire(message)
    mine = Message.conversation_id == conversation.id
    out = session.scalar(select(func.max(Message.at)).where(mine, Message.kind == "out"))
    came = session.scalar(select(func.min(Message.at)).where(mine, Message.kind == "in", *([Message.at > out] if out else [])))
    conversation.state, conversation.answered_at, conversation.waiting_since = "open" if came else "answered", out, came
    if out is None:
        conversation.waited = None
    session.flush()
    return words


def note(session: Session, conversation: Conversation, *, text: str, editor_id: int, now: datetime) -> Message:
    """Write something that only editors see.

    Raises:
        Refused: it says nothing.
    """
    text = text.replace("\r\n", "\n").strip()[: policy.LONGEST_ANSWER]
    if not text:
        raise Refused(mark("Write something first."), field="text")
    message = Message(conversation_id=conversation.id, kind="note", at=now, editor_id=editor_id, text=text)
    session.add(message)
    index(session, conversation, (text,))
    session.flush()
    return message


def read(session: Session, conversation_id: int) -> None:
    """Somebody has opened it."""
    session.execute(update(Conversation).where(Conversation.id == conversation_id, Conversation.unread).values(unread=False))


def close(session: Session, conversation: Conversation) -> None:
    """Nothing more to say."""
    conversation.state, conversation.waiting_since, conversation.unread, conversation.suggestion = "closed", None, False, ""
    session.flush()


def reopen(session: Session, conversation: Conversation, *, now: datetime) -> None:
    """There is something to say after all."""
    conversation.state, conversation.waiting_since = "open", now
    session.flush()


def fold(session: Session, conversation: Conversation) -> None:
    """Put it away as spam."""
    conversation.place = "spam"
    session.flush()


def unfold(session: Session, conversation: Conversation) -> None:
    """It is none after all."""
    conversation.place = conversation.shelf
    session.flush()


def assign(session: Session, conversation: Conversation, editor_id: int | None) -> None:
    """Somebody takes care of it, or nobody in particular."""
    conversation.assignee_id = editor_id
    session.flush()


def label(session: Session, conversation: Conversation, text: str) -> None:
    """Give it these tags and no others."""
    before, conversation.labels = policy.label_words(conversation.labels), policy.labels_of(text)
    session.execute(delete(Word).where(Word.publication_id == conversation.publication_id, Word.conversation_id == conversation.id, Word.word.in_(before)))
    _store(session, conversation, policy.label_words(conversation.labels))
    session.flush()


def save_answer(session: Session, publication_id: int, *, name: str, text: str) -> None:
    """Keep an answer for the next time, or keep another one under the same name.

    Raises:
        Refused: a name or the words are missing.
    """
    name, text = " ".join(name.split())[:60], text.replace("\r\n", "\n").strip()[: policy.LONGEST_ANSWER]
    if not name:
        raise Refused(mark("Give it a name."), field="name")
    if not text:
        raise Refused(mark("Write something first."), field="text")
    query = insert_into(session, SavedAnswer).values(publication_id=publication_id, name=name, text=text)
    session.execute(query.on_conflict_do_update(index_elements=["publication_id", "name"], set_={"text": text}))


def forget_answer(session: Session, publication_id: int, answer_id: int) -> None:
    """Throw a saved answer away."""
    session.execute(delete(SavedAnswer).where(SavedAnswer.id == answer_id, SavedAnswer.publication_id == publication_id))


def index(session: Session, conversation: Conversation, texts: Iterable[str]) -> None:
    """Make words findable."""
    _store(session, conversation, policy.words_of(*texts))


def _store(session: Session, conversation: Conversation, words: set[str]) -> None:
    if words:
        rows = [{"publication_id": conversation.publication_id, "word": word, "conversation_id": conversation.id} for word in sorted(words)]
        session.execute(insert_into(session, Word).on_conflict_do_nothing(), rows)
