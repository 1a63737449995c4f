"""Imports and what they refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.orm import Base

MOVES = {
    "uploaded": {"checking"},
    "checking": {"checked", "failed"},
    "checked": {"checking", "running"},
    "running": {"done", "failed"},
    "failed": {"checking", "undoing"},
    "done": {"undoing"},
    "undoing": {"undone"},
    "undone": set[str](),
}


class Import(Base):
    """A file with people in it, and how far its reading is.

    ``place`` is how many bytes of the file are done; it is written in the same transaction as the people, so that a
    process that dies in the middle goes on exactly there. ``basis`` says why these people may be written to, and
    ``evidence`` where that can be proved (L1); both stand in each person's consent.
    """

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("state IN ('uploaded', 'checking', 'checked', 'running', 'done', 'failed', 'undoing', 'undone')", name="state"),
        Index("ix_imports_publication_id_id", "publication_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(String(10), default="uploaded")
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    shape: Mapped[dict[str, Any]]  # encoding, delimiter, header, preset
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    basis: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    update: Mapped[bool] = mapped_column(default=True)
    place: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    ended: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    lease_until: Mapped[datetime | None]

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: there is no way from the present state to that one.
        """
        if state not in MOVES[self.state]:
            raise Conflict("An import that is %(old)s cannot become %(new)s.", old=self.state, new=state)
        self.state = state


class RefusedRow(Base):
    """A row that was not taken, and why. Forgotten with the file."""

    __tablename__ = "refused_rows"
    __table_args__ = (Index("ix_refused_rows_import_id_row", "import_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"))
    row: Mapped[int]
    email: Mapped[str] = mapped_column(String(254))
    reason: Mapped[str] = mapped_column(String(20))


class ChangedRow(Base):
    """What somebody was before an import added to her: her name, tags and answers. With it the import can be taken back."""

    __tablename__ = "changed_rows"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), index=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    tags: Mapped[str] = mapped_column(Text)
    answers: Mapped[str] = mapped_column(Text)
