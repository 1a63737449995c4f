"""What providers say about mails that they carried for us, in their own words, as reports in ours.

Their own judgement ("hard", "permanent") is not believed: the words of the receiving server decide, as with every bounce (B2).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from newsletter.bounces import queries as bounces
from newsletter.bounces.actions import Report
from newsletter.deliveries.models import Delivery
from newsletter.errors import Refused
from newsletter.mail.addresses import parse
from newsletter.mail.incoming.reasons import Reason, codes_in, reason_for
from newsletter.mail.incoming.reports import shortened
from newsletter.mail.returning import proven
from newsletter.process import Process

MOST = 1000


@dataclass(frozen=True)
class Event:
    """One thing that happened to one mail."""

    report: Report
    email: str
    message_id: str = ""
    envelope_from: str = ""


def read(provider: str, raw: bytes) -> list[Event]:
    """The events of one call; what is no bounce and no complaint is left out.

    Raises:
        ValueError: it is no JSON.
    """
    data = json.loads(raw)
    if provider == "ses":
        data = json.loads(data["Message"]) if isinstance(data, dict) and data.get("Type") == "Notification" else {}
    rows = data if isinstance(data, list) else [data]
    return [event for row in rows[:MOST] if isinstance(row, dict) for event in _READERS[provider](row)]


def _ses(row: dict[str, Any]) -> Iterable[Event]:
    mail = _inner(row, "mail")
    common = {"message_id": _word(_inner(mail, "commonHeaders"), "messageId"), "envelope_from": _word(mail, "source")}
    kind = _word(row, "notificationType") or _word(row, "eventType")
    if kind == "Complaint":
        complaint = _inner(row, "complaint")
        for one in _rows(complaint, "complainedRecipients"):
            yield Event(Report("complaint", _word(complaint, "complaintFeedbackType")), _word(one, "emailAddress"), **common)
    elif kind == "Bounce":
        bounce = _inner(row, "bounce")
        sub = _word(bounce, "bounceSubType")
        usual = {
            "NoEmail": "unknown-user",
            "MailboxFull": "full",
            "MessageTooLarge": "too-large",
            "ContentRejected": "content",
            "AttachmentRejected": "content",
        }
        final = _word(bounce, "bounceType") != "Transient" or sub == "MailboxFull"
        for one in _rows(bounce, "bouncedRecipients"):
            report = _report(_word(one, "diagnosticCode"), _word(one, "status"), usual.get(sub, "unclear"), final=final)
            yield Event(report, _word(one, "emailAddress"), **common)


def _mailgun(row: dict[str, Any]) -> Iterable[Event]:
    data = _inner(row, "event-data")
    headers = _inner(_inner(data, "message"), "headers")
    where = {"message_id": _word(headers, "message-id"), "envelope_from": _word(_inner(data, "envelope"), "sender")}
    if data.get("event") == "complained":
        yield Event(Report("complaint", "abuse"), _word(data, "recipient"), **where)
    elif data.get("event") == "failed":
        status = _inner(data, "delivery-status")
        words = _word(status, "message") or _word(status, "description")
        final = data.get("severity") == "permanent"
        yield Event(_report(words, _word(status, "enhanced-code"), "unclear", final=final, code=status.get("code")), _word(data, "recipient"), **where)


def _postmark(row: dict[str, Any]) -> Iterable[Event]:
    if row.get("RecordType") == "SpamComplaint" or row.get("Type") in ("SpamComplaint", "SpamNotification"):
        yield Event(Report("complaint", "abuse"), _word(row, "Email"))
    elif row.get("RecordType") == "Bounce":
        kind = _word(row, "Type")
        usual = {
            "HardBounce": "unclear",
            "BadEmailAddress": "unclear",
            "DnsError": "network",
            "Blocked": "policy",
            "DMARCPolicy": "authentication",
            "SoftBounce": "system",
        }
        if kind in usual:
            words = _word(row, "Details") or _word(row, "Description")
            yield Event(_report(words, "", usual[kind], final=kind not in ("SoftBounce", "DnsError")), _word(row, "Email"))


def _sendgrid(row: dict[str, Any]) -> Iterable[Event]:
    where = {"message_id": _word(row, "smtp-id")}
    if row.get("event") == "spamreport":
        yield Event(Report("complaint", "abuse"), _word(row, "email"), **where)
    elif row.get("event") == "bounce":
        yield Event(_report(_word(row, "reason"), _word(row, "status"), "unclear", final=row.get("type") != "expired"), _word(row, "email"), **where)


def _brevo(row: dict[str, Any]) -> Iterable[Event]:
    where = {"message_id": _word(row, "message-id")}
    kind = _word(row, "event")
    usual = {"hard_bounce": "unclear", "invalid_email": "unclear", "soft_bounce": "system", "blocked": "policy", "error": "system"}
    if kind in ("spam", "complaint"):
        yield Event(Report("complaint", "abuse"), _word(row, "email"), **where)
    elif kind in usual:
        yield Event(_report(_word(row, "reason"), "", usual[kind], final=kind in ("hard_bounce", "invalid_email", "blocked")), _word(row, "email"), **where)


def _mailjet(row: dict[str, Any]) -> Iterable[Event]:
    kind = _word(row, "event")
    if kind == "spam":
        yield Event(Report("complaint", "abuse"), _word(row, "email"))
    elif kind in ("bounce", "blocked"):
        words = f"{_word(row, 'comment')} {_word(row, 'error')}".strip()
        usual = {"content": "content", "policy": "policy", "spam": "spam", "system": "system", "domain": "network", "mailjet": "policy"}
        usual_here = usual.get(_word(row, "error_related_to"), "unclear")
        yield Event(_report(words, "", usual_here, final=row.get("hard_bounce") is True or kind == "blocked"), _word(row, "email"))


_READERS: dict[str, Callable[[dict[str, Any]], Iterable[Event]]] = {
    "ses": _ses, "mailgun": _mailgun, "postmark": _postmark, "sendgrid": _sendgrid, "brevo": _brevo, "mailjet": _mailjet,
}  # fmt: skip


def _report(words: str, status: str, usual: str, *, final: bool, code: object = None) -> Report:
    """The words of the server, and where they say nothing what the provider calls it."""
    said_code, said_status = codes_in(words)
    number = code if isinstance(code, int) and 400 <= code < 600 else said_code
    reason = reason_for(words, code=number, status=status, final=final)
    if reason.name == "unclear":
        reason = Reason(usual) if final or usual == "full" else Reason("system")
    return Report(reason.kind, reason.name, said_status or status, number, shortened(words))


def delivery_of(session: Session, process: Process, publication_id: int | None, event: Event, now: datetime) -> Delivery | None:
    """Which delivery an event is about: by our own mark, by the Message-ID, or by the address and the last letter that it got."""
    proof = proven(process.tokens, process.settings.bounce_domain, event.envelope_from)
    if proof is not None and proof.purpose == "b":
        return bounces.delivered(session, proof.number, now)
    found = bounces.by_message_id(session, event.message_id, now, publication_id)
    if found is not None or publication_id is None:
        return found
    try:
        canonical = parse(event.email).canonical
    except Refused:
        return None
    return bounces.by_address(session, publication_id, canonical, now)


def _inner(row: dict[str, Any], name: str) -> dict[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _rows(row: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = row.get(name)
    return [one for one in found[:MOST] if isinstance(one, dict)] if isinstance(found, list) else []


def _word(row: dict[str, Any], name: str) -> str:
    found = row.get(name)
    return found[:2000] if isinstance(found, str) else ""
