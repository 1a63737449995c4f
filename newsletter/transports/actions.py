"""Choosing and trying out a mail server."""

from datetime import datetime
from urllib.parse import quote

from sqlalchemy import delete
from sqlalchemy.orm import Session

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.mail.addresses import Address
from newsletter.mail.conversation import Conversation
from newsletter.mail.providers import provider_of
from newsletter.mail.smtp import SmtpError, Timeouts, server
from newsletter.tokens import Tokens
from newsletter.transports import throttles
from newsletter.transports.models import Bucket, Transport

SECURITIES = {"starttls": "smtp+starttls", "tls": "smtps", "none": "smtp"}

# A person waits for the answer, so it must come before the browser gives up.
IMPATIENT = Timeouts(connect=8, command=8, data=8, dot=15)


def address_of(host: str, port: int, security: str, user: str, password: str) -> str:
    """An SMTP_URL from the fields of the page."""
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    return f"{SECURITIES[security]}://{login}{f'[{host}]' if ':' in host else host}:{port}"


def choose(session: Session, tokens: Tokens, *, address: str, now: datetime) -> int:
    """Use this mail server from now on. Gives back the id of its row."""
    session.execute(delete(Transport))
    row = Transport(name=server(address).host, address=tokens.encrypt(address), changed_at=now)
    session.add(row)
    session.flush()
    return row.id


def add(session: Session, tokens: Tokens, *, address: str, now: datetime) -> int:
    """Use this mail server besides those that are there. Gives back the id of its row."""
    row = Transport(name=server(address).host, address=tokens.encrypt(address), changed_at=now)
    session.add(row)
    session.flush()
    return row.id


def change(session: Session, transport: Transport, *, weight: int, count: int | None, seconds: int | None, warm_up: bool, now: datetime) -> None:
    """How much of the mail leaves by it, and how fast.

    Raises:
        Refused: the numbers make no sense.
    """
    if not 0 <= weight <= 100:
        raise Refused(mark("A share is a whole number from 0 to 100."), field="weight")
    if count is not None and not 1 <= count <= 10_000_000:
        raise Refused(mark("A limit is a whole number above 0, or empty for none."), field="count")
    transport.weight, transport.count, transport.seconds = weight, count, seconds if count else None
    transport.warm_up_from = (transport.warm_up_from or now.date()) if warm_up else None
    transport.changed_at = now
    session.flush()


def remove(session: Session, transport: Transport) -> None:
    """Do not use it any more."""
    session.execute(delete(Bucket).where(Bucket.transport_id == transport.id))
    session.delete(transport)
    session.flush()


def limit(session: Session, *, transport_id: int, provider: str, count: int | None, seconds: int) -> None:
    """At most so many mails for one provider by one transport; none lifts the limit.

    Raises:
        Refused: this is no domain, or no number.
    """
    provider = provider_of(provider.strip().lower().lstrip("@"))
    if not provider or len(provider) > 250 or any(letter.isspace() or letter in "/@?#" for letter in provider):
        raise Refused(mark("Enter the domain behind the @, such as gmx.de."), field="provider")
    if count is not None and not 1 <= count <= 10_000_000:
        raise Refused(mark("A limit is a whole number above 0, or empty for none."), field="count")
    row = throttles.bucket(session, (transport_id, provider))
    row.count, row.seconds, row.learned, row.ease = count, seconds if count else None, False, 1.0
    row.rest_until, row.setbacks, row.trouble = None, 0, ""
    session.flush()


def choose_catcher(session: Session) -> None:
    """Use the built-in catcher again."""
    session.execute(delete(Transport))


def send_once(address: str, name: str, sender: str, recipient: Address, raw: bytes) -> str:
    """Hand one mail over while a person waits; give back the server's words.

    Raises:
        Refused: it did not work; the sentence says at which point and what the server said.
    """
    try:
        with Conversation(server(address), name, IMPATIENT) as conversation:
            conversation.offer(sender, recipient, raw)
            return str(conversation.dot())
    except SmtpError as error:
        raise Refused(mark("The mail server said no (%(phase)s): %(why)s"), phase=error.phase.value, why=str(error)) from error
