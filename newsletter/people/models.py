"""Strokes: what was done to many people at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Stroke(Base):
    """One act on many people, and what they were before, so that it can be taken back."""

    __tablename__ = "strokes"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(10))
    tag_id: Mapped[int | None]
    before: Mapped[list[Any]] = mapped_column(JSON)
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
