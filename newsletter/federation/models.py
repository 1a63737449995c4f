"""Followers, what is said to other servers, and what they say of us."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.orm import Base

MOVES = {
    "new": {"waiting", "gone", "refused"},
    "waiting": {"shown", "refused", "gone"},
    "shown": {"refused", "gone", "waiting"},
    "refused": {"shown", "gone"},
    "gone": {"waiting"},
}


class Follower(Base):
    """Somebody in the Fediverse who follows a publication. ``inbox`` is shared by everybody on a server, where there is such a one."""

    __tablename__ = "followers"
    __table_args__ = (UniqueConstraint("publication_id", "actor"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    actor: Mapped[str] = mapped_column(String(500))
    inbox: Mapped[str] = mapped_column(String(500))
    follow_id: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]


class ActorKey(Base):
    """The key with which a publication signs what it says to other servers. The private half is encrypted (P6)."""

    __tablename__ = "actor_keys"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    private: Mapped[str] = mapped_column(Text)
    public: Mapped[str] = mapped_column(Text)


class Ping(Base):
    """One message to another server: a hub, a page that was linked to, an inbox. Said once, tried again for days."""

    __tablename__ = "pings"
    __table_args__ = (
        UniqueConstraint("publication_id", "issue_id", "kind", "place"),
        CheckConstraint("kind IN ('websub', 'webmention', 'activity')", name="kind"),
        CheckConstraint("state IN ('queued', 'done', 'failed')", name="state"),
        Index("ix_pings_state_next_attempt_at", "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    issue_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(10))
    place: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]


class Mention(Base):
    """A page elsewhere that links to an issue. It is shown when an editor says so."""

    __tablename__ = "mentions"
    __table_args__ = (
        UniqueConstraint("issue_id", "source"),
        CheckConstraint("state IN ('new', 'waiting', 'shown', 'refused', 'gone')", name="state"),
        Index("ix_mentions_publication_id_state", "publication_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(500))
    target: Mapped[str] = mapped_column(String(500))
    author: Mapped[str] = mapped_column(String(120), default="")
    words: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(10), default="new")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: there is no way from the present state to that one.
        """
        if state != self.state and state not in MOVES[self.state]:
            raise Conflict("A mention that is %(old)s cannot become %(new)s.", old=self.state, new=state)
        self.state = state
