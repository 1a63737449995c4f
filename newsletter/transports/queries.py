"""Which mail server is in use."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.settings import Settings
from newsletter.tokens import Tokens
from newsletter.transports.models import Transport


@dataclass(frozen=True)
class InUse:
    """The address of the mail server, and who chose it: settings, page or default."""

    address: str
    chosen_by: str

    @property
    def is_catcher(self) -> bool:
        return self.chosen_by == "default"


def in_use(session: Session, settings: Settings, tokens: Tokens) -> InUse:
    """The setting, or else what the page says, or else the built-in catcher."""
    if settings.smtp_url:
        return InUse(settings.smtp_url, "settings")
    row = session.scalar(select(Transport).order_by(Transport.id.desc()).limit(1))
    if row is not None:
        return InUse(tokens.decrypt(row.address), "page")
    return InUse(settings.catcher_url, "default")
