"""An SMTP conversation, driven one phase at a time.

``smtplib.send_message`` raises the same error for a connection lost before the final dot, when the mail
provably was not delivered (RFC 5321 §4.1.1.10), and after it, when nobody knows (RULES S4). So the phases
are driven here, and the body goes out without its final dot until somebody says :meth:`Conversation.dot`.
"""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import unquote, urlsplit

from newsletter.errors import BrieftaubeError
from newsletter.i18n import mark
from newsletter.mail.addresses import Address
from newsletter.mail.replies import Reply


class Phase(StrEnum):
    """How far a transaction came."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class SmtpError(BrieftaubeError):
    """A transaction ended early. ``reply`` is None when the connection was lost or nothing was said."""

    def __init__(self, phase: Phase, reply: Reply | None, why: str = "") -> None:
        super().__init__(str(reply) if reply else why)
        self.phase = phase
        self.reply = reply


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait, by phase (RFC 5321 §4.5.3.2). Too short after the dot makes duplicates (RFC 1047)."""

    connect: float = 30
    command: float = 300
    data: float = 180
    dot: float = 600


PATIENT = Timeouts()


@dataclass(frozen=True)
class Server:
    """A mail server: what an SMTP_URL says."""

    host: str
    port: int
    security: str = "none"
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        # P6: a password never reaches a log or a traceback.
        return f"Server({self.security}, {self.host}:{self.port})"


def server(url: str) -> Server:
    """Read ``smtp://``, ``smtps://`` or ``smtp+starttls://user:password@host:port``."""
    parts = urlsplit(url)
    security = {"smtp": "none", "smtps": "tls", "smtp+starttls": "starttls"}[parts.scheme]
    port = parts.port or {"none": 25, "tls": 465, "starttls": 587}[security]
    return Server(parts.hostname or "", port, security, unquote(parts.username or ""), unquote(parts.password or ""))


