"""An issue's mail, encoded once and cut at its slots: for each recipient only the slots are filled.

Building a mail and encoding it anew costs thousands of times what joining prepared pieces does. Each slot in
a body stands on a line of its own between soft line breaks (RFC 2045 §6.7), so that whatever goes in can neither
make a line too long nor change what stands around it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from newsletter.links import manage_url
from newsletter.mail import dkim
from newsletter.mail.addresses import Address
from newsletter.mail.message import Letter, MessageBroken, frame, head_of, quoted, within

# A text with places: what stands in a tuple is (field, fallback).
Segments = Sequence[str | tuple[str, str]]
LEAVE, MANAGE = "leave", "manage"

# What stands in the head while the mould is made; each is found exactly once, or the mould is not made.
_TO, _REFERENCE, _LEAVE, _DATE = "to@slot.invalid", "reference-slot", "https://leave-slot.invalid/", "Thu, 01 Jan 1970 00:00:00 +0000"
_IN_HEAD = {"to": _TO, "reference": _REFERENCE, LEAVE: _LEAVE, "date": _DATE}
_LEAVE_MAIL = "leave-slot@slot.invalid"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class _Place:
    """A slot of a body, with the value for those who have none."""

    field: str
    fallback: str
    html: bool


class Mould:
    """The mail of one issue for everybody.

    Args:
        letter: sender, subject and list fields; its recipient and its bodies are not looked at.
        text: the plain body, cut at its slots.
        html: the HTML body, cut at its slots; fallbacks are escaped already.
        signer: signs each mail, if given.

    Raises:
        MessageBroken: the fields of the head cannot be told from its slots.
    """

    def __init__(self, letter: Letter, text: Segments, html: Segments, signer: dkim.Signer | None = None) -> None:
        stand_in = Address(_TO, _TO, _TO)
        by_mail = _LEAVE_MAIL if letter.leave_mail else ""
        slots = {**_IN_HEAD, "leave_mail": by_mail} if by_mail else _IN_HEAD
        head = head_of(replace(letter, recipient=stand_in, reference=_REFERENCE, leave_url=_LEAVE, leave_mail=by_mail), _EPOCH, boundary_key=letter.subject)
        before, between, after = frame(letter.subject)
        body: list[bytes | _Place] = [before, *_encoded(text, html=False), between, *_encoded(html, html=True), after]
        self._pieces: list[bytes | str | _Place] = [*_cut(head, slots), b"\r\n\r\n", *body]
        self._slots = [(index, piece) for index, piece in enumerate(self._pieces) if not isinstance(piece, bytes)]
        self._filled = [piece if isinstance(piece, bytes) else b"" for piece in self._pieces]
        self._signer = signer
        if signer:
            self._canonical_head = _cut(dkim.canonical_head(head, signer.fields), slots)
            self._canonical_body = [dkim.relaxed(piece) if isinstance(piece, bytes) else piece for piece in body]

    def pour(self, recipient: str, reference: str, leave_url: str, date: str, values: Mapping[str, str], leave_mail: str = "") -> bytes:
        """The bytes of one mail.

        Args:
            recipient: the address as SMTP carries it.
            date: as :func:`date_of` gives it.
            leave_mail: the address that does the same as ``leave_url``, where the letter has one.
            values: by field; a missing or empty one takes the fallback of its place.
        """
        head = {
            "to": recipient.encode(),
            "reference": reference.encode("ascii"),
            LEAVE: leave_url.encode("ascii"),
            "date": date.encode("ascii"),
            "leave_mail": leave_mail.encode("ascii"),
        }
        own = {LEAVE: _address(leave_url), MANAGE: _address(manage_url(leave_url))}
        pieces = self._filled.copy()
        for index, slot in self._slots:
            if isinstance(slot, str):
                pieces[index] = head[slot]
            else:
                pieces[index] = own.get(slot.field) or _value(values.get(slot.field, ""), slot.fallback, slot.html)
        if self._signer:
            pieces.insert(0, self._signature(head, pieces))
        return b"".join(pieces)

    def _signature(self, head: dict[str, bytes], pieces: list[bytes]) -> bytes:
        assert self._signer is not None
        fields = b"".join(piece if isinstance(piece, bytes) else head[str(piece)] for piece in self._canonical_head)
        offset = len(pieces) - len(self._canonical_body)
        body = [piece if isinstance(piece, bytes) else dkim.relaxed(pieces[offset + index]) for index, piece in enumerate(self._canonical_body)]
        return self._signer.sign(fields, body)


def _address(url: str) -> bytes:
    # Almost always short and plain; every mail has another one, so it would only fill up the cache.
    return url.encode("ascii") + b"=\r\n" if len(url) <= 75 and url[:1] != "." and "=" not in url else _soft(url)


def date_of(at: datetime) -> str:
    """A moment as it stands in a Date field."""
    return format_datetime(at)


def _cut(head: str, slots: Mapping[str, str]) -> list[bytes | str | _Place]:
    """A head cut at its stand-ins."""
    for field, stand_in in slots.items():
        if head.count(stand_in) != 1:
            raise MessageBroken(f"The place for “{field}” is not there exactly once.")
    names = {stand_in: field for field, stand_in in slots.items()}
    pieces = re.split("(" + "|".join(map(re.escape, names)) + ")", head)
    return [names[piece] if piece in names else piece.encode("ascii") for piece in pieces if piece]


def _encoded(segments: Segments, *, html: bool) -> list[bytes | _Place]:
    """A body, quoted-printable, with a soft line break before each slot and after it."""
    pieces: list[bytes | _Place] = []
    for index, segment in enumerate(segments):
        if isinstance(segment, tuple):
            pieces.append(_Place(*segment, html))
        else:
            last = index == len(segments) - 1
            pieces.append(quoted(segment).encode("ascii") + b"\r\n" if last else _soft(segment))
    if pieces and isinstance(pieces[-1], _Place):
        pieces.append(b"\r\n")
    return pieces


def _soft(text: str) -> bytes:
    """Quoted-printable that ends in a soft line break, so that the next piece begins on a line of its own."""
    encoded = quoted(text)
    if not encoded or encoded.endswith("\r\n"):
        return encoded.encode("ascii")
    head, line_end, last = encoded.rpartition("\r\n")
    return (head + line_end + "\r\n".join(within(last, 75)) + "=\r\n").encode("ascii")


@lru_cache(maxsize=4096)
def _value(value: str, fallback: str, html: bool) -> bytes:
    return _soft((escape(value) if html else value) or fallback)
