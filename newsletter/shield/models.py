"""What waits in quarantine."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Held(Base):
    """A sign-up that looks like a machine's. It waits for a person to decide, and is forgotten like any other (L4)."""

    __tablename__ = "held"
    __table_args__ = (Index("ix_held_publication_id_id", "publication_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    canonical: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    via: Mapped[str] = mapped_column(String(60), default="")
    page: Mapped[str] = mapped_column(String(500), default="")
    reason: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
