"""Issues and their revisions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.errors import Conflict
from newsletter.orm import Base

MOVES = {
    "draft": {"scheduled", "published"},
    "scheduled": {"draft", "published"},
    "published": {"draft"},  # only while the mailing can still be taken back
}


class Issue(Base):
    """One number: subject, preheader, Markdown, tags. ``number`` is given when it goes out."""

    __tablename__ = "issues"
    __table_args__ = (
        UniqueConstraint("publication_id", "slug"),
        UniqueConstraint("publication_id", "number"),
        CheckConstraint("state IN ('draft', 'scheduled', 'published')", name="state"),
        CheckConstraint("kind IN ('letter', 'digest')", name="kind"),
        Index("ix_issues_publication_id_state", "publication_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10), default="letter", server_default="letter")  # or digest: made by the program
    number: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    slug: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(255), default="")
    preheader: Mapped[str] = mapped_column(String(255), default="")
    markdown: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]]
    revision: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    visibility: Mapped[str] = mapped_column(String(12), default="")  # empty: as the publication has it
    listed_from: Mapped[datetime | None]
    series: Mapped[str] = mapped_column(String(120), default="")
    language: Mapped[str] = mapped_column(String(5), default="")  # empty: the publication's
    authors: Mapped[list[str]] = mapped_column(default=list)
    cover: Mapped[str] = mapped_column(String(60), default="")
    cover_alt: Mapped[str] = mapped_column(String(300), default="")
    counterpart_id: Mapped[int | None]  # the same letter in another language
    old_slugs: Mapped[list[str]] = mapped_column(default=list)
    announced_at: Mapped[datetime | None]  # when other servers were told
    appearance: Mapped[int] = mapped_column(default=0)  # rises with every change of the above
    segment_id: Mapped[int | None]  # who gets it; empty: everybody
    planned_on: Mapped[date | None]  # where a draft stands in the calendar; nothing leaves by it
    ready_at: Mapped[datetime | None]  # when its author called it ready for review
    ready_by: Mapped[int | None]
    # Snippets and cards as they were when it left (I7): what was sent stays as it was.
    frozen: Mapped[dict[str, Any] | None]
    scheduled_at: Mapped[datetime | None]
    scheduled_zone: Mapped[str] = mapped_column(String(60), default="")
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    def become(self, state: str) -> None:
        """Change the state.

        Raises:
            Conflict: there is no way from the present state to that one.
        """
        if state not in MOVES[self.state]:
            raise Conflict("An issue that is %(old)s cannot become %(new)s.", old=self.state, new=state)
        self.state = state


class Revision(Base):
    """What an issue once said. Nothing typed is lost."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("issue_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    revision: Mapped[int]
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    subject: Mapped[str] = mapped_column(String(255))
    preheader: Mapped[str] = mapped_column(String(255))
    markdown: Mapped[str] = mapped_column(Text)
    # How it came about, when not by typing: merge, aside (set aside, because somebody else wrote there), back, mend.
    note: Mapped[str] = mapped_column(String(12), default="", server_default="")
    created_at: Mapped[datetime]


class Snippet(Base):
    """Markdown that several issues use. An issue that has left keeps the words that it left with."""

    __tablename__ = "snippets"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    markdown: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]


class Vote(Base):
    """How often an answer of a poll was chosen. Whose answers these were is stored nowhere."""

    __tablename__ = "votes"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    poll: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    choice: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(default=0)


class Comment(Base):
    """What an editor says to another one about a passage."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    quote: Mapped[str] = mapped_column(Text, default="")
    words: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class Idea(Base):
    """What one could write about some day."""

    __tablename__ = "ideas"

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    editor_id: Mapped[int | None] = mapped_column(ForeignKey("editors.id", ondelete="SET NULL"))
    words: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class ReaderLetter(Base):
    """An answer that may stand under the letter in the archive, if the person who wrote it agrees.

    ``wording`` is the question as it was asked, and ``text`` what was shown with it: that and nothing else is published.
    """

    __tablename__ = "reader_letters"
    __table_args__ = (CheckConstraint("state IN ('asked', 'agreed', 'declined', 'withdrawn')", name="state"), UniqueConstraint("message_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(9), default="asked")
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(120), default="")
    wording: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(5))
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Voice(Base):
    """One answer to a small question at the end of a letter, counted once for each person.

    ``fingerprint`` is a keyed hash of person and question: a second answer finds it and takes the place of the first, and
    nobody can read from it who it was (L8). Only sums are ever shown.
    """

    __tablename__ = "voices"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    question: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    choice: Mapped[int]
