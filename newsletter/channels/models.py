"""Channels and the links that lead from them to the sign-up page."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

OWNERSHIPS = ("owned", "open", "closed")


class Channel(Base):
    """Where people come from: an own site, a fair, Instagram."""

    __tablename__ = "channels"
    __table_args__ = (
        UniqueConstraint("publication_id", "slug"),
        CheckConstraint("ownership IN ('owned', 'open', 'closed')", name="ownership"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    ownership: Mapped[str] = mapped_column(String(10))


class Link(Base):
    """A channel's own sign-up address: /l/<code>."""

    __tablename__ = "links"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    label: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]
