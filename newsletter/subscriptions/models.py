"""Subscribers, subscriptions, consents, forms, confirmations, leave links and suppressions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.orm import Base

# What a subscription may become. Leaving is possible from everywhere, and coming back needs a new
# double opt-in, which passes through "pending" only in the confirmation, not in the state (PEERS §1:
# asking again must never un-confirm somebody).
MOVES = {
    "pending": {"active", "unsubscribed"},
    "active": {"paused", "unsubscribed"},
    "paused": {"active", "unsubscribed"},
    "unsubscribed": {"active"},
}


class Subscriber(Base):
    """A person at one canonical address."""

    __tablename__ = "subscribers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    canonical: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Form(Base):
    """A sign-up form: its words, and the consent that a person reads in it."""

    __tablename__ = "forms"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    headline: Mapped[str] = mapped_column(String(200))
    lead: Mapped[str] = mapped_column(Text, default="")
    button: Mapped[str] = mapped_column(String(60))
    consent: Mapped[str] = mapped_column(Text)
    ask_name: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Subscription(Base):
    """A subscriber of a publication. It cannot be active without a consent: the database sees to it (L1)."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "publication_id"),
        CheckConstraint("state IN ('pending', 'active', 'paused', 'unsubscribed')", name="state"),
        CheckConstraint("state NOT IN ('active', 'paused') OR consent_id IS NOT NULL", name="consent"),
        Index("ix_subscriptions_publication_state", "publication_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(15), default="pending")
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id", ondelete="SET NULL"), index=True)
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id", ondelete="SET NULL"), index=True)
    # No foreign key: the two tables would point at each other, and a consent cannot disappear anyway.
    consent_id: Mapped[int | None]
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: there is no way from the present state to that one.
        """
        if state not in MOVES[self.state]:
            raise Conflict("A subscription that is %(old)s cannot become %(new)s.", old=self.state, new=state)
        self.state = state


class Consent(Base):
    """Append-only proof: who was shown which words, when, where, and what they did (L2).

    A trigger forbids changes; each row holds the hash of the one before it.
    """

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("kind IN ('asked', 'confirmed', 'changed', 'withdrawn')", name="kind"),
        Index("ix_consents_subscription_id_id", "subscription_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    email: Mapped[str] = mapped_column(String(254))
    how: Mapped[str] = mapped_column(String(200))
    wording: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(5))
    form_id: Mapped[int | None]
    page: Mapped[str] = mapped_column(String(500), default="")
    channel: Mapped[str] = mapped_column(String(120), default="")
    message_id: Mapped[str] = mapped_column(String(255), default="")
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class Confirmation(Base):
    """An open question: „Möchtest du …?“ One use, by a row and not by the token string (T3)."""

    __tablename__ = "confirmations"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LeaveLink(Base):
    """The hash of one unsubscribe address. It works for ever, whatever happens to the secret key (U6, T4).

    ``used_at`` proves that the mail it stood in has arrived.
    """

    __tablename__ = "leave_links"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Suppression(Base):
    """An address never to be mailed again, and why. Only a keyed hash of it is kept (L5)."""

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
