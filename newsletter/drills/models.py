"""Drills."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base

SPANS = ("hours", "week", "forever")


class Drill(Base):
    """A rehearsed outage, with its dated result.

    ``target`` is what fails: ``channel:3``, ``operator:Meta`` or ``closed``. ``outcome`` holds the figures of that day;
    they are not counted anew later. ``events`` is the protocol: when, what, and what it says in numbers.
    """

    __tablename__ = "drills"
    __table_args__ = (CheckConstraint("span IN ('hours', 'week', 'forever')", name="span"), CheckConstraint("state IN ('open', 'closed')", name="state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    target: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(160))
    span: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="open")
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"))
    outcome: Mapped[dict[str, Any]]
    events: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Text, default="")
    begun_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
