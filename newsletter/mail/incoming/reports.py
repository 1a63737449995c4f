"""Reports that machines write for machines: delivery status (RFC 3464, RFC 6533) and feedback (RFC 5965)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.mail.incoming.mime import Fields, Part
from newsletter.mail.incoming.reasons import Reason, codes_in, reason_for

_TYPED = re.compile(r"^\s*[\w-]+\s*;\s*")
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
RECIPIENTS = 100


@dataclass(frozen=True, slots=True)
class Recipient:
    """What became of the mail to one address.

    Attributes:
        kind: a class of RULES B2.
        text: what the server said, shortened.
        final: they gave up; before that it is only late.
    """

    address: str
    kind: str
    reason: str
    status: str = ""
    code: int = 0
    text: str = ""
    final: bool = True


@dataclass(frozen=True, slots=True)
class Feedback:
    """A complaint as a provider passes it on (RFC 5965)."""

    kind: str
    agent: str
    recipients: tuple[str, ...]


def statuses(part: Part) -> Iterator[Fields]:
    """The groups of fields for each recipient of a delivery-status part, found by what they name."""
    for block in re.split(rb"\n[ \t]*\n", part.content().strip()):
        if not block.strip():
            continue
        fields = Fields(block)
        if {"final-recipient", "action", "status", "original-recipient", "diagnostic-code"} & set(fields.names()) and not (
            "reporting-mta" in fields and "final-recipient" not in fields and "action" not in fields
        ):
            yield fields


def recipients(part: Part, told: str = "") -> list[Recipient]:
    """What a delivery-status part says of each recipient. Mails that arrived are left out.

    Args:
        told: the words of the report for people, for servers that say the reason only there.
    """
    found = []
    groups = list(statuses(part))[:RECIPIENTS]
    told = told if len(groups) == 1 else ""
    for fields in groups:
        action = fields.get("action").strip().lower().partition(" ")[0]
        if action in ("delivered", "relayed", "expanded", "deliverable"):
            continue
        found.append(_recipient(fields, action, told))
    return found


def arrived(part: Part) -> bool:
    """Whether a report says nothing but that mails arrived."""
    groups = list(statuses(part))
    return bool(groups) and not recipients(part)


def _recipient(fields: Fields, action: str, told: str) -> Recipient:
    address = address_in(fields.get("original-recipient")) or address_in(fields.get("final-recipient")) or address_in(fields.get("x-actual-recipient"))
    found = _STATUS.search(fields.get("status"))
    status = f"{found[1]}.{int(found[2])}.{int(found[3])}" if found else ""
    diagnostic = " ".join(_TYPED.sub("", value) for value in fields.all("diagnostic-code"))
    comment = fields.get("status").partition("(")[2].rstrip(") ")
    code, precise = codes_in(diagnostic)
    final = action != "delayed"
    reason = reason_for(diagnostic, code=code, status=status, final=final) if diagnostic else Reason("unclear")
    if reason.name == "unclear" and comment:
        reason = reason_for(comment, code=code, status=status, final=final)
    if reason.name == "unclear" and told:
        reason = reason_for(told, code=code, status=status, final=final)
    if reason.name == "unclear" and (status or not diagnostic):
        reason = reason_for("", code=code, status=status, final=final)
    if not final and reason.kind in ("dead", "unclear"):
        reason = Reason("expired")
    text = diagnostic or comment
    return Recipient(address, reason.kind, reason.name, precise or status, code, shortened(text), final)


def feedback(part: Part) -> Feedback:
    """What a feedback-report part says (RFC 5965 §3)."""
    fields = Fields(part.content().strip().replace(b"\n\n", b"\n"))
    told = [*fields.all("original-rcpt-to"), *fields.all("removal-recipient"), *fields.all("redacted-address")]
    addresses = tuple(dict.fromkeys(address for address in map(address_in, told) if address))
    return Feedback(fields.get("feedback-type").strip().lower(), fields.get("user-agent")[:100], addresses)


def address_in(value: str) -> str:
    """The address of a typed field ("rfc822; ada@example.org"), also in the escaped form of RFC 6533 §3."""
    text = _TYPED.sub("", value).strip().strip("<>\"' ")
    if "\\x{" in text:
        text = _UNICODE.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), text)
    text = text.partition(" ")[0].strip("<>,;\"'")
    return text[:320] if "@" in text and text.isprintable() else ""


def shortened(text: str) -> str:
    """A server's words as they may be stored and shown: one line, 400 letters, nothing invisible."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text[:2000]).split())[:400]
