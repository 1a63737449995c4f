"""Choosing and trying out a mail server."""

from datetime import datetime
from urllib.parse import quote

from sqlalchemy import delete
from sqlalchemy.orm import Session

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.mail.addresses import Address
from newsletter.mail.connection import Conversation
from newsletter.mail.smtp import SmtpError, Timeouts, server
from newsletter.tokens import Tokens
from newsletter.transports.models import Transport

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