class Conversation:
    """One connection. Use as a context manager; leaving it says QUIT when nothing is open.

    Args:
        name: what we call ourselves in EHLO.
    """

    def __init__(self, to: Server, name: str, timeouts: Timeouts = PATIENT) -> None:
        self._server = to
        self._name = name
        self._timeouts = timeouts
        self._smtp: smtplib.SMTP | None = None
        self._open_transaction = False
        self.sent = 0

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self._smtp is not None

    def open(self) -> None:
        """Connect, greet, secure, log in.

        Raises:
            SmtpError: with the phase. None of these failures says anything about a recipient (D2).
        """
        to, limit = self._server, self._timeouts
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = (
            smtplib.SMTP_SSL(timeout=limit.connect, context=context, local_hostname=self._name)
            if to.security == "tls"
            else smtplib.SMTP(timeout=limit.connect, local_hostname=self._name)
        )
        # smtplib checks the certificate against this name in STARTTLS; connect() alone does not set it.
        smtp._host = to.host  # type: ignore[attr-defined]
        try:
            code, text = smtp.connect(to.host, to.port)
        except smtplib.SMTPException as error:
            raise SmtpError(Phase.GREETING, None, _why(error)) from error
        except OSError as error:
            raise SmtpError(Phase.CONNECT, None, _why(error)) from error
        self._smtp = smtp
        self._patience(limit.command)
        if code != 220:
            self._fail(Phase.GREETING, Reply(code, _text(text)))
        self._expect(Phase.EHLO, smtp.ehlo, 250)
        if to.security == "starttls":
            self._secure(smtp, context)
        if to.user:
            self._log_in(smtp)

    def _secure(self, smtp: smtplib.SMTP, context: ssl.SSLContext) -> None:
        # F15: no fallback to plain text, and no password before it is encrypted.
        if not smtp.has_extn("starttls"):
            self._fail(Phase.STARTTLS, None, mark("The server offers no encryption (STARTTLS)."))
        self._expect(Phase.STARTTLS, lambda: smtp.starttls(context=context), 220)
        self._expect(Phase.EHLO, smtp.ehlo, 250)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        if self._server.security == "none" and self._server.host not in ("localhost", "127.0.0.1", "::1"):
            self._fail(Phase.AUTH, None, mark("A password is not sent without encryption."))
        try:
            smtp.login(self._server.user, self._server.password)
        except smtplib.SMTPAuthenticationError as error:
            self._fail(Phase.AUTH, Reply(error.smtp_code, _text(error.smtp_error)))
        except (smtplib.SMTPException, OSError) as error:
            self._fail(Phase.AUTH, None, _why(error))

    def offer(self, sender: str, recipient: Address, raw: bytes) -> None:
        """Everything up to the last byte before the final dot. The server must still discard all of it.

        Args:
            sender: the envelope sender; bounces come back to it.
            raw: the mail, lines ending in CRLF.

        Raises:
            SmtpError: with the phase; the connection may be used again when ``alive`` is still true.
        """
        smtp = self._needed()
        self._patience(self._timeouts.command)
        options = [f"SIZE={len(raw)}"] if smtp.has_extn("size") else []
        if recipient.needs_smtputf8:
            if not smtp.has_extn("smtputf8"):
                raise SmtpError(Phase.RCPT, Reply(553, "5.6.7 the server cannot take this address (SMTPUTF8)"))
            options += ["SMTPUTF8", "BODY=8BITMIME"]
            smtp.command_encoding = "utf-8"
        self._open_transaction = True
        self._expect(Phase.MAIL, lambda: smtp.mail(sender, options), 250)
        self._expect(Phase.RCPT, lambda: smtp.rcpt(recipient.wire), 250, 251)
        self._patience(self._timeouts.data)
        self._expect(Phase.DATA, lambda: smtp.docmd("DATA"), 354)
        try:
            # Dot-stuffing (RFC 5321 §4.5.2); the raw mail has CRLF line ends already.
            self._socket().sendall(b"\r\n".join(b"." + line if line.startswith(b".") else line for line in raw.removesuffix(b"\r\n").split(b"\r\n")) + b"\r\n")
        except OSError as error:
            self._fail(Phase.BODY, None, _why(error))

    def dot(self) -> Reply:
        """The final dot. From here on only the reply tells whether the mail was taken.

        Raises:
            SmtpError: with phase DOT; without a reply the outcome is unknown.
        """
        smtp = self._needed()
        self._patience(self._timeouts.dot)
        try:
            self._socket().sendall(b".\r\n")
            code, text = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._fail(Phase.DOT, None, _why(error))
        self._open_transaction = False
        reply = Reply(code, _text(text))
        if code == 421:
            self._drop()
        if code < 200 or code >= 600:
            # S17: garbage is no answer. The transaction's outcome is as unknown as with none.
            self._fail(Phase.DOT, None, mark("The server answered something that is no reply."))
        if not 200 <= code < 300:
            raise SmtpError(Phase.DOT, reply)
        self.sent += 1
        return reply

    def abandon(self) -> None:
        """Close without a dot, so that the server has to discard what it got (RFC 5321 §4.1.1.10)."""
        self._drop()

    def close(self) -> None:
        """End the conversation politely, or simply when a transaction is open."""
        if self._smtp and not self._open_transaction:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._patience(5)
                self._smtp.quit()
        self._drop()

    def _expect(self, phase: Phase, command: Callable[[], tuple[int, bytes]], *codes: int) -> None:
        try:
            code, text = command()
        except smtplib.SMTPResponseException as error:
            self._fail(phase, Reply(error.smtp_code, _text(error.smtp_error)))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._fail(phase, None, _why(error))
        if code in codes:
            return
        if not 200 <= code < 600:
            self._fail(phase, None, mark("The server answered something that is no reply."))
        reply = Reply(code, _text(text))
        if phase in (Phase.MAIL, Phase.RCPT, Phase.DATA) and code != 421:
            self._reset()
            raise SmtpError(phase, reply)
        self._fail(phase, reply)

    def _reset(self) -> None:
        try:
            if self._needed().rset()[0] == 250:
                self._open_transaction = False
                return
        except (smtplib.SMTPException, OSError):
            pass
        self._drop()

    def _fail(self, phase: Phase, reply: Reply | None, why: str = "") -> NoReturn:
        self._drop()
        raise SmtpError(phase, reply, why)

    def _drop(self) -> None:
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.close()
        self._smtp = None
        self._open_transaction = False

    def _needed(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise SmtpError(Phase.CONNECT, None, mark("The connection is closed."))
        return self._smtp

    def _socket(self) -> socket.socket:
        sock = self._needed().sock
        if sock is None:
            raise OSError(mark("The connection is closed."))
        return sock

    def _patience(self, seconds: float) -> None:
        if self._smtp is not None and self._smtp.sock is not None:
            self._smtp.sock.settimeout(seconds)


def _text(text: bytes | str) -> str:
    raw = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join("".join(letter if letter.isprintable() else " " for letter in raw).split())[:400]


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return mark("The server did not answer in time.")
    if isinstance(error, ConnectionRefusedError):
        return mark("Nobody listens at the address of the mail server.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return mark("The server's certificate is not valid.")
    if isinstance(error, socket.gaierror):
        return mark("The name of the mail server is not known.")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return mark("The server closed the connection.")
    return f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
