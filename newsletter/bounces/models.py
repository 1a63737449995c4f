"""Bounces and complaints, one row for each delivery and each kind of trouble."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

KINDS = ("dead", "full", "temporary", "content", "sender", "unclear", "complaint")


class Bounce(Base):
    """What came back for one delivery (RULES B2).

    ``source`` says how we know: "reply" of the server at hand-over, "mail" that came back, "event" of a provider.
    ``consequence`` is what followed for the address: nothing, or the reason of its suppression.
    """

    __tablename__ = "bounces"
    __table_args__ = (
        # Servers, mails and providers say the same thing again; it counts once.
        UniqueConstraint("delivery_id", "kind"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("source IN ('reply', 'mail', 'event')", name="source"),
        Index("ix_bounces_publication_id_at", "publication_id", "at"),
        Index("ix_bounces_subscriber_id_at", "subscriber_id", "at"),
        Index("ix_bounces_mailing_id_kind", "mailing_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    mailing_id: Mapped[int] = mapped_column(ForeignKey("mailings.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id", ondelete="SET NULL"))
    provider: Mapped[str] = mapped_column(String(254), default="")
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(30), default="")
    source: Mapped[str] = mapped_column(String(5))
    status: Mapped[str] = mapped_column(String(12), default="")
    code: Mapped[int | None]
    text: Mapped[str] = mapped_column(String(500), default="")
    strong: Mapped[bool] = mapped_column(default=False)
    consequence: Mapped[str] = mapped_column(String(20), default="")
