"""The bytes of a mail: ASCII, CRLF, quoted-printable, lines of 76 (F1), and looked at again (F12)."""

import binascii
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

from newsletter.errors import BrieftaubeError
from newsletter.mail.addresses import Address
from newsletter.mail.headers import folded_field, mailbox_field, text_field, verbatim_field


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
    an answer to something a person did (F7). ``leave_mail`` is an address that does the same by mail (RFC 2369), ``complaints_to``
    one that takes reports of spam (RFC 9477). ``by_hand`` is a mail that a person wrote to one other, ``references`` what it
    answers, the nearest last (RFC 5322 §3.6.4).
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
    leave_mail: str = ""
    complaints_to: str = ""
    references: tuple[str, ...] = ()
    by_hand: bool = False

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
    before, between, after = frame(letter.reference)
    head = head_of(letter, at, boundary_key=letter.reference)
    body = b"".join((before, quoted(letter.text).encode("ascii"), b"\r\n", between, quoted(letter.html).encode("ascii"), b"\r\n", after))
    # Only a recipient who needs SMTPUTF8 has an address beyond ASCII in the head (RFC 6532 §3.2).
    raw = head.encode("utf-8" if letter.recipient.needs_smtputf8 else "ascii") + b"\r\n\r\n" + body
    verify(raw, letter)
    return raw


def head_of(letter: Letter, at: datetime, *, boundary_key: str) -> str:
    """The head of a mail without the empty line after it."""
    content_type = f'Content-Type: multipart/alternative;\r\n boundary="{_boundary(boundary_key)}"'
    return "\r\n".join([*_fields(letter, at), "MIME-Version: 1.0", content_type])


def frame(boundary_key: str) -> tuple[bytes, bytes, bytes]:
    """What stands before the plain body, between the two, and after the HTML body."""
    boundary = _boundary(boundary_key)
    plain, html = (f"--{boundary}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" for kind in _KINDS)
    return plain.encode("ascii"), b"\r\n" + html.encode("ascii"), f"\r\n--{boundary}--\r\n".encode("ascii")


_KINDS = ("text/plain", "text/html")


def _boundary(key: str) -> str:
    # A quoted-printable body never contains "=_", so the boundary cannot occur in it (RFC 2045 §6.7).
    return f"=_{hashlib.sha256(key.encode()).hexdigest()[:24]}"


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
            verbatim_field("List-Unsubscribe", leaving(letter)),
            verbatim_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            verbatim_field("List-Post", "NO"),
            verbatim_field("Precedence", "bulk"),
        ]
        if letter.archive_url:
            fields.append(verbatim_field("List-Archive", f"<{letter.archive_url}>"))
        if letter.feedback_id:
            fields.append(verbatim_field("Feedback-ID", letter.feedback_id))
        if letter.complaints_to:
            fields.append(verbatim_field("CFBL-Address", f"{letter.complaints_to}; report=arf"))
    elif letter.by_hand:
        if letter.references:
            fields += [verbatim_field("In-Reply-To", letter.references[-1]), folded_field("References", letter.references)]
    else:
        fields.append(verbatim_field("Auto-Submitted", "auto-generated"))
        if letter.form_host:
            # The sign-up form it comes from, so that a mailbox flooded by forms can be helped (A1).
            fields.append(verbatim_field("Form-Sub", f"v=1; ip-version=none; form={letter.form_host}"))
    return fields


def leaving(letter: Letter) -> str:
    """What List-Unsubscribe says: the address to post to first, then the one to write to (RFC 8058 §3.1, U8)."""
    by_mail = f", <mailto:{letter.leave_mail}?subject=unsubscribe>" if letter.leave_mail else ""
    return f"<{letter.leave_url}>{by_mail}"


def quoted(text: str) -> str:
    """Quoted-printable, CRLF, at most 76 characters a line (RFC 2045 §6.7).

    Every kind of line end becomes CRLF first, so that no bare CR or LF survives; a dot at the start of a
    line and „From “ are encoded, because not every relay on the way handles them well (F2).
    """
    text = re.sub(r"\r\n|\r|\n|\x85|\u2028|\u2029", "\n", text).replace("\0", "")
    encoded = binascii.b2a_qp(text.encode("utf-8"), quotetabs=False, istext=True, header=False).decode("ascii")
    encoded = re.sub(r"(?m)^\.", "=2E", encoded)
    encoded = re.sub(r"(?m)^From ", "=46rom ", encoded)
    lines = [piece for line in encoded.split("\n") for piece in within(line)]
    return "\r\n".join(lines)


def within(line: str, longest: int = 76) -> list[str]:
    """A line of quoted-printable, broken softly where it is longer than that."""
    if len(line) <= longest:
        return [line]
    cut = 75
    while "=" in line[cut - 2 : cut]:
        cut -= 1
    return [line[:cut] + "=", *within(line[cut:], longest)]


def field_names(letter: Letter) -> set[str]:
    """The names of the header fields of such a mail, in lower case."""
    return {line.partition(":")[0].lower() for line in _fields(replace(letter, reference="x"), _EPOCH)} | {"mime-version", "content-type"}


def verify(raw: bytes, letter: Letter, besides: Iterable[str] = (), text: str | None = None, html: str | None = None) -> None:
    """Read the bytes back and compare them with what was meant.

    Args:
        besides: further fields that stand there, such as signatures.
        text: what the plain body must say, if that is to be compared, too; so ``html``.

    Raises:
        MessageBroken: a field is there twice, missing or different, or a line is too long.
    """
    if not (raw.isascii() or letter.recipient.needs_smtputf8) or any(len(line) > 998 for line in raw.split(b"\r\n")):
        raise MessageBroken("A line is too long or not ASCII.")
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw):
        raise MessageBroken("A line does not end in CRLF.")
    parsed = BytesParser(policy=policy.default).parsebytes(raw, headersonly=text is None)
    wanted = Counter(line.partition(":")[0].lower() for line in _fields(letter, _EPOCH))
    wanted.update(("mime-version", "content-type", *besides))
    found = Counter(name.lower() for name in parsed.keys())  # noqa: SIM118 -- a message is no dict: duplicates matter
    if found != wanted:
        raise MessageBroken(f"The header fields are {dict(found)}, not {dict(wanted)}.")
    if _plain(str(parsed["Subject"])) != _plain(letter.subject):
        raise MessageBroken("The subject does not read as it was meant.")
    if letter.leave_url and " ".join(str(parsed["List-Unsubscribe"]).split()) != leaving(letter):
        raise MessageBroken("The unsubscribe address does not read as it was meant.")
    for kind, meant in (("plain", text), ("html", html)):
        part = parsed.get_body((kind,)) if meant is not None and isinstance(parsed, EmailMessage) else None
        if meant is not None and (part is None or _lines(part.get_content()) != _lines(meant)):
            raise MessageBroken(f"The {kind} body does not read as it was meant.")


def _lines(text: str) -> str:
    # Line ends are CRLF on the wire, and a part may end in one more.
    return re.sub(r"\r\n|\r|\n|\x85|\u2028|\u2029", "\n", text).replace("\0", "").rstrip("\n")


def _plain(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip()


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
