"""A letter that has arrived at Ada's, and mails that come back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.inbound import actions
from newsletter.inbound.models import Arrival
from newsletter.inbound.understanding import understand
from newsletter.mail.returning import returning
from tests.deliveries.conftest import Post, new_post  # noqa: F401 -- a fixture

CLIENTS = Path(__file__).parents[1] / "conversations" / "clients"


class Inbox:
    """Somewhere mails come back to."""

    def __init__(self, post: Post) -> None:
        self.post, self.process = post, post.process
        self.delivery = post.rows()[0]
        self.sent = post.faults.accepted[0]

    @property
    def verp(self) -> str:
        return self.address("b")

    def address(self, purpose: str, number: int | None = None) -> str:
        return returning(self.process.tokens, self.process.settings.bounce_domain, purpose, number or self.delivery.id)

    @property
    def message_id(self) -> str:
        return re.search(rb"(?m)^Message-ID: (<[^>]+>)", self.sent)[1].decode()

    def take(self, raw: bytes, *, to: str = "mira@saatgarten.example", door: str = "lmtp", sender: str = "") -> Arrival:
        """Store a mail and look at it; gives back what became of it."""
        with self.process.writing() as session:
            number = actions.keep(session, raw, door=door, envelope_from=sender, envelope_to=[to] if to else [], now=self.process.clock())
        assert number is not None
        understand(self.process, number)
        return self.arrival(number)

    def arrival(self, number: int) -> Arrival:
        with self.process.reading() as session:
            return session.get_one(Arrival, number)

    def written_by(
        self, client: str, *, message_id: str = "", subject: str = "Die erste Bohne", sender: str = "leser0@example.org", number: str = "1"
    ) -> bytes:
        """What a mail program sends when somebody presses "answer"."""
        reference = message_id or self.message_id
        values = {"ID": reference, "REFERENCES": reference, "SUBJECT": subject, "FROM": sender, "N": number}
        raw = (CLIENTS / f"{client}.eml").read_bytes().decode()
        for name, value in values.items():
            raw = raw.replace("{" + name + "}", value)
        return raw.encode()


@pytest.fixture
def inbox(new_post: Callable[..., Post]) -> Inbox:  # noqa: F811
    post = new_post(readers=3, settings={"bounce_domain": "bounces.saatgarten.example", "inbound": "pipe"})
    post.send()
    return Inbox(post)


def dsn(address: str, *, to: str, status: str = "5.1.1", words: str = "550 5.1.1 no such user", action: str = "failed", returned: bytes = b"") -> bytes:
    """A report as Postfix writes it (RFC 3464)."""
    return (
        b"From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r\nTo: " + to.encode() + b"\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        b"Message-ID: <1.postfix@mx.example.org>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="grenze"\r\n\r\n'
        b"--grenze\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
        b"--grenze\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n"
        b"Final-Recipient: rfc822; " + address.encode() + b"\r\nAction: " + action.encode() + b"\r\nStatus: " + status.encode() + b"\r\n"
        b"Diagnostic-Code: smtp; " + words.encode() + b"\r\n\r\n"
        b"--grenze\r\nContent-Type: message/rfc822\r\n\r\n" + returned + b"\r\n--grenze--\r\n"
    )


def arf(returned: bytes, *, to: str = "complaints@bounces.saatgarten.example") -> bytes:
    """A complaint as a provider passes it on (RFC 5965), the address blacked out."""
    return (
        b"From: fbl@provider.example\r\nTo: " + to.encode() + b"\r\nSubject: FW: Die erste Bohne\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="grenze"\r\n\r\n'
        b"--grenze\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        b"--grenze\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Provider/1.0\r\nVersion: 1\r\n\r\n"
        b"--grenze\r\nContent-Type: message/rfc822\r\n\r\n" + returned + b"\r\n--grenze--\r\n"
    )
