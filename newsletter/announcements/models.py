"""Outlets and announcements."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.orm import Base

# ready: waits for somebody to let it go. todo: a person has to post it. Everything else happens by itself.
MOVES = {
    "ready": {"queued", "todo", "cancelled"},
    "queued": {"posted", "failed", "cancelled", "ready"},
    "failed": {"queued", "cancelled"},
    "todo": {"done", "cancelled"},
    "done": {"todo"},
    "cancelled": {"ready", "todo"},
    "posted": set[str](),
}


# SQLite uses a partial index only where its condition stands in the query word for word.
IS_QUEUED = text("announcements.state = 'queued'")


class Outlet(Base):
    """An account on Mastodon or Bluesky that announcements go out by. The token is stored encrypted (P6).

    ``facts`` is what the server says about itself: how long a post may be, which account this is. With ``automatic``
    nobody has to let an announcement go.
    """

    __tablename__ = "outlets"
    __table_args__ = (CheckConstraint("kind IN ('mastodon', 'bluesky')", name="kind"), CheckConstraint("state IN ('active', 'refused')", name="state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    server: Mapped[str] = mapped_column(String(200))
    handle: Mapped[str] = mapped_column(String(200))
    secret: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    automatic: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(10), default="active")
    problem: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]


class Announcement(Base):
    """A post about an issue, or about an outage, on one channel.

    ``key`` never changes: servers that know it post once, however often they are asked. ``handed_at`` says that a server
    may have it already; whoever tries again looks there first. ``link_id`` is its own link, so that it is known what the
    post brought.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        UniqueConstraint("issue_id", "channel_id"),
        CheckConstraint("way IN ('mastodon', 'bluesky', 'hand')", name="way"),
        CheckConstraint("state IN ('ready', 'queued', 'posted', 'failed', 'cancelled', 'todo', 'done')", name="state"),
        Index("ix_announcements_open", "next_attempt_at", sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'")),
        Index("ix_announcements_publication_id_state", "publication_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    drill_id: Mapped[int | None] = mapped_column(index=True)
    outlet_id: Mapped[int | None] = mapped_column(ForeignKey("outlets.id", ondelete="SET NULL"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id", ondelete="SET NULL"))
    way: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    image: Mapped[str] = mapped_column(String(60), default="")
    key: Mapped[str] = mapped_column(String(40), unique=True)
    remote: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(500), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    handed_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: there is no way from the present state to that one.
        """
        if state not in MOVES[self.state]:
            raise Conflict("An announcement that is %(old)s cannot become %(new)s.", old=self.state, new=state)
        self.state = state
