"""Which mail servers are in use."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.mail.smtp import Server, server
from newsletter.settings import Settings
from newsletter.tokens import Tokens
from newsletter.transports.models import Bucket, Transport


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


def get(session: Session, transport_id: int) -> Transport:
    """A mail server of the page.

    Raises:
        NotFound: there is none.
    """
    row = session.get(Transport, transport_id)
    if row is None:
        raise NotFound(mark("There is no such mail server."))
    return row


def limited(session: Session) -> list[Bucket]:
    """Providers that are limited or left alone for the moment."""
    wanted = or_(Bucket.count.is_not(None), Bucket.rest_until.is_not(None))
    return list(session.scalars(select(Bucket).where(Bucket.provider != "", wanted).order_by(Bucket.provider, Bucket.transport_id)))


def rows(session: Session) -> list[Transport]:
    """The mail servers of the page."""
    return list(session.scalars(select(Transport).order_by(Transport.weight.desc(), Transport.id)))
