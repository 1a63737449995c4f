"""Channels, the links that lead from them to the sign-up page, what was counted, and how far it should come."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

OWNERSHIPS = ("owned", "open", "closed")


class Channel(Base):
    """Where people come from, or where one is read: an own site, a fair, Instagram.

    ``kind`` is its name in the catalogue. ``cost`` is in cents a month. ``profile`` is the own page there; ``linked_at``
    says when somebody put a link of ours on it. A channel that is not used any more has ended; what it brought stays.
    """

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
    kind: Mapped[str] = mapped_column(String(20), default="other", server_default="other")
    cost: Mapped[int] = mapped_column(default=0, server_default="0")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    profile: Mapped[str] = mapped_column(String(300), default="", server_default="")
    linked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Link(Base):
    """A channel's own sign-up address: /l/<code>.

    With ``landing`` it leads to a page of its own in the archive, which says ``headline`` and ``lead`` and names
    ``entries`` (label and url); with a ``path``, to that page of the archive; otherwise straight to the sign-up page.
    A deleted link has ended: its code is never given away again, and leads on to the publication.
    """

    __tablename__ = "links"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    label: Mapped[str] = mapped_column(String(120))
    landing: Mapped[bool] = mapped_column(default=False, server_default="0")
    headline: Mapped[str] = mapped_column(String(200), default="", server_default="")
    lead: Mapped[str] = mapped_column(Text, default="", server_default="")
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    path: Mapped[str] = mapped_column(String(200), default="", server_default="")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Figure(Base):
    """How large an audience was on one day, as its owner typed it in or a platform's export file said."""

    __tablename__ = "figures"
    __table_args__ = (CheckConstraint("source IN ('typed', 'export')", name="source"), CheckConstraint("number >= 0", name="number"))

    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(10), default="typed")


class Visit(Base):
    """How often a link was followed on one day (UTC), by people and by machines. Nothing else is known about anybody."""

    __tablename__ = "visits"
    __table_args__ = (CheckConstraint("kind IN ('person', 'machine')", name="kind"),)

    link_id: Mapped[int] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, default=0)


class Goal(Base):
    """How far the dependence of a publication should fall, and what its plan measures with.

    ``percent`` of the audience may hang on closed platforms by the day ``until``. ``list_share`` is how large the list
    should be, in per cent of the largest platform. Moments say when somebody was told.
    """

    __tablename__ = "goals"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    percent: Mapped[int] = mapped_column(default=50)
    until: Mapped[date | None] = mapped_column(Date)
    list_share: Mapped[int] = mapped_column(default=50)
    alert: Mapped[bool] = mapped_column(default=True)
    alerted_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
