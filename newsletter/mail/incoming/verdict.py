"""The one question at the door: what is this mail? (RULES B1, B2)"""

import re
from dataclasses import dataclass

from newsletter.mail.incoming import automatic, prose, reports
from newsletter.mail.incoming.mime import Fields, Part, in_charset, read
from newsletter.mail.incoming.reports import Feedback, Recipient

# A bounce that is larger carries a copy of the mail, and the reason stands before it (B4).
LARGEST = 1024 * 1024

_DAEMON = re.compile(
    r"mailer[-_. ]?daemon|mail[-_. ]?delivery|postmaster|post_master|delivery subsystem|mail system|system administrator|mail administrator|mail\.delivery|bounce[s]?@|antispam|content-filter",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|unzustellbar|nicht zustell|nicht zugestellt|unbest.llbar|delivery (?:status|failure|report|notification|has failed|problem|failed|error|unsuccessful)|deliv(?:er)?y.{0,20}fail|fail(?:ed|ure).{0,20}(?:deliver|notice|notif)|failure notice|returned? (?:mail|to sender|message)"
    r"|mail (?:delivery|system) (?:failed|failure|error|subsystem)|mail failure|mail status report|message (?:you sent |delivery )?(?:has )?(?:blocked|failed|delayed)|could not (?:be )?(?:send|sent|deliver)|cannot send message|delayed mail|rejected|warning: (?:message|could not)|nondeliverable|non-?deliver|non remis|notificaci.n de|non recapitabile|"
    r"fehler bei der (?:nachrichten|zustell|.bermittlung)|.bermittlungsfehler|r.cksendung|zustell(?:fehler|status|ung fehlgeschlagen)|mta-blocked|notice: mail delivery|mail delivery|postmaster notify|delivery error|\berror\b",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"could ?n.t be delivered|could not be delivered|not be delivered|was(?: not|n't) (?:able to )?deliver|wasn't able to deliver|undeliverable|unable to deliver|delivery (?:to the following|failed|failure|has failed|error)|did not reach|permanent(?:ly)? (?:fatal )?(?:error|fail)|had (?:permanent|delivery|transient)|returned (?:below|to sender|to you)"
    r"|transcript of session|failed (?:permanently|for the following)|rejected by|failure reasons|unknown user|user unknown|mail ?box (?:is )?full|nicht zugestellt|nicht zustellbar|konnte nicht|(?<!\d)5\d\d[ -]\S|\(#[45]\.\d\.\d\)|not (?:a )?member|original message (?:follows|was received)|error (?:occurred|delivering)|error has occurred while attempting|incorrectly constructed|had delivery|was aborted|ERROR_CODE|may not exist, or you may not|was not delivered",
    re.IGNORECASE,
)
_HOTMAIL = re.compile(r"complaint about message from|abuse report|spam report|feedback report", re.IGNORECASE)
_IN_PROSE = re.compile(r"^[ \t>]*(?:content-type:\s*message/delivery-status|reporting-mta:\s*\S)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail is.

    Attributes:
        kind: bounce, complaint, auto-reply, reply or other.
        recipients: whom a bounce speaks of; for a complaint, who complained as far as it is told.
        returned: the fields of our own mail that came back with it, if any.
    """

    kind: str
    recipients: tuple[Recipient, ...] = ()
    feedback: Feedback | None = None
    returned: Fields | None = None

    @property
    def bounce_class(self) -> str:
        """The class of the first recipient (RULES B2), or nothing."""
        return self.recipients[0].kind if self.kind == "bounce" and self.recipients else ""


def judge(raw: bytes) -> Verdict:
    """What a raw mail is. Never raises: what cannot be read is "other"."""
    return judge_mail(read(raw[:LARGEST]))


def judge_mail(mail: Part) -> Verdict:
    """What a mail is that was read already."""
    parts = mail.walk()
    returned = _returned(parts)
    found = _complaint(mail, parts, returned) or _report(mail, parts, returned)
    if found is not None:
        return found
    words = first_text(parts)
    sender = mail.fields.get("from")
    if _looks_bounced(mail, sender, words):
        return _in_prose(mail, parts, words, returned)
    if automatic.is_auto_reply(mail, words):
        return Verdict("auto-reply", returned=returned)
    if _forwarded_bounce(words):
        return _in_prose(mail, parts, re.sub(r"^[> ]+", "", words, flags=re.MULTILINE), returned)
    if automatic.is_list_mail(mail) or automatic.is_machine(address_of(sender)) or not len(mail.fields):
        return Verdict("other", returned=returned)
    return Verdict("reply", returned=returned)


def address_of(field: str) -> str:
    """The address in a From field, in small letters; the last one where a display name looks like one."""
    angle = re.findall(r"<\s*([^<>\s]+@[^<>\s]+)\s*>", field)
    if angle:
        return str(angle[-1]).lower()[:320]
    found = _ADDRESS.findall(field)
    return found[-1].lower()[:320] if found else ""


def first_text(parts: list[Part]) -> str:
    """The text that a mail begins with; HTML without its tags where there is nothing else."""
    for part in parts:
        if part.kind == "text/plain" and part.disposition != "attachment":
            text = part.text()
            if text.strip():
                return text[: prose.LONGEST]
    for part in parts:
        if part.kind == "text/html":
            return _untagged(part.text()[: prose.LONGEST * 2])
    return ""


def _untagged(markup: str) -> str:
    text = re.sub(r"<(style|script|title)\b.{0,20000}?</\1>", " ", markup, flags=re.IGNORECASE | re.DOTALL)
    text = re.sub(r"<(?:br|/p|/div|/tr|/li|/h\d)\b[^>]{0,500}>", "\n", text, flags=re.IGNORECASE)
    text = re.sub(r"<[^>]{0,2000}>", "", text)
    for name, letter in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(name, letter)
    return text


def _returned(parts: list[Part]) -> Fields | None:
    """The header of our mail inside a report: as a mail, as headers, or as text behind the explanation."""
    for part in parts[1:]:
        if part.kind in ("message/rfc822", "message/global") and part.parts:
            return part.parts[0].fields
        if part.kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
            return Fields(part.content().strip())
    for part in parts:
        if part.kind == "text/plain":
            text = part.body
            at = max(text.find(b"\nReceived:"), text.find(b"\nReturn-Path:"), text.find(b"\nMessage-ID:"), text.find(b"\nMessage-Id:"))
            if at >= 0:
                start = text.rfind(b"\n\n", 0, at)
                return Fields(text[start + 2 : start + 65536].partition(b"\n\n")[0])
            return None
    return None


def _complaint(mail: Part, parts: list[Part], returned: Fields | None) -> Verdict | None:
    for part in parts:
        if part.kind == "message/feedback-report":
            feedback = reports.feedback(part)
            return Verdict("complaint", _complained(feedback), feedback, returned)
    if mail.kind == "multipart/report" and mail.parameters.get("report-type", "").lower() == "feedback-report":
        feedback = Feedback("abuse", "", ())
        return Verdict("complaint", (), feedback, returned)
    if (
        returned is not None
        and _HOTMAIL.search(mail.fields.words("subject"))
        and re.search(r"staff@hotmail|abuse|feedback|fbl|complaint", mail.fields.get("from"), re.IGNORECASE)
    ):
        to = reports.address_in(returned.get("x-hmxmroriginalrecipient")) or address_of(returned.get("to"))
        feedback = Feedback("abuse", "", (to,) if to else ())
        return Verdict("complaint", _complained(feedback), feedback, returned)
    return None


def _complained(feedback: Feedback) -> tuple[Recipient, ...]:
    return tuple(Recipient(address, "", "complaint") for address in feedback.recipients)


def _report(mail: Part, parts: list[Part], returned: Fields | None) -> Verdict | None:
    status = next((part for part in parts if part.kind in ("message/delivery-status", "message/global-delivery-status")), None)
    if status is None:
        return None
    words = first_text([part for part in parts if part is not status])
    told = prose.before_the_copy(words)
    found = reports.recipients(status, prose.kernel_of(told))
    if found:
        found = _spelled_out(found, told, mail)
        return Verdict("bounce", tuple(found), returned=returned)
    if reports.arrived(status):
        return Verdict("other", returned=returned)
    return _in_prose(mail, parts, words, returned)


def _spelled_out(found: list[Recipient], told: str, mail: Part) -> list[Recipient]:
    """Where the fields name no reason, the words for people may, address by address."""
    if all(one.reason != "unclear" and one.text for one in found):
        return found
    said = {one.address.lower(): one for one in prose.recipients(told, [one.address for one in found if one.address], _ours(mail), final=True) if one.address}
    better = []
    for one in found:
        other = said.get(one.address.lower())
        vague = one.final and (one.reason == "unclear" or not one.text)
        if vague and other and other.reason != "unclear":
            better.append(Recipient(one.address, other.kind, other.reason, other.status or one.status, other.code, other.text, one.final))
        else:
            better.append(one)
    return better


def _ours(mail: Part) -> set[str]:
    fields = mail.fields
    told = " ".join(fields.get(name) for name in ("from", "to", "delivered-to", "x-original-to", "return-path", "reply-to"))
    return {one.lower().rstrip(">") for one in _ADDRESS.findall(told)}


def _looks_bounced(mail: Part, sender: str, words: str) -> bool:
    fields = mail.fields
    explains = bool(_EXPLAINS.search(words[:8000]))
    if "x-failed-recipients" in fields:
        return True
    null_sender = fields.get("return-path").strip() == "<>"
    by_daemon = bool(_DAEMON.search(sender)) or sender.strip() in ("<>", "")
    by_subject = bool(_SUBJECT.search(fields.words("subject")))
    if mail.kind == "multipart/report" and mail.parameters.get("report-type", "").lower() == "delivery-status":
        return True
    if "in-reply-to" in fields and not by_daemon:
        return False
    explains = explains or bool(re.search(r"^\W*error\b", words[:200], re.IGNORECASE))
    return (by_daemon and (explains or by_subject)) or (explains and by_subject and null_sender)


def _forwarded_bounce(words: str) -> bool:
    """A person who passes a bounce on: the fields of the report stand in the text."""
    return bool(_IN_PROSE.search(words)) and bool(re.search(r"^[ \t>]*final-recipient:", words, re.IGNORECASE | re.MULTILINE))


def _in_prose(mail: Part, parts: list[Part], words: str, returned: Fields | None) -> Verdict:
    # A report whose boundary was lost on the way stands in the text as it is.
    if _IN_PROSE.search(words):
        at = _IN_PROSE.search(words)
        assert at is not None
        part = Part(Fields(b""), "message/delivery-status", {}, words[at.start() :].encode("utf-8", "replace"))
        found = reports.recipients(part, "")
        if found:
            return Verdict("bounce", tuple(found), returned=returned)
    told = prose.before_the_copy(words)
    final = not (prose.still_trying(mail.fields.words("subject")) or prose.still_trying(told))
    named = [one.strip().strip("<>") for value in mail.fields.all("x-failed-recipients") for one in in_charset(value.encode(), "").split(",") if "@" in one]
    return Verdict("bounce", tuple(prose.recipients(told, named, _ours(mail), final=final)), returned=returned)
