"""Publications."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.orm import Base


class Publication(Base):
    """What one subscribes to. ``list_id`` never changes, mail programs sort by it (F6)."""

    __tablename__ = "publications"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'archived')", name="state"),
        CheckConstraint("language IN ('de', 'en')", name="language"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    byline: Mapped[str] = mapped_column(String(120), default="")
    promise: Mapped[str] = mapped_column(String(200), default="")
    about: Mapped[str] = mapped_column(Text, default="")
    rhythm: Mapped[str] = mapped_column(String(120), default="")
    greeting: Mapped[str] = mapped_column(String(40), default="")
    from_name: Mapped[str] = mapped_column(String(120))
    from_address: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    list_id: Mapped[str] = mapped_column(String(255), unique=True)
    language: Mapped[str] = mapped_column(String(5), default="de")
    timezone: Mapped[str] = mapped_column(String(60), default="Europe/Berlin")
    state: Mapped[str] = mapped_column(String(10), default="active")
    imprint_company: Mapped[str] = mapped_column(String(120), default="")
    imprint_person: Mapped[str] = mapped_column(String(120), default="")
    imprint_street: Mapped[str] = mapped_column(String(120), default="")
    imprint_place: Mapped[str] = mapped_column(String(120), default="")
    imprint_email: Mapped[str] = mapped_column(String(254), default="")
    imprint_phone: Mapped[str] = mapped_column(String(60), default="")
    imprint_vat: Mapped[str] = mapped_column(String(60), default="")
    imprint_more: Mapped[str] = mapped_column(Text, default="")
    archive_base: Mapped[str] = mapped_column(String(200), default="")
    theme: Mapped[str] = mapped_column(String(60), default="calm")
    accent: Mapped[str] = mapped_column(String(7), default="")
    logo: Mapped[str] = mapped_column(String(60), default="")
    ai_crawlers: Mapped[str] = mapped_column(String(10), default="allow")
    visibility: Mapped[str] = mapped_column(String(12), default="public")
    delay_days: Mapped[int] = mapped_column(default=3)
    hub: Mapped[str] = mapped_column(String(200), default="")
    mail_layout: Mapped[str] = mapped_column(String(12), default="letter", server_default="letter")
    mail_accent: Mapped[str] = mapped_column(String(7), default="", server_default="")  # empty: the pigeon's blue
    mail_paper: Mapped[str] = mapped_column(String(7), default="", server_default="")
    mail_font: Mapped[str] = mapped_column(String(12), default="serif", server_default="serif")
    mail_logo: Mapped[str] = mapped_column(String(60), default="", server_default="")
    mail_logo_width: Mapped[int] = mapped_column(default=120, server_default="120")
    mail_footer: Mapped[str] = mapped_column(Text, default="", server_default="")
    ask_feedback: Mapped[bool] = mapped_column(default=False, server_default=false())  # three answers at the end of each letter
    count_clicks: Mapped[bool] = mapped_column(default=False, server_default=false())  # whether readers are asked at all (L8)
    # The rhythm that was promised, as the calendar reckons it; ``rhythm`` says it to readers in words.
    cadence: Mapped[str] = mapped_column(String(10), default="", server_default="")
    cadence_from: Mapped[date | None]  # a day on which a letter is due; the others follow from it
    cadence_time: Mapped[str] = mapped_column(String(5), default="09:00", server_default="09:00")
    reminded_for: Mapped[date | None]  # the due day of which the author was reminded last
    created_at: Mapped[datetime]

    @property
    def imprint_complete(self) -> bool:
        """Whether § 5 DDG is satisfied: a name, an address where one can be found, a mail address (L7)."""
        return all((self.imprint_company or self.imprint_person, self.imprint_street, self.imprint_place, self.imprint_email))

    def imprint_lines(self) -> list[str]:
        """The imprint as lines of text, empty parts left out."""
        vat_label = "USt-IdNr." if self.language == "de" else "VAT ID"
        first = [self.imprint_company, self.imprint_person, self.imprint_street, self.imprint_place]
        second = [
            self.imprint_email,
            self.imprint_phone,
            f"{vat_label}\u00a0{self.imprint_vat}" if self.imprint_vat else "",
        ]
        lines = [" · ".join(part for part in row if part) for row in (first, second)]
        return [line for line in [*lines, *self.imprint_more.splitlines()] if line.strip()]


class SigningKey(Base):
    """A DKIM key of a domain. The private half is stored encrypted (P6); ``record`` is the TXT record to publish.

    new -> active -> retired. A retired one stays published for a while: mail on its way was signed with it.
    """

    __tablename__ = "signing_keys"
    __table_args__ = (
        UniqueConstraint("domain", "selector"),
        CheckConstraint("state IN ('new', 'active', 'retired')", name="state"),
        CheckConstraint("algorithm IN ('rsa', 'ed25519')", name="algorithm"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(String(253))
    selector: Mapped[str] = mapped_column(String(63))
    algorithm: Mapped[str] = mapped_column(String(10))
    private: Mapped[str] = mapped_column(Text)
    record: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="new")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]

    @property
    def host(self) -> str:
        """Where the record belongs."""
        return f"{self.selector}._domainkey.{self.domain}"
