"""Mailings, deliveries and attempts: the ledger (RULES §5.2)."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.orm import Base

MAILING_MOVES = {
    "preparing": {"sending", "cancelled"},
    "sending": {"paused", "finished", "cancelled"},
    "paused": {"sending", "cancelled"},
    "finished": {"sending"},  # an operator decided that uncertain ones go once more
    "cancelled": set[str](),
}

DELIVERY_STATES = (
    "planned", "claimed", "handing_over", "accepted", "deferred",
    "refused", "uncertain", "skipped", "expired", "cancelled",
)  # fmt: skip

# I10: a mailing is finished when no delivery is in one of these.
OPEN_STATES = ("planned", "claimed", "handing_over", "deferred")

_OPEN = text("state IN ('planned', 'claimed', 'handing_over', 'deferred')")


class Mailing(Base):
    """One sending of an issue to a frozen audience, with frozen content (I7)."""

    __tablename__ = "mailings"
    __table_args__ = (
        UniqueConstraint("issue_id"),
        CheckConstraint("state IN ('preparing', 'sending', 'paused', 'finished', 'cancelled')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id"))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="preparing", index=True)
    content: Mapped[dict[str, Any]]
    content_sha256: Mapped[str] = mapped_column(String(64))
    audience: Mapped[int]
    created_at: Mapped[datetime]
    undo_until: Mapped[datetime]
    started_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime]
    setbacks: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(500), default="")

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: there is no way from the present state to that one.
        """
        if state not in MAILING_MOVES[self.state]:
            raise Conflict("A mailing that is %(old)s cannot become %(new)s.", old=self.state, new=state)
        self.state = state


class Delivery(Base):
    """One message to one subscriber. Its state is true at every moment.

    ``token`` and ``lease_until`` belong to the sender that claimed the row; nobody else may hand it
    over (I5). ``reference`` is the random part of the Message-ID and stays the same on every attempt (F5).
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        UniqueConstraint("mailing_id", "canonical"),
        CheckConstraint(f"state IN {DELIVERY_STATES}", name="state"),
        Index("ix_deliveries_open", "mailing_id", "next_attempt_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_deliveries_mailing_id_state", "mailing_id", "state", "id"),
        Index("ix_deliveries_subscriber_id", "subscriber_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="SET NULL"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="SET NULL"))
    canonical: Mapped[str] = mapped_column(String(254))
    reference: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(15), default="planned")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    token: Mapped[str | None] = mapped_column(String(40))
    lease_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    code: Mapped[int | None]
    enhanced: Mapped[str] = mapped_column(String(12), default="")
    reply: Mapped[str] = mapped_column(String(500), default="")


class Attempt(Base):
    """One SMTP transaction: how far it came and what was answered."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    at: Mapped[datetime]
    phase: Mapped[str] = mapped_column(String(12))
    outcome: Mapped[str] = mapped_column(String(15))
    code: Mapped[int | None]
    enhanced: Mapped[str] = mapped_column(String(12), default="")
    reply: Mapped[str] = mapped_column(String(500), default="")
