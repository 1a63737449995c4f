"""Which mail servers are in use."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.mail.smtp import Server, server
from newsletter.settings import Settings
from newsletter.tokens import Tokens
from newsletter.transports.models import Transport


@dataclass(frozen=True)
class InUse:
    """A mail server: its address, who chose it (settings, page or default), and its row, 0 without one.

    ``weight`` is its share among several; 0 means that it steps in only when the others cannot.
    """

    address: str
    chosen_by: str
    id: int = 0
    name: str = ""
    weight: int = 1

    @property
    def is_catcher(self) -> bool:
        return self.chosen_by == "default"

    @property
    def server(self) -> Server:
        return server(self.address)


def all_in_use(session: Session, settings: Settings, tokens: Tokens) -> list[InUse]:
    """The one of the settings, or else those of the page, or else the built-in catcher. Never empty."""
    if settings.smtp_url:
        return [InUse(settings.smtp_url, "settings", name=server(settings.smtp_url).host)]
    rows = session.scalars(select(Transport).order_by(Transport.weight.desc(), Transport.id))
    found = [InUse(tokens.decrypt(row.address), "page", row.id, row.name, row.weight) for row in rows]
    return found or [InUse(settings.catcher_url, "default", name="catcher")]


def in_use(session: Session, settings: Settings, tokens: Tokens) -> InUse:
    """The first of them, for single mails."""
    return all_in_use(session, settings, tokens)[0]


def rows(session: Session) -> list[Transport]:
    """The mail servers of the page."""
    return list(session.scalars(select(Transport).order_by(Transport.weight.desc(), Transport.id)))
