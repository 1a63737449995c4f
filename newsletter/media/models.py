"""Images."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Image(Base):
    """An uploaded image. Its bytes lie in DATA_DIR/media under ``name``, which says nothing about it."""

    __tablename__ = "images"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    original: Mapped[str] = mapped_column(String(200))
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    alt: Mapped[str] = mapped_column(String(300), default="", server_default="")
    # The point that a crop keeps in sight, in per cent from the left and from the top.
    focus_x: Mapped[int] = mapped_column(default=50, server_default="50")
    focus_y: Mapped[int] = mapped_column(default=50, server_default="50")
    crop: Mapped[str] = mapped_column(String(70), default="", server_default="")  # its part around that point, for cards; empty: none was made
    created_at: Mapped[datetime]
