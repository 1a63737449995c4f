"""An SMTP connection: opened, secured, logged in, and driven one phase at a time.

The body of a mail goes out without its final dot; :meth:`Connection.dot` is a step of its own, so that
somebody may commit in between. Where the server offers PIPELINING (RFC 2920), the dot and the envelope of the
next mail leave in one write, and a mail costs one round trip instead of four.
"""

import asyncio
import base64
import contextlib
import socket
import ssl
from typing import NoReturn

from newsletter.i18n import mark
from newsletter.mail.replies import Reply
from newsletter.mail.smtp import PATIENT, Phase, Server, SmtpError, Timeouts
from newsletter.mail.wire import Lost, Wire

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Connection:
    """One connection to a mail server.

    Args:
        name: what we call ourselves in EHLO.
        pipelining: False when this server has shown that it does not mean its offer.
    """

    def __init__(self, to: Server, name: str, timeouts: Timeouts = PATIENT, *, pipelining: bool = True) -> None:
        self._server = to
        self._name = name
        self._timeouts = timeouts
        self._may_pipeline = pipelining
        self._wire: Wire | None = None
        self._offers: dict[str, str] = {}
        self._plan: list[tuple[Phase, bytes]] = []  # commands of the present transaction that wait for their turn
        self._expected: list[Phase] = []  # commands that were sent and are not answered yet
        self._needs_reset = False
        self._in_body = False
        self.sent = 0
        self.lied = False

    @property
    def alive(self) -> bool:
        return self._wire is not None and self._wire.alive

    @property
    def pipelining(self) -> bool:
        return self._may_pipeline and "PIPELINING" in self._offers

    def look_at_the_time(self) -> None:
        """Give up a wait that took too long. Somebody has to call this now and then."""
        if self._wire is not None:
            self._wire.look_at_the_time()

    async def open(self) -> None:
        """Connect, greet, secure, log in.

        Raises:
            SmtpError: with the phase. None of these failures says anything about a recipient (D2).
        """
        loop, to = asyncio.get_running_loop(), self._server
        context = ssl.create_default_context() if to.security != "none" else None
        wire = Wire(loop)
        secure, host = (context, to.host) if to.security == "tls" else (None, None)
        try:
            async with asyncio.timeout(self._timeouts.connect):
                await loop.create_connection(lambda: wire, to.host, to.port, ssl=secure, server_hostname=host)
        except (OSError, ValueError) as error:
            raise SmtpError(Phase.CONNECT, None, _why(error)) from error
        self._wire = wire
        await self._expect(Phase.GREETING, 220)
        await self._greet()
        if to.security == "starttls" and context is not None:
            await self._secure(loop, wire, context)
        if to.user:
            await self._log_in()

    async def _greet(self) -> None:
        self._write(f"EHLO {self._name}\r\n".encode("ascii"))
        await self._expect(Phase.EHLO, 250)
        lines = self._wire.lines[1:] if self._wire else []
        words = (line.decode("ascii", "replace").strip().upper().partition(" ") for line in lines)
        self._offers = {word: rest for word, _, rest in words if word}

    async def _secure(self, loop: asyncio.AbstractEventLoop, wire: Wire, context: ssl.SSLContext) -> None:
        # F15: no fallback to plain text, and no password before it is encrypted.
        if "STARTTLS" not in self._offers:
            self._fail(Phase.STARTTLS, None, mark("The server offers no encryption (STARTTLS)."))
        self._write(b"STARTTLS\r\n")
        await self._expect(Phase.STARTTLS, 220)
        if wire.unasked or wire.transport is None:
            # Whatever was injected before the encryption must not be read after it (CVE-2011-0411).
            self._fail(Phase.STARTTLS, None, mark("The server answered something that is no reply."))
        try:
            async with asyncio.timeout(self._timeouts.connect):
                transport = await loop.start_tls(wire.transport, wire, context, server_hostname=self._server.host)
        except (OSError, ValueError) as error:
            self._fail(Phase.STARTTLS, None, _why(error))
        if transport is None:
            self._fail(Phase.STARTTLS, None, mark("The server closed the connection."))
        wire.use(transport)
        await self._greet()

    async def _log_in(self) -> None:
        to, offered = self._server, self._offers.get("AUTH", "").split()
        if to.security == "none" and to.host not in LOOPBACK:
            self._fail(Phase.AUTH, None, mark("A password is not sent without encryption."))
        if "PLAIN" in offered:
            self._write(b"AUTH PLAIN " + _b64(f"\0{to.user}\0{to.password}") + b"\r\n")
        elif "LOGIN" in offered:
            self._write(b"AUTH LOGIN\r\n")
            await self._expect(Phase.AUTH, 334)
            self._write(_b64(to.user) + b"\r\n")
            await self._expect(Phase.AUTH, 334)
            self._write(_b64(to.password) + b"\r\n")
        else:
            self._fail(Phase.AUTH, None, mark("The server offers no way to log in that we know (PLAIN or LOGIN)."))
        await self._expect(Phase.AUTH, 235)

    def refuses(self, recipient: str, size: int) -> SmtpError | None:
        """Why this server could not take such a mail, before it is asked."""
        if not recipient.isascii() and "SMTPUTF8" not in self._offers:
            # RFC 6531 §3.5; trying again would change nothing (F10).
            return SmtpError(Phase.RCPT, Reply(553, "5.6.7 the server cannot take this address (SMTPUTF8)"))
        limit = self._offers.get("SIZE", "")
        if limit.isdigit() and 0 < int(limit) < size:
            return SmtpError(Phase.MAIL, Reply(552, f"5.3.4 the server takes at most {limit} bytes, this mail has {size}"))
        return None

    def begin(self, sender: str, recipient: str, size: int, prefix: bytes = b"") -> None:
        """Send the envelope: all at once with PIPELINING, else the first command.

        Args:
            sender: the envelope sender; bounces come back to it.
            recipient: the address as SMTP carries it.
            size: bytes of the mail (RFC 1870).
            prefix: what goes out in the same write, such as the dot of the mail before.
        """
        options = f" SIZE={size}" if "SIZE" in self._offers else ""
        if not recipient.isascii():
            options += " SMTPUTF8 BODY=8BITMIME"
        commands = [
            (Phase.MAIL, f"MAIL FROM:<{sender}>{options}\r\n".encode()),
            (Phase.RCPT, f"RCPT TO:<{recipient}>\r\n".encode()),
            (Phase.DATA, b"DATA\r\n"),
        ]
        if self._needs_reset:
            commands.insert(0, (Phase.MAIL, b"RSET\r\n"))
        first = len(commands) if self.pipelining else 1
        self._expected += [phase for phase, _ in commands[:first]]
        self._plan = commands[first:]
        self._needs_reset = True
        self._write(prefix + b"".join([command for _, command in commands[:first]]))

    async def go_ahead(self) -> None:
        """Read the answers to the envelope until the server waits for the body.

        Raises:
            SmtpError: with the phase; the connection may be used again when ``alive`` is still true.
        """
        failed: SmtpError | None = None
        while self._expected or self._plan:
            if not self._expected:
                if failed:
                    break
                phase, command = self._plan.pop(0)
                self._expected.append(phase)
                self._write(command)
            phase = self._expected[0]
            reply = await self._next(phase, self._timeouts.data if phase is Phase.DATA else self._timeouts.command)
            if reply.code == 421:
                self._fail(phase, reply)
            good = reply.code == 354 if phase is Phase.DATA else 200 <= reply.code < 300
            if failed and phase is Phase.DATA and reply.code == 354:
                # The server waits for a body although it took no recipient. Only hanging up is safe.
                self._drop()
            elif not good and not failed:
                failed = SmtpError(phase, reply)
        self._plan = []
        if failed:
            raise failed
        self._in_body = True

    async def body(self, raw: bytes) -> None:
        """Send a mail without its final dot. The server must still discard all of it.

        Args:
            raw: lines ending in CRLF, no line beginning with a dot (:func:`stuffed` sees to that).

        Raises:
            SmtpError: the connection broke.
        """
        self._write(raw)
        if self._wire is None:
            raise SmtpError(Phase.BODY, None, mark("The connection is closed."))
        try:
            await self._wire.drained(self._timeouts.data)
        except Lost as error:
            self._fail(Phase.BODY, None, str(error))

    def ready_for_the_dot(self) -> bool:
        """Whether nothing has gone wrong since the body: no close, no 421 that nobody asked for."""
        return self._wire is not None and self._wire.alive and not self._wire.unasked

    def dot(self, after: tuple[str, str, int] | None = None) -> None:
        """The final dot. From here on only :meth:`outcome` tells whether the mail was taken.

        Args:
            after: sender, recipient and size of the next mail, whose envelope leaves in the same write.
        """
        self._needs_reset = False
        if after:
            self._expected.append(Phase.DOT)
            self.begin(*after, prefix=b".\r\n")
        else:
            self._expected.append(Phase.DOT)
            self._write(b".\r\n")

    async def outcome(self) -> Reply:
        """The reply to the dot.

        Raises:
            SmtpError: with phase DOT; without a reply the outcome is unknown.
        """
        reply = await self._next(Phase.DOT, self._timeouts.dot)
        self._in_body = False
        if reply.code == 421:
            self._drop()
        if not 200 <= reply.code < 300:
            raise SmtpError(Phase.DOT, reply)
        self.sent += 1
        return reply

    def abandon(self) -> None:
        """Close without a dot, so that the server has to discard what it got (RFC 5321 §4.1.1.10)."""
        self._drop()

    async def close(self, seconds: float = 5) -> None:
        """End the conversation politely, or simply when a transaction is open."""
        if self.alive and not self._in_body and not self._expected:
            self._write(b"QUIT\r\n")
            with contextlib.suppress(SmtpError):
                await self._next(Phase.EHLO, seconds)
        self._drop()

    async def _next(self, phase: Phase, seconds: float) -> Reply:
        if self._wire is None:
            raise SmtpError(phase, None, mark("The connection is closed."))
        try:
            reply = await self._wire.reply(seconds)
        except Lost as error:
            # A server that reads one command at a time throws the others away and then waits for ever.
            self.lied = self.pipelining and phase not in (Phase.DOT, Phase.EHLO) and str(error) == _TOO_LATE
            self._fail(phase, None, str(error))
        if self._expected:
            self._expected.pop(0)
        return reply

    async def _expect(self, phase: Phase, code: int) -> Reply:
        reply = await self._next(phase, self._timeouts.command)
        if reply.code != code:
            self._fail(phase, reply)
        return reply

    def _write(self, data: bytes) -> None:
        if self._wire is not None:
            self._wire.write(data)

    def _fail(self, phase: Phase, reply: Reply | None, why: str = "") -> NoReturn:
        self._drop()
        raise SmtpError(phase, reply, why)

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.drop(mark("The connection is closed."))
        self._expected, self._plan = [], []


_TOO_LATE = mark("The server did not answer in time.")


def stuffed(raw: bytes) -> bytes:
    """A mail as it goes over the wire: a dot before each line that begins with one (RFC 5321 §4.5.2)."""
    raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    return b"." + raw.replace(b"\r\n.", b"\r\n..") if raw.startswith(b".") else raw.replace(b"\r\n.", b"\r\n..")


def _b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return _TOO_LATE
    if isinstance(error, ConnectionRefusedError):
        return mark("Nobody listens at the address of the mail server.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return mark("The server's certificate is not valid.")
    if isinstance(error, socket.gaierror):
        return mark("The name of the mail server is not known.")
    if isinstance(error, ssl.SSLError | ConnectionError):
        return mark("The server closed the connection.")
    return f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
