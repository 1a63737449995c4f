"""Conversations and their messages."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.i18n import mark
from newsletter.orm import Base

STATES = ("open", "answered", "closed")
PLACES = ("readers", "strangers", "spam")


class Conversation(Base):
    """One person, one matter.

    ``place`` is where it stands: with the readers, with the strangers, or folded away. ``waiting_since`` is the moment of the
    first mail that nobody has answered. ``suggestion`` is what a person should look at ("leave": she seems to want no more letters).
    """

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"place IN {PLACES}", name="place"),
        Index("ix_conversations_shelf", "publication_id", "place", "state", "last_at", "id"),
        Index("ix_conversations_publication_id_email", "publication_id", "email"),
        Index("ix_conversations_publication_id_answered_at", "publication_id", "answered_at"),
        Index("ix_conversations_waiting", "publication_id", "place", "state", "waiting_since"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="SET NULL"), index=True)
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"), index=True)
    place: Mapped[str] = mapped_column(String(9), default="readers")
    state: Mapped[str] = mapped_column(String(8), default="open")
    name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200), default="")
    preview: Mapped[str] = mapped_column(String(200), default="")
    labels: Mapped[list[str]]
    suggestion: Mapped[str] = mapped_column(String(10), default="")
    unread: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[datetime]
    last_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    # How long she waited for the first answer, in seconds; of it the page says how quick we usually are.
    waited: Mapped[int | None]
    answered_at: Mapped[datetime | None]

    @property
    def shelf(self) -> str:
        """Where it stands as long as it is no spam."""
        return "readers" if self.subscriber_id or self.issue_id else "strangers"

    @property
    def wait(self) -> timedelta:
        """How long she waited for the last answer."""
        return timedelta(seconds=self.waited or 0)

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: nobody has answered, so nothing is answered.
        """
        if state == "answered" and self.answered_at is None:
            raise Conflict(mark("Nobody has answered this yet."))
        self.state = state


class Message(Base):
    """One mail, one answer of ours, or one note that only editors see.

    Of a mail that came, ``text`` is what she wrote and ``folded`` what hung below it: quotes and signatures. ``arrival_id`` is
    where its bytes are; HTML and attachments are read from them and stored nowhere else.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("kind IN ('in', 'out', 'note', 'failed')", name="kind"),
        CheckConstraint("state IN ('', 'queued', 'accepted', 'failed')", name="state"),
        Index("ix_messages_open", "next_attempt_at", sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(6))
    at: Mapped[datetime]
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(200), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    folded: Mapped[str] = mapped_column(Text, default="")
    rich: Mapped[bool] = mapped_column(default=False)
    message_id: Mapped[str] = mapped_column(String(255), default="", index=True)
    in_reply_to: Mapped[str] = mapped_column(String(255), default="")
    references: Mapped[str] = mapped_column(String(4000), default="")
    arrival_id: Mapped[int | None] = mapped_column(index=True)
    # Of answers: where they stand on their way. ``sender`` of a mail that came is where she wants answers to go, if elsewhere.
    state: Mapped[str] = mapped_column(String(8), default="")
    sender: Mapped[str] = mapped_column(String(254), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(String(500), default="")


class Attachment(Base):
    """Something that came with a mail: its name and size. The bytes stay in the mail that was stored, at this part."""

    __tablename__ = "attachments"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    part: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]


class Word(Base):
    """That a word stands in a conversation. The search looks here; both databases find the beginning of a word by the key."""

    __tablename__ = "conversation_words"

    publication_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str] = mapped_column(String(24), primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True)


class SavedAnswer(Base):
    """An answer that one gives often."""

    __tablename__ = "saved_answers"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)
