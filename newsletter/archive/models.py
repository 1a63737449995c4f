"""Builds of the public archive."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Build(Base):
    """One request to bring a publication's archive up to date, and what came of it."""

    __tablename__ = "builds"
    __table_args__ = (CheckConstraint("state IN ('queued', 'done', 'failed')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="queued", index=True)
    requested_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    written: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(500), default="")


class Touch(Base):
    """Something that the next build has to look at: an issue, or everything. Counted by the database and not by a clock."""

    __tablename__ = "touches"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    issue_id: Mapped[int | None]


class Target(Base):
    """One place where the archive is published besides this server. ``secret`` is stored encrypted (P6).

    Args:
        wish: what is to be done at ``next_attempt_at``: ``send`` or ``check``.
        good_at: when everything lay there last.
        wrong: how many files were missing or different when it was checked last.
    """

    __tablename__ = "targets"
    __table_args__ = (
        CheckConstraint("kind IN ('folder', 'rsync', 'git', 's3', 'webdav', 'sftp')", name="kind"),
        CheckConstraint("state IN ('active', 'paused')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="active")
    good_at: Mapped[datetime | None]
    files: Mapped[int] = mapped_column(default=0)
    checked_at: Mapped[datetime | None]
    wrong: Mapped[int] = mapped_column(default=0)
    wish: Mapped[str] = mapped_column(String(10), default="send")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
