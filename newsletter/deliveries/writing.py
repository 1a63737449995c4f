"""The mails of a mailing, from its frozen content: made once, filled for each recipient."""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from newsletter.deliveries.actions import leave_number
from newsletter.deliveries.courier import Job
from newsletter.deliveries.ledger import Claim, Wish
from newsletter.errors import Refused
from newsletter.mail import dkim
from newsletter.mail.addresses import Address, parse
from newsletter.mail.message import Letter, Sender, field_names, verify
from newsletter.mail.mould import Mould, date_of
from newsletter.mail.returning import Purpose, complaints_address, returning
from newsletter.process import Process
from newsletter.publications.keys import signing_keys
from newsletter.rendering import merge
from newsletter.rendering.mail import MailParts, cut, final
from newsletter.tokens import digest, numbered_secret

# What is stored was checked when it came in; this only makes sure that it can be one SMTP argument.
_PLAIN = re.compile(r"[^\s<>()\[\]\\,;:\"@\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}", re.ASCII)


class Writer:
    """Writes the mails of one mailing.

    Raises:
        Refused: a value must not stand in a header.
        MessageBroken: a sample, read back, says something else than was meant (F12).
        KeyBroken: a signing key cannot be read.
    """

    def __init__(self, process: Process, content: dict[str, Any]) -> None:
        self._process = process
        self._content = content
        self._links = process.links
        domain = process.settings.bounce_domain if process.settings.open_door else ""
        self._letter = Letter(
            sender=sender_of(content), recipient=Address("", "", ""), subject=content["subject"], text="", html="", reference="",
            leave_url=self._links.leave("x"), feedback_id=content["feedback_id"], archive_url=content["archive_url"],
            leave_mail=f"x@{domain}" if domain else "", complaints_to=complaints_address(domain) if domain else "",
        )  # fmt: skip
        with process.reading() as session:
            keys = signing_keys(session, process.tokens, self._letter.sender.address.domain)
        signer = dkim.Signer(keys, field_names(self._letter)) if keys else None
        self._mould = Mould(self._letter, cut(content["text"]), cut(content["html"]), signer)
        # A second one where some have agreed that links are counted; all who have not get the same bytes as ever (L8).
        self._counted = Mould(self._letter, cut(content["text_counted"]), cut(content["html_counted"]), signer) if content.get("links") else None
        self._agreed: set[int] = set()
        self._date, self._date_until = "", 0.0
        self._random = b""
        self._values = lru_cache(4096)(partial(merge.values_of, greeting=content["greeting"]))
        self._read_back()

    def _read_back(self) -> None:
        recipient = parse("sample@example.org")
        leave_mail = self._address("u", 0) if self._letter.leave_mail else ""
        letter = replace(self._letter, recipient=recipient, reference="sample", leave_url=self._links.leave("0.sample"), leave_mail=leave_mail)
        values = merge.values_of("Änne Ü. Muster", self._content["greeting"])
        raw = self._mould.pour(recipient.wire, letter.reference, letter.leave_url, date_of(self._process.clock()), values, leave_mail)
        parts = final(MailParts(self._content["html"], self._content["text"]), values, letter.leave_url)
        verify(raw, letter, ("dkim-signature",) * raw.count(b"DKIM-Signature: "), parts.text, parts.html)

    @property
    def counts(self) -> bool:
        """Whether it matters who has agreed."""
        return self._counted is not None

    def agreed(self, subscriptions: Iterable[int]) -> None:
        """Who of those that were just taken in hand has agreed to be counted."""
        self._agreed |= set(subscriptions)

    def write(self, held: Claim, transport_id: int) -> Job | str:
        """The mail for one person, or why there can be none."""
        try:
            recipient = held.email if held.email.isascii() and _PLAIN.fullmatch(held.email) else parse(held.email).wire
        except Refused as error:
            return str(error)
        secret = numbered_secret(leave_number(held.id, held.attempts), self._sixteen())
        tokens = self._process.tokens
        mould = self._counted if self._counted is not None and held.subscription_id in self._agreed else self._mould
        raw = mould.pour(
            recipient,
            held.reference,
            self._links.leave(secret),
            self._now(),
            self._values(held.name),
            self._address("u", held.id) if self._letter.leave_mail else "",
        )
        wish = Wish(held, tuple(tokens.fingerprints("suppression", held.canonical)), digest(secret), transport_id)
        # No line of a mould begins with a dot, so nothing has to be doubled (RFC 5321 §4.5.2).
        return Job(held, wish, self._address("b", held.id), recipient, raw)

    def _sixteen(self) -> bytes:
        # One call to the kernel for many recipients.
        if len(self._random) < 16:
            self._random = os.urandom(16 * 256)
        taken, self._random = self._random[:16], self._random[16:]
        return taken

    def _now(self) -> str:
        # Once a second is often enough for a field that has seconds.
        if time.monotonic() > self._date_until:
            self._date, self._date_until = date_of(self._process.clock()), time.monotonic() + 1
        return self._date

    def _address(self, purpose: Purpose, delivery_id: int) -> str:
        """VERP: a bounce names its delivery, and nobody can make one up (F9)."""
        return returning(self._process.tokens, self._process.settings.bounce_domain, purpose, delivery_id)


def sender_of(content: dict[str, Any]) -> Sender:
    """Who writes, from the frozen content of a mailing."""
    return Sender(
        name=content["from_name"],
        address=parse(content["from_address"]),
        reply_to=parse(content["reply_to"]) if content["reply_to"] else None,
        list_id=content["list_id"],
        list_name=content["list_name"],
    )
