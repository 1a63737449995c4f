"""What came in, word for word; and the doors that have to be opened: mailboxes and webhooks."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

PROVIDERS = ("ses", "mailgun", "postmark", "sendgrid", "brevo", "mailjet")


class Arrival(Base):
    """One mail or one call of a provider, stored before anybody tries to understand it (B4).

    ``sha256`` is of its bytes: what is delivered twice, by two doors or by a replay, is one. ``state`` is new, done,
    quarantined (it claims something that it cannot prove, or is for nobody here) or failed (we could not read it; ``why`` says so).
    """

    __tablename__ = "arrivals"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'done', 'quarantined', 'failed')", name="state"),
        Index("ix_arrivals_open", "next_attempt_at", sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'")),
        Index("ix_arrivals_state_received_at", "state", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    door: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    envelope_from: Mapped[str] = mapped_column(String(320), default="")
    envelope_to: Mapped[list[str]]
    sender: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(200), default="")
    size: Mapped[int]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(11), default="new")
    kind: Mapped[str] = mapped_column(String(12), default="")
    why: Mapped[str] = mapped_column(String(500), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]


class ArrivalBytes(Base):
    """The bytes of an arrival, apart from it, so that lists are short."""

    __tablename__ = "arrival_bytes"

    arrival_id: Mapped[int] = mapped_column(ForeignKey("arrivals.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    raw: Mapped[bytes] = mapped_column(LargeBinary)


class Mailbox(Base):
    """An IMAP mailbox that is read. ``uid`` is the last one that was stored, under this ``validity`` (RFC 3501 §2.3.1.1)."""

    __tablename__ = "mailboxes"
    __table_args__ = (UniqueConstraint("publication_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    host: Mapped[str] = mapped_column(String(253))
    port: Mapped[int]
    security: Mapped[str] = mapped_column(String(8))
    username: Mapped[str] = mapped_column(String(254))
    secret: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(String(200))
    validity: Mapped[int] = mapped_column(default=0)
    uid: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(500), default="")
    looked_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime]


class Hook(Base):
    """An address that a provider calls. The address is a secret of 192 bits, known to the provider alone (B8).

    ``key`` is what proves a call, encrypted: a signing key, a public key, a user and password for basic authentication, or
    the topic that may call.
    """

    __tablename__ = "hooks"
    __table_args__ = (CheckConstraint(f"provider IN {PROVIDERS}", name="provider"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(10))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    secret: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(String(300), default="")


class UsedToken(Base):
    """A token of a provider that was used already; a second call with it is a replay (B8)."""

    __tablename__ = "used_tokens"

    hook_id: Mapped[int] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
