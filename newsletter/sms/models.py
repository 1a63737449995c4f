"""Gateways, phones, and what is sent to them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

# SQLite uses a partial index only where its condition stands in the query word for word.
IS_QUEUED = text("text_messages.state = 'queued'")
IS_HANDED = text("text_messages.state = 'handing_over'")


class Gateway(Base):
    """How text messages leave: one HTTP request, described by a template.

    ``headers`` are stored encrypted, because they carry the key of the account (P6). ``price`` is in thousandths of a
    euro for each part of a message.
    """

    __tablename__ = "gateways"
    __table_args__ = (CheckConstraint("shape IN ('json', 'form', 'query')", name="shape"),)

    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    address: Mapped[str] = mapped_column(String(500))
    shape: Mapped[str] = mapped_column(String(10), default="json")
    headers: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(String(20), default="")
    success: Mapped[str] = mapped_column(String(200), default="")
    price: Mapped[int] = mapped_column(default=75)
    only_emergencies: Mapped[bool] = mapped_column(default=True)
    changed_at: Mapped[datetime]


class Phone(Base):
    """A reader's number, which she gave for emergencies and proved by typing in a code that went there.

    The code is kept as a keyed hash, for ten minutes and five tries.
    """

    __tablename__ = "phones"
    __table_args__ = (CheckConstraint("state IN ('pending', 'active', 'ended')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), unique=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    number: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="pending")
    code: Mapped[str] = mapped_column(String(64), default="")
    code_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Note(Base):
    """A text message to everybody who wants them, with what it cost."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    drill_id: Mapped[int | None]
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    body: Mapped[str] = mapped_column(Text)
    recipients: Mapped[int] = mapped_column(default=0)
    parts: Mapped[int] = mapped_column(default=1)
    cost: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class TextMessage(Base):
    """One message to one phone. Once it is being handed over it is never sent a second time by itself: a gateway charges for both."""

    __tablename__ = "text_messages"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'handing_over', 'accepted', 'failed', 'uncertain', 'cancelled')", name="state"),
        Index("ix_text_messages_open", "next_attempt_at", sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
        Index(
            "ix_text_messages_handed", "handed_at", sqlite_where=text("state = 'handing_over'"), postgresql_where=text("state = 'handing_over'")
        ),
        Index("ix_text_messages_phone_id", "phone_id"),
        Index("ix_text_messages_note_id_state", "note_id", "state"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("phones.id", ondelete="SET NULL"))
    note_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(15), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    reply: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    handed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
