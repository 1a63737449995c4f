"""Subscribers, subscriptions, consents, confirmations, leave links, suppressions, tags and proofs."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
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


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


# The same for queries: SQLite uses a partial index only where its condition stands in the query word for word.
IS_MONTHLY = text("subscriptions.rhythm = 'monthly'")


class Subscriber(Base):
    """A person at one canonical address."""

    __tablename__ = "subscribers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    canonical: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]


class Subscription(Base):
    """A subscriber of a publication. It cannot be active without a consent: the database sees to it (L1).

    ``answers`` are the answers to a form's own questions; they are written by :func:`compact`, so that an answer can be
    found in the stored text. ``tags`` are the numbers of tags between commas, and ``,`` in front and behind: with a
    million people one column is searched faster than a table of pairs.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "publication_id"),
        CheckConstraint("state IN ('pending', 'active', 'paused', 'unsubscribed')", name="state"),
        CheckConstraint("state NOT IN ('active', 'paused') OR consent_id IS NOT NULL", name="consent"),
        CheckConstraint("rhythm IN ('each', 'monthly')", name="rhythm"),
        Index("ix_subscriptions_publication_state", "publication_id", "state", "id"),
        Index("ix_subscriptions_channel_id", "channel_id", **_where("channel_id IS NOT NULL")),
        Index("ix_subscriptions_link_id", "link_id", **_where("link_id IS NOT NULL")),
        Index("ix_subscriptions_monthly", "publication_id", **_where("rhythm = 'monthly'")),
        Index("ix_subscriptions_paused_until", "paused_until", **_where("paused_until IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"))
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(15), default="pending")
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id", ondelete="SET NULL"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id", ondelete="SET NULL"))
    # No foreign key: the two tables would point at each other, and a consent cannot disappear anyway.
    consent_id: Mapped[int | None]
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    clicks_agreed_at: Mapped[datetime | None]  # since when she lets us count which links are followed (L8)
    paused_until: Mapped[datetime | None]
    rhythm: Mapped[str] = mapped_column(String(10), default="each", server_default="each")
    language: Mapped[str] = mapped_column(String(5), default="", server_default="")  # empty: the publication's
    answers: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    tags: Mapped[str] = mapped_column(Text, default="", server_default="")
    form_id: Mapped[int | None]
    import_id: Mapped[int | None]
    welcomed_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]  # when she last wrote back
    heard_id: Mapped[int | None]  # the channel by which she says to have heard of it; 0: by none of these
    # No foreign keys: whose share link brought her is needed until she confirms, and then counted there.
    recommended_by: Mapped[int | None]
    recommended: Mapped[int] = mapped_column(default=0, server_default="0")  # how many came by her share link

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
        CheckConstraint("kind IN ('asked', 'confirmed', 'changed', 'withdrawn', 'imported')", name="kind"),
        Index("ix_consents_subscription_id_id", "subscription_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    email: Mapped[str] = mapped_column(String(254))
    how: Mapped[str] = mapped_column(String(200))
    # No foreign key: a trigger keeps wordings from being deleted, and a million checks of the same number cost seconds.
    wording_id: Mapped[int]
    language: Mapped[str] = mapped_column(String(5))
    form_id: Mapped[int | None]
    page: Mapped[str] = mapped_column(String(500), default="")
    channel: Mapped[str] = mapped_column(String(120), default="")
    message_id: Mapped[str] = mapped_column(String(255), default="")
    evidence: Mapped[str] = mapped_column(String(500), default="", server_default="")
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class Confirmation(Base):
    """Something that only the owner of a mailbox can do, by a link that goes there. One use, by a row and not by the
    token string (T3).

    ``purpose``: confirm („Möchtest du …?“), move (to the address ``email``), or key, which opens the page with everything
    that is known about somebody, for an hour and as often as she likes.
    """

    __tablename__ = "confirmations"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(10), default="confirm", server_default="confirm")
    form_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    answers: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    created_at: Mapped[datetime] = mapped_column(index=True)
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
    """An address never to be mailed again, and why. Only a keyed hash of it is kept (L5).

    ``publication_id`` is empty for a mailbox that is dead for everybody; all else is between a person and one publication (L10).
    """

    __tablename__ = "suppressions"
    __table_args__ = (
        UniqueConstraint("fingerprint", "publication_id"),
        CheckConstraint("reason IN ('dead', 'full', 'complaint', 'erased', 'imported', 'by hand')", name="reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]


class Proof(Base):
    """What is left of a consent after its person was forgotten: enough to answer a claim, nothing to write to (L5)."""

    __tablename__ = "proofs"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    wording_id: Mapped[int] = mapped_column(ForeignKey("wordings.id"))
    how: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    keep_until: Mapped[datetime] = mapped_column(index=True)


class Tag(Base):
    """A word that a founder gives to people."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
