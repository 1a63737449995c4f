"""The bytes of a mail: ASCII, CRLF, quoted-printable, lines of 76 (F1), and looked at again (F12)."""

import binascii
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.parser import BytesParser
from email.utils import format_datetime

from newsletter.errors import BrieftaubeError
from newsletter.mail.addresses import Address
from newsletter.mail.headers import mailbox_field, text_field, verbatim_field


class MessageBroken(BrieftaubeError):
    """The finished bytes do not say what was meant. Such a mail never leaves."""


@dataclass(frozen=True)
class Sender:
    """Who writes: what From, Reply-To and the List fields say."""

    name: str
    address: Address
    reply_to: Address | None = None
    list_id: str = ""
    list_name: str = ""


@dataclass(frozen=True)
class Letter:
    """One mail before it is bytes.

    ``leave_url`` makes it a bulk mail with one-click unsubscribing (RFC 8058); without it the mail is
    an answer to something a person did (F7).
    """

    sender: Sender
    recipient: Address
    subject: str
    text: str
    html: str
    reference: str
    leave_url: str = ""
    feedback_id: str = ""
    archive_url: str = ""
    form_host: str = ""

    @property
    def message_id(self) -> str:
        """Deterministic, so that a mail that is sent again can be recognised (F5)."""
        return f"<{self.reference}@{self.sender.address.domain}>"


def compose(letter: Letter, at: datetime) -> bytes:
    """The bytes of a mail, lines ending in CRLF.

    Raises:
        Refused: a value must not stand in a header.
        MessageBroken: reading the bytes back gives something else than was meant.
    """
    fields = _fields(letter, at)
    # A quoted-printable body never contains "=_", so the boundary cannot occur in it (RFC 2045 §6.7).
    boundary = f"=_{hashlib.sha256(letter.reference.encode()).hexdigest()[:24]}"
    head = [*fields, "MIME-Version: 1.0", f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"']
    parts = [_part("text/plain", letter.text), _part("text/html", letter.html)]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    # Only a recipient who needs SMTPUTF8 has an address beyond ASCII in the head (RFC 6532 §3.2).
    raw = ("\r\n".join(head) + "\r\n\r\n" + body).encode("utf-8" if letter.recipient.needs_smtputf8 else "ascii")
    verify(raw, letter)
    return raw


def _fields(letter: Letter, at: datetime) -> list[str]:
    sender = letter.sender
    fields = [
        mailbox_field("From", sender.name, sender.address.wire),
        mailbox_field("To", "", letter.recipient.wire),
        text_field("Subject", letter.subject),
        verbatim_field("Date", format_datetime(at)),
        verbatim_field("Message-ID", letter.message_id),
    ]
    if sender.reply_to:
        fields.append(mailbox_field("Reply-To", "", sender.reply_to.wire))
    if letter.leave_url:
        fields += [
            mailbox_field("List-Id", sender.list_name, sender.list_id),
            verbatim_field("List-Unsubscribe", f"<{letter.leave_url}>"),
            verbatim_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            verbatim_field("List-Post", "NO"),
            verbatim_field("Precedence", "bulk"),
        ]
        if letter.archive_url:
            fields.append(verbatim_field("List-Archive", f"<{letter.archive_url}>"))
        if letter.feedback_id:
            fields.append(verbatim_field("Feedback-ID", letter.feedback_id))
    else:
        fields.append(verbatim_field("Auto-Submitted", "auto-generated"))
        if letter.form_host:
            # The sign-up form it comes from, so that a mailbox flooded by forms can be helped (A1).
            fields.append(verbatim_field("Form-Sub", f"v=1; ip-version=none; form={letter.form_host}"))
    return fields


def _part(kind: str, text: str) -> str:
    return f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{quoted(text)}\r\n"


def quoted(text: str) -> str:
    """Quoted-printable, CRLF, at most 76 characters a line (RFC 2045 §6.7).

    Every kind of line end becomes CRLF first, so that no bare CR or LF survives; a dot at the start of a
    line and „From “ are encoded, because not every relay on the way handles them well (F2).
    """
    text = re.sub(r"\r\n|\r|\n|\x85|\u2028|\u2029", "\n", text).replace("\0", "")
    encoded = binascii.b2a_qp(text.encode("utf-8"), quotetabs=False, istext=True, header=False).decode("ascii")
    encoded = re.sub(r"(?m)^\.", "=2E", encoded)
    encoded = re.sub(r"(?m)^From ", "=46rom ", encoded)
    lines = [piece for line in encoded.split("\n") for piece in _within(line)]
    return "\r\n".join(lines)


def _within(line: str) -> list[str]:
    """A line that grew beyond 76 characters by the encodings above, broken once more."""
    if len(line) <= 76:
        return [line]
    cut = 75
    while "=" in line[cut - 2 : cut]:
        cut -= 1
    return [line[:cut] + "=", *_within(line[cut:])]


def verify(raw: bytes, letter: Letter) -> None:
    """Read the bytes back and compare them with what was meant.

    Raises:
        MessageBroken: a field is there twice, missing or different, or a line is too long.
    """
    if not (raw.isascii() or letter.recipient.needs_smtputf8) or any(len(line) > 998 for line in raw.split(b"\r\n")):
        raise MessageBroken("A line is too long or not ASCII.")
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw):
        raise MessageBroken("A line does not end in CRLF.")
    parsed = BytesParser(policy=policy.default).parsebytes(raw, headersonly=True)
    wanted = Counter(line.partition(":")[0].lower() for line in _fields(letter, _EPOCH))
    wanted.update(("mime-version", "content-type"))
    found = Counter(name.lower() for name in parsed.keys())  # noqa: SIM118 -- a message is no dict: duplicates matter
    if found != wanted:
        raise MessageBroken(f"The header fields are {dict(found)}, not {dict(wanted)}.")
    if _plain(str(parsed["Subject"])) != _plain(letter.subject):
        raise MessageBroken("The subject does not read as it was meant.")
    if letter.leave_url and str(parsed["List-Unsubscribe"]) != f"<{letter.leave_url}>":
        raise MessageBroken("The unsubscribe address does not read as it was meant.")


def _plain(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip()


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
