"""What an SMTP conversation is made of: servers, phases, time limits, and how it fails.

A failure names its phase, because before the final dot a mail provably was not delivered
(RFC 5321 §4.1.1.10), and after it, without a reply, nobody knows (RULES S4).
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from newsletter.errors import BrieftaubeError
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
