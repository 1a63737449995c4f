"""Letters of readers: an answer stands below the letter in the archive, if the person who wrote it says so herself."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.archive.actions import request_build
from newsletter.conversations.models import Conversation, Message
from newsletter.errors import Conflict, Refused
from newsletter.i18n import Speech, mark
from newsletter.issues.models import Issue, ReaderLetter
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.mail.incoming.letter import visible
from newsletter.notices.actions import queue
from newsletter.publications.models import Publication
from newsletter.tokens import digest, new_secret

LONGEST = 4000

QUESTION = mark(
    "May these lines stand below “%(subject)s” in the public archive of %(name)s, under the name that I enter here? I can take that back at any time."
)


def ask(session: Session, links: Links, publication: Publication, conversation: Conversation, message: Message, *, text: str, now: datetime) -> int:
    """Ask by mail whether her lines may be published; gives back the notice. She sees exactly what would stand there.

    Raises:
        Refused: there is nothing to publish, or no letter to which it belongs.
        Conflict: she was asked already.
    """
    issue = session.get(Issue, conversation.issue_id) if conversation.issue_id else None
    text = text.replace("\r\n", "\n").strip()[:LONGEST]
    if issue is None or issue.state != "published" or message.kind != "in":
        raise Refused(mark("This mail belongs to no letter of the archive."))
    if not text:
        raise Refused(mark("Write something first."), field="text")
    if session.scalar(select(ReaderLetter.id).where(ReaderLetter.message_id == message.id)):
        raise Conflict(mark("This was asked already."))
    secret, speech = new_secret(), Speech(publication.language)
    wording = speech(QUESTION, subject=issue.subject, name=publication.name)
    session.add(
        ReaderLetter(
            publication_id=publication.id, issue_id=issue.id, conversation_id=conversation.id, message_id=message.id, digest=digest(secret), text=text,
            name=message.name, wording=wording, language=publication.language, asked_at=now,
        )
    )  # fmt: skip
    notice = queue(
        session, publication=publication, kind="reader", recipient=parse(message.email), form_host="", now=now, subject=issue.subject, text=text,
        link=links.reader_letter(secret),
    )  # fmt: skip
    return notice.id


def by_secret(session: Session, secret: str) -> ReaderLetter | None:
    """What somebody was asked."""
    return session.scalar(select(ReaderLetter).where(ReaderLetter.digest == digest(secret)))


def decide(session: Session, letter: ReaderLetter, *, agree: bool, name: str, now: datetime) -> None:
    """She says yes, under a name that she chooses, or no; a yes can be taken back at any time.

    Raises:
        Refused: without a name nothing is published.
    """
    name = visible(name)[:120]
    if agree and not name:
        raise Refused(mark("Under which name? A first name or initials are enough."), field="name")
    before = letter.state
    letter.state = "agreed" if agree else "withdrawn" if before in ("agreed", "withdrawn") else "declined"
    letter.name, letter.decided_at = name if agree else letter.name, now
    session.flush()
    if "agreed" in (before, letter.state):
        issue = session.get_one(Issue, letter.issue_id)
        # What stands below a letter belongs to how it appears; the archive makes the page anew.
        issue.appearance += 1
        request_build(session, publication_id=letter.publication_id, issue_id=letter.issue_id, now=now)


def of_conversation(session: Session, conversation_id: int) -> Sequence[ReaderLetter]:
    """What she was asked, and what she said."""
    return session.scalars(select(ReaderLetter).where(ReaderLetter.conversation_id == conversation_id)).all()
