"""Forms and wordings."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Wording(Base):
    """A text that people consented to. Append-only: other words are another row, and triggers see to it (L2).

    ``digest`` is the SHA-256 of the text. Consents point here, so that a million of them need its words only once.
    """

    __tablename__ = "wordings"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)


class Form(Base):
    """A sign-up form: its words, what it asks for, and the consent that a person reads in it.

    ``fields`` are the form's own questions: ``key``, ``kind`` (text, choice, date, yes), ``label``, ``required`` and,
    for a choice, ``choices``. ``origins`` are the sites that may show it or post to it; none named means any.
    """

    __tablename__ = "forms"
    __table_args__ = (UniqueConstraint("publication_id", "slug"), CheckConstraint("state IN ('open', 'closed')", name="state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), index=True)
    slug: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10), default="open")
    name: Mapped[str] = mapped_column(String(120))
    headline: Mapped[str] = mapped_column(String(200))
    lead: Mapped[str] = mapped_column(Text, default="")
    button: Mapped[str] = mapped_column(String(60))
    consent: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(5), default="")  # empty: the publication's
    ask_name: Mapped[bool] = mapped_column(default=False)
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    tags: Mapped[list[str]] = mapped_column(default=list)
    origins: Mapped[list[str]] = mapped_column(default=list)
    show_letters: Mapped[bool] = mapped_column(default=True)
    show_readers: Mapped[bool] = mapped_column(default=False)
    thanks: Mapped[str] = mapped_column(Text, default="")
    thanks_url: Mapped[str] = mapped_column(String(500), default="")
    welcome: Mapped[bool] = mapped_column(default=True)
    welcome_text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]


class FormVersion(Base):
    """Since when a form has shown a wording; ``number`` counts them."""

    __tablename__ = "form_versions"
    __table_args__ = (UniqueConstraint("form_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("forms.id", ondelete="CASCADE"))
    number: Mapped[int]
    wording_id: Mapped[int] = mapped_column(ForeignKey("wordings.id"))
    since: Mapped[datetime]
