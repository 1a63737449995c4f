"""Editors, memberships, sessions, throttles and what an installation knows about itself."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

ROLES = ("viewer", "author", "editor", "owner")


class Editor(Base):
    """A person who logs in."""

    __tablename__ = "editors"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(5), default="de")
    created_at: Mapped[datetime]


class Membership(Base):
    """The role that an editor has in a publication."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("editor_id", "publication_id"),
        CheckConstraint("role IN ('viewer', 'author', 'editor', 'owner')", name="role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    editor_id: Mapped[int] = mapped_column(ForeignKey("editors.id", ondelete="CASCADE"))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(10))


class LoginSession(Base):
    """One logged-in browser. Rows, not cookies, decide: deleting one logs it out (P1)."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    editor_id: Mapped[int] = mapped_column(ForeignKey("editors.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Throttle(Base):
    """A counter within a window of time: log-ins for an account, sign-ups for an address or a network."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Fact(Base):
    """One thing that the installation knows about itself: its set-up address, who works, since when."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(String(2000))
    changed_at: Mapped[datetime]
