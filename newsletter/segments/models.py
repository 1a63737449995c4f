"""Segments."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Segment(Base):
    """A part of a list: everybody whom all rules fit (or any of them).

    ``rules`` is a list of ``{"about", "how", "value"}``; :mod:`newsletter.segments.rules` knows what may stand there.
    """

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    every: Mapped[bool] = mapped_column(default=True)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime]
