"""Reading the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from newsletter.conversations import policy
from newsletter.conversations.models import Attachment, Conversation, Message, SavedAnswer
from newsletter.conversations.searching import with_words
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.subscriptions.models import Subscription


def get(session: Session, publication_id: int, conversation_id: int) -> Conversation:
    """A conversation.

    Raises:
        NotFound: there is none in this publication.
    """
    row = session.get(Conversation, conversation_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("This conversation is not there any more."))
    return row


def message(session: Session, conversation: Conversation, message_id: int) -> Message:
    """One message of it.

    Raises:
        NotFound: there is none.
    """
    row = session.get(Message, message_id)
    if row is None or row.conversation_id != conversation.id:
        raise NotFound(mark("This conversation is not there any more."))
    return row


def messages(session: Session, conversation_id: int) -> Sequence[Message]:
    """What was said, in order."""
    return session.scalars(select(Message).where(Message.conversation_id == conversation_id).order_by(Message.at, Message.id)).all()


def attachments(session: Session, messages: Sequence[Message]) -> dict[int, list[Attachment]]:
    """What came with some messages."""
    found: dict[int, list[Attachment]] = {}
    rows = session.scalars(select(Attachment).where(Attachment.message_id.in_([one.id for one in messages])).order_by(Attachment.id))
    for row in rows:
        found.setdefault(row.message_id, []).append(row)
    return found


def attachment(session: Session, conversation: Conversation, attachment_id: int) -> Attachment:
    """One thing that came along.

    Raises:
        NotFound: there is none in this conversation.
    """
    row = session.get(Attachment, attachment_id)
    if row is None or message(session, conversation, row.message_id) is None:
        raise NotFound(mark("This file is not there any more."))
    return row


@dataclass(frozen=True)
class Row:
    """A conversation in the list, with the number of the letter that it is about."""

    conversation: Conversation
    number: int | None


@dataclass(frozen=True)
class Shelf:
    """A page of the inbox. ``after`` leads to the next one."""

    rows: Sequence[Row]
    after: str


def shelf(session: Session, publication_id: int, *, place: str, state: str = "", query: str = "", after: str = "", editor_id: int | None = None) -> Shelf:
    """Conversations of one place and state, the newest first; open ones by how long somebody waits.

    Args:
        query: words that all have to be in it; then place and state do not matter.
        after: where the page before ended.
    """
    rows = select(Conversation, Issue.number).outerjoin(Issue, Issue.id == Conversation.issue_id).where(Conversation.publication_id == publication_id)
    wanted = policy.asked(query)
    if wanted:
        rows = rows.where(Conversation.id.in_(with_words(session, publication_id, wanted)))
    else:
        rows = rows.where(Conversation.place == place)
        rows = rows.where(Conversation.state == state) if state else rows
    if editor_id is not None:
        rows = rows.where(Conversation.assignee_id == editor_id)
    # Of those that are open the one stands first that has waited longest; of all others what happened last.
    longest_first = not wanted and state == "open"
    column = Conversation.waiting_since if longest_first else Conversation.last_at
    moment, _, number = after.partition("_")
    if number.isdigit():
        at = datetime.fromisoformat(moment)
        # The first condition says nothing new; it is where the index begins.
        rows = rows.where(column >= at if longest_first else column <= at)
        later = column > at if longest_first else column < at
        same = Conversation.id > int(number) if longest_first else Conversation.id < int(number)
        rows = rows.where(or_(later, and_(column == at, same)))
    order = (column, Conversation.id) if longest_first else (column.desc(), Conversation.id.desc())
    found = session.execute(rows.order_by(*order).limit(policy.PAGE + 1)).all()
    shown = [Row(*row) for row in found[: policy.PAGE]]
    last = shown[-1].conversation if len(found) > policy.PAGE else None
    moment = ((last.waiting_since if longest_first else last.last_at) or last.last_at).isoformat() if last else ""
    return Shelf(shown, f"{moment}_{last.id}" if last else "")


def counts(session: Session, publication_id: int) -> dict[tuple[str, str], int]:
    """How many conversations there are, by place and state."""
    rows = select(Conversation.place, Conversation.state, func.count()).where(Conversation.publication_id == publication_id)
    return {(row[0], row[1]): row[2] for row in session.execute(rows.group_by(Conversation.place, Conversation.state))}


def people_waiting(session: Session, publication_id: int) -> int:
    """How many readers wait for a word; stands beside the contents of every page."""
    open_ones = Conversation.publication_id == publication_id, Conversation.place == "readers", Conversation.state == "open"
    return session.scalar(select(func.count()).select_from(Conversation).where(*open_ones, Conversation.waiting_since.is_not(None))) or 0


@dataclass(frozen=True)
class Waiting:
    """How it stands with those who wrote: how many wait, who longest, and how long it usually takes."""

    people: int
    strangers: int
    longest: Conversation | None
    usually: timedelta | None


def waiting(session: Session, publication_id: int) -> Waiting:
    """Who waits for a word."""
    open_ones = Conversation.publication_id == publication_id, Conversation.state == "open", Conversation.waiting_since.is_not(None)
    numbers = select(Conversation.place, func.count()).where(*open_ones).group_by(Conversation.place)
    found = {row[0]: row[1] for row in session.execute(numbers)}
    longest = session.scalar(select(Conversation).where(*open_ones, Conversation.place == "readers").order_by(Conversation.waiting_since).limit(1))
    answered = select(Conversation.waited).where(
        Conversation.publication_id == publication_id, Conversation.answered_at.is_not(None), Conversation.waited.is_not(None)
    )
    waited = [row for row in session.scalars(answered.order_by(Conversation.answered_at.desc()).limit(200)) if row is not None]
    usually = timedelta(seconds=policy.median(waited)) if waited else None
    return Waiting(found.get("readers", 0), found.get("strangers", 0), longest, usually)


@dataclass(frozen=True)
class Story:
    """What we know of the person on the other side."""

    subscription: Subscription | None
    letters: int
    answers: int
    earlier: Sequence[Conversation]


def story(session: Session, conversation: Conversation) -> Story:
    """The person beside the conversation."""
    subscription = None
    letters = 0
    same = Conversation.publication_id == conversation.publication_id, Conversation.id != conversation.id
    who = Conversation.email == conversation.email
    if conversation.subscriber_id is not None:
        who = Conversation.subscriber_id == conversation.subscriber_id
        mine = Subscription.subscriber_id == conversation.subscriber_id, Subscription.publication_id == conversation.publication_id
        subscription = session.scalar(select(Subscription).where(*mine))
        got = select(func.count()).select_from(Delivery).join(Mailing, Mailing.id == Delivery.mailing_id)
        got = got.where(
            Delivery.subscriber_id == conversation.subscriber_id, Delivery.state == "accepted", Mailing.publication_id == conversation.publication_id
        )
        letters = session.scalar(got) or 0
    earlier = session.scalars(select(Conversation).where(*same, who).order_by(Conversation.last_at.desc()).limit(4)).all()
    ids = select(Conversation.id).where(Conversation.publication_id == conversation.publication_id, who)
    answers = session.scalar(select(func.count()).select_from(Message).where(Message.conversation_id.in_(ids), Message.kind == "in")) or 0
    return Story(subscription, letters, answers, earlier)


def of_person(session: Session, publication_id: int, subscriber_id: int, limit: int = 8) -> Sequence[Conversation]:
    """What somebody has written, the newest first."""
    query = select(Conversation).where(Conversation.subscriber_id == subscriber_id, Conversation.publication_id == publication_id)
    return session.scalars(query.order_by(Conversation.last_at.desc()).limit(limit)).all()


def neighbours(session: Session, conversation: Conversation) -> tuple[int | None, int | None]:
    """The open conversation of the same place that has waited a little longer, and the one a little shorter, for going on by one key."""
    here = Conversation.publication_id == conversation.publication_id, Conversation.place == conversation.place, Conversation.state == "open"
    since = conversation.waiting_since
    if since is None:
        # This one is answered; on goes whoever has waited longest.
        longest = select(Conversation.id).where(*here, Conversation.id != conversation.id).order_by(Conversation.waiting_since).limit(1)
        return None, session.scalar(longest)
    before = select(Conversation.id).where(*here, Conversation.waiting_since < since).order_by(Conversation.waiting_since.desc()).limit(1)
    after = select(Conversation.id).where(*here, Conversation.waiting_since > since).order_by(Conversation.waiting_since).limit(1)
    return session.scalar(before), session.scalar(after)


def saved(session: Session, publication_id: int) -> Sequence[SavedAnswer]:
    """Answers that one gives often, by name."""
    return session.scalars(select(SavedAnswer).where(SavedAnswer.publication_id == publication_id).order_by(SavedAnswer.name)).all()


def due(session: Session, now: datetime) -> Sequence[int]:
    """Answers that should leave now."""
    query = select(Message.id).where(Message.state == "queued", Message.next_attempt_at <= now, or_(Message.lease_until.is_(None), Message.lease_until <= now))
    return session.scalars(query.order_by(Message.next_attempt_at).limit(20)).all()
