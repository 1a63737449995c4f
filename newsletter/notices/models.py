"""Notices."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Notice(Base):
    """One transactional mail and what became of it.

    ``raw`` holds the finished bytes until they are accepted; afterwards only their hash stays, because
    the bytes contain a bearer token (T7) and the hash is what proves them (L2).
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
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(String(500), default="")
