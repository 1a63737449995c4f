"""Notices."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Notice(Base):
    """One transactional mail and what became of it.

    ``facts`` is what its template needs; the worker makes the bytes of it, the same ones at every try. Once a server
    took them only their hash stays, because they contain a bearer token (T7) and the hash is what proves them (L2).
    """

    __tablename__ = "notices"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'accepted', 'failed')", name="state"),
        Index("ix_notices_open", "next_attempt_at", sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    sender: Mapped[str] = mapped_column(String(254))
    recipient: Mapped[str] = mapped_column(String(254))
    message_id: Mapped[str] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(5), default="", server_default="")
    form_host: Mapped[str] = mapped_column(String(253), default="", server_default="")
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)  # what an earlier version of the program left in the queue
    facts: Mapped[dict[str, Any] | None]
    subscription_id: Mapped[int | None] = mapped_column(index=True)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(String(500), default="")
