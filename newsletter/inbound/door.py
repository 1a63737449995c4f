"""The door for mail servers: SMTP, or LMTP behind Postfix (RFC 5321, RFC 2033), by aiosmtpd.

A reply of 250 says that the mail is in the database; whatever goes wrong before is a 4xx, and the other side keeps it.
"""

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy.exc import SQLAlchemyError

from newsletter.errors import SettingsError
from newsletter.inbound import actions, queries
from newsletter.inbound.policy import LARGEST
from newsletter.mail.returning import shaped
from newsletter.process import Process

log = logging.getLogger(__name__)

# RFC 5321 §4.5.1: whoever takes mail for a domain takes it for its postmaster; RFC 2142 adds abuse.
ALWAYS = ("postmaster", "abuse")
RECIPIENTS = 100


class Doorkeeper:
    """Takes mail for our own addresses and for nobody else: this is no relay."""

    def __init__(self, process: Process, kind: str) -> None:
        self._process = process
        self._kind = kind

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 -- aiosmtpd finds it by this name
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 too many recipients"
        try:
            ours = await asyncio.to_thread(self._is_ours, address)
        except SQLAlchemyError:
            return "451 4.3.0 try again later"
        if not ours:
            return "550 5.1.1 nobody has this address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- the same
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            await asyncio.to_thread(self._keep, raw, (envelope.mail_from or "").strip("<>"), list(envelope.rcpt_tos))
            reply = "250 2.0.0 kept"
        except Exception:
            log.exception("a mail could not be stored")
            reply = "451 4.3.0 it could not be stored, try again later"
        # LMTP answers for each recipient (RFC 2033 §4.2).
        return "\r\n".join([reply] * (len(envelope.rcpt_tos) if self._kind == "lmtp" else 1))

    def _is_ours(self, address: str) -> bool:
        domain = self._process.settings.bounce_domain
        local, _, host = address.lower().rpartition("@")
        if shaped(domain, address) or (host == domain.lower() and local in ALWAYS):
            return True
        with self._process.reading() as session:
            return address.lower() in queries.our_addresses(session)

    def _keep(self, raw: bytes, sender: str, recipients: list[str]) -> None:
        with self._process.writing() as session:
            actions.keep(session, raw, door=self._kind, envelope_from=sender, envelope_to=recipients, now=self._process.clock())


def server_for(process: Process, kind: str, loop: asyncio.AbstractEventLoop) -> Callable[[], SMTP]:
    """What speaks with each connection."""
    keeper = Doorkeeper(process, kind)
    protocol = LMTP if kind == "lmtp" else SMTP

    def talk() -> SMTP:
        # A mail that says itself that it is too large is refused before its first byte; another one as soon as it is, and its bytes are dropped.
        return protocol(
            keeper, enable_SMTPUTF8=True, hostname=process.settings.bounce_domain, ident="Brieftaube", data_size_limit=LARGEST, timeout=300, loop=loop
        )

    return talk


async def serve(process: Process) -> None:
    """Take mail until cancelled.

    Raises:
        SettingsError: the port cannot be had.
    """
    parts = urlsplit(process.settings.inbound)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(server_for(process, parts.scheme, loop), parts.hostname or "127.0.0.1", parts.port or 25)
    except OSError as error:
        raise SettingsError(f"INBOUND: {parts.hostname}:{parts.port} cannot be listened on: {error.strerror or error}.") from error
    log.info("mail comes in at %s", process.settings.inbound)
    async with server:
        await server.serve_forever()
