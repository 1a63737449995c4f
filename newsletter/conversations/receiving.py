"""A mail becomes part of a conversation."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.conversations import policy, threads
from newsletter.conversations.actions import index
from newsletter.conversations.models import Attachment, Conversation, Message
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.errors import NotFound, Refused
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.mail.addresses import parse
from newsletter.mail.incoming.letter import Written
from newsletter.orm import take_turns
from newsletter.publications.models import Publication
from newsletter.subscriptions.actions import wrote_back
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.subscriptions.queries import reader_by_email

TURN = 7264841


@dataclass(frozen=True)
class _Known:
    """What we know about who wrote, and about what."""

    subscriber: Subscriber | None
    subscription: Subscription | None
    issue_id: int | None


def receive(
    session: Session,
    publication: Publication,
    mail: Written,
    *,
    arrival_id: int,
    conversation_id: int | None = None,
    spam: bool = False,
    at: datetime,
    now: datetime,
) -> Conversation | None:
    """Put a mail where it belongs: into its conversation, or into a new one. Nothing when it is there already.

    Args:
        conversation_id: from one of our own addresses, which is proof.
        spam: what a filter of ours thinks.
        at: when she wrote.
    """
    # Two doors may bring the same mail at the same moment.
    take_turns(session, TURN)
    if threads.known(session, publication.id, mail.message_id):
        return None
    conversation = session.get(Conversation, conversation_id) if conversation_id else None
    if conversation is None or conversation.publication_id != publication.id:
        conversation = threads.by_ids(session, publication.id, mail.ids) or threads.by_matter(session, publication.id, mail.email, mail.subject, now)
    known = _who(session, publication, mail)
    if conversation is None:
        conversation = _begin(session, publication, mail, known, spam=spam, at=at)
    _append(session, conversation, mail, arrival_id, at)
    if known.subscription is not None and conversation.place == "readers" and known.subscription.publication_id == publication.id:
        wrote_back(session, known.subscription, now=at)
    session.flush()
    return conversation


def _who(session: Session, publication: Publication, mail: Written) -> _Known:
    subscriber, subscription = _reader(session, publication.id, mail.email)
    delivery = threads.delivery_of(session, publication.id, mail.ids, subscriber.id if subscriber else None)
    if subscriber is None and delivery is not None:
        # She answers from another address than the one that gets the letters; the letter says who she is.
        subscriber, subscription = _behind(session, delivery)
    issue_id = session.get_one(Mailing, delivery.mailing_id).issue_id if delivery is not None else None
    return _Known(subscriber, subscription, issue_id)


def _reader(session: Session, publication_id: int, email: str) -> tuple[Subscriber | None, Subscription | None]:
    try:
        found = reader_by_email(session, publication_id, email)
    except (Refused, NotFound):
        return None, None
    return found.subscriber, found.subscription


def _behind(session: Session, delivery: Delivery) -> tuple[Subscriber | None, Subscription | None]:
    subscriber = session.get(Subscriber, delivery.subscriber_id) if delivery.subscriber_id else None
    subscription = session.get(Subscription, delivery.subscription_id) if delivery.subscription_id else None
    return (subscriber, subscription) if subscriber is not None else (None, None)


def _begin(session: Session, publication: Publication, mail: Written, known: _Known, *, spam: bool, at: datetime) -> Conversation:
    conversation = Conversation(
        publication_id=publication.id, subscriber_id=known.subscriber.id if known.subscriber else None, issue_id=known.issue_id,
        name=mail.name or (known.subscriber.name if known.subscriber else "")[:120], email=mail.email.lower(),
        subject=mail.subject, labels=[], opened_at=at, last_at=at,
    )  # fmt: skip
    # Who answers a letter of ours is no spammer, whatever a filter thinks.
    conversation.place = "spam" if (mail.spam or spam) and known.issue_id is None else conversation.shelf
    session.add(conversation)
    session.flush()
    return conversation


def _append(session: Session, conversation: Conversation, mail: Written, arrival_id: int, at: datetime) -> None:
    message = Message(
        conversation_id=conversation.id, kind="in", at=at, name=mail.name, email=mail.email, subject=mail.subject, text=mail.text, folded=mail.folded,
        rich=mail.rich, message_id=mail.message_id, in_reply_to=(mail.ids[0] if mail.ids else "")[:255],
        references=" ".join(policy.threaded(mail.references, "", 3900)), arrival_id=arrival_id,
        sender=_wished(session, conversation, mail),
    )  # fmt: skip
    session.add(message)
    session.flush()
    session.add_all(Attachment(message_id=message.id, part=one.part, name=one.name, kind=one.kind, size=one.size) for one in mail.enclosures)
    conversation.state, conversation.unread = "open", True
    conversation.last_at = max(conversation.last_at, at)
    conversation.waiting_since = conversation.waiting_since or at
    conversation.preview = policy.preview_of(mail.text)[:200]
    if conversation.subscriber_id is not None and policy.wants_to_leave(mail.subject, mail.text):
        conversation.suggestion = "leave"
    index(session, conversation, (mail.subject, mail.text, mail.name, mail.email, mail.email.replace("@", " ").replace(".", " ")))


def _wished(session: Session, conversation: Conversation, mail: Written) -> str:
    """Where she wants answers to go (RFC 5322 §3.6.2), if that is an address, and neither her own nor ours."""
    if not mail.reply_to or mail.reply_to == mail.email:
        return ""
    publication = session.get_one(Publication, conversation.publication_id)
    try:
        wished = parse(mail.reply_to)
    except Refused:
        return ""
    return "" if wished.canonical in (publication.from_address.lower(), (publication.reply_to or "").lower()) else wished.wire


def came_back(session: Session, conversation: Conversation, *, text: str, arrival_id: int, now: datetime) -> None:
    """An answer of ours could not be delivered: it stands in the conversation, and somebody should look."""
    session.add(Message(conversation_id=conversation.id, kind="failed", at=now, text=text[:500], arrival_id=arrival_id))
    conversation.state, conversation.unread, conversation.last_at = "open", True, now
    conversation.waiting_since = conversation.waiting_since or now
    session.flush()


def speak_up(
    session: Session, publication: Publication, subscriber: Subscriber, subscription: Subscription, issue: Issue, *, words: str, now: datetime
) -> Conversation:
    """Words that a reader typed on her own page, behind a small question: a conversation like any other.

    Raises:
        Refused: she says nothing.
    """
    words = words.replace("\r\n", "\n").strip()[: policy.LONGEST_ANSWER]
    if not words:
        raise Refused(mark("Write something first."), field="words")
    conversation = Conversation(
        publication_id=publication.id, subscriber_id=subscriber.id, issue_id=issue.id, place="readers", name=subscriber.name[:120],
        email=subscriber.email.lower(), subject=issue.subject[:200], labels=[], opened_at=now, last_at=now, waiting_since=now,
        preview=policy.preview_of(words)[:200],
    )  # fmt: skip
    session.add(conversation)
    session.flush()
    session.add(
        Message(conversation_id=conversation.id, kind="in", at=now, name=subscriber.name, email=subscriber.email, subject=issue.subject[:200], text=words)
    )
    index(session, conversation, (issue.subject, words, subscriber.name, subscriber.email))
    wrote_back(session, subscription, now=now)
    session.flush()
    return conversation
