"""Mailings, deliveries and attempts: the ledger (RULES §5.2)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, text
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

# Ended in another way than "accepted": few, and looked at one by one.
ODD_STATES = ("refused", "uncertain", "skipped", "expired", "cancelled")

_WAITING = text("state IN ('planned', 'deferred')")
_ODD = text("state IN ('refused', 'uncertain', 'skipped', 'expired', 'cancelled')")


# The same for queries. SQLite uses a partial index only where its condition stands in the query word for word.
IS_WAITING = text("deliveries.state IN ('planned', 'deferred')")
IS_ODD = text("deliveries.state IN ('refused', 'uncertain', 'skipped', 'expired', 'cancelled')")


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
    give_up_at: Mapped[datetime | None]
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

    ``claim_id`` says which claim it belongs to; nobody else may hand it over (I5). ``reference`` is the random part
    of the Message-ID and stays the same on every attempt (F5).
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # This way round it also finds what one person was sent.
        UniqueConstraint("subscriber_id", "mailing_id"),
        UniqueConstraint("mailing_id", "canonical"),
        CheckConstraint(f"state IN {DELIVERY_STATES}", name="state"),
        # Two small indexes in place of a large one: most rows are accepted and in neither, and every index that a
        # change of state touches costs as much as the row itself. What is in hands is found through its claim.
        Index("ix_deliveries_waiting", "mailing_id", "state", "next_attempt_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_deliveries_odd", "mailing_id", "state", "id", sqlite_where=_ODD, postgresql_where=_ODD),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="SET NULL"))
    # No foreign key: each subscription that is deleted would look through all deliveries. Whoever deletes one that may have
    # got letters empties this first, by the subscriber, for whom there is an index.
    subscription_id: Mapped[int | None]
    canonical: Mapped[str] = mapped_column(String(254))
    provider: Mapped[str] = mapped_column(String(254), default="")
    reference: Mapped[str] = mapped_column(String(40))
    transport_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(15), default="planned")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    claim_id: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]
    code: Mapped[int | None]
    enhanced: Mapped[str] = mapped_column(String(12), default="")
    reply: Mapped[str] = mapped_column(String(500), default="")


class Claiming(Base):
    """A batch of deliveries in the hands of one sender, until its lease is over.

    The lease stands here and not in the rows: one row is renewed instead of a thousand, and no index follows every
    delivery through its states. ``ids`` are the deliveries; those whose ``claim_id`` is another one meanwhile have moved on.
    """

    __tablename__ = "claims"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), index=True)
    lease_until: Mapped[datetime] = mapped_column(index=True)
    ids: Mapped[list[int]] = mapped_column(JSON)


class Click(Base):
    """How often a link of a letter was followed by those who agreed to be counted. By whom is stored nowhere (L8)."""

    __tablename__ = "clicks"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    link: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(default=0)


class Beat(Base):
    """How fast one worker is with a mailing, said every few seconds."""

    __tablename__ = "beats"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"), primary_key=True)
    worker: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime]
    rate: Mapped[float]


class Attempt(Base):
    """One SMTP transaction: how far it came and what was answered.

    A mail that was taken at the first try has none: its delivery says everything. ``phase`` is "decision" when a
    person settled it, and "evidence" when a mail server's log or the reader did.
    """

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
