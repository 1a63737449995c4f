"""Telling what a machine wrote from what a person wrote (RFC 3834, and habits in German and English)."""

import re

from newsletter.mail.incoming.mime import Part

_SUBJECT = re.compile(
    r"^\s*(?:(?:re|aw|fwd?|wg|antw|sv|vs|res)\s*:\s*)*(?:"
    r"out of (?:the )?office|auto(?:matic|mated|matische|matisch)?[ -]?(?:reply|response|responder|antwort|antwoord|e-?mail)|automat(?:ic|ed) (?:reply|response)|automatische (?:antwort|nachricht|r.ckantwort)|autoreply|auto(?:-| )?respon"
    r"|auto\s*:|abwesen|ich bin (?:derzeit |zurzeit |zur zeit |momentan |bis )?(?:nicht|abwesend|im urlaub|au.er haus|in elternzeit)|(?:bin )?im urlaub\b|urlaub(?:svertretung|snotiz|sbenachrichtigung|smeldung|sgru)|nicht im (?:b.ro|haus|dienst)|au.er haus"
    r"|i am (?:currently )?(?:away|out|on (?:leave|vacation|holiday))|i'?m (?:away|out of|on (?:leave|vacation|holiday))|on (?:vacation|holiday|annual leave|parental leave|maternity leave)\b|away (?:from|until)|vacation (?:reply|message|notice|response)|holiday (?:reply|message)|currently (?:away|out)|currently unavailable"
    r"|r.ponse automatique|absence du bureau|respuesta autom|risposta automatica|fuori (?:sede|ufficio)|afwezig|eingangsbest.tigung|empfangsbest.tigung|ihre (?:e-?mail|nachricht|anfrage) (?:ist|wurde) (?:ein|emp)|vielen dank f.r (?:ihre|deine) (?:anfrage|nachricht|e-?mail)[.!]*\s*$"
    r"|\[?ticket\s*#?\s*\d|read:|gelesen:|not read:|ungelesen gel.scht:|lesebest.tigung|thank you for (?:contacting|your (?:e-?mail|message|enquiry|inquiry))[.!]*\s*$|we(?:'ve| have) received your"
    r")",
    re.IGNORECASE,
)
_MACHINE_SENDERS = re.compile(
    r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|noreply-[\w.]+|bounces?|autoreply|auto-reply|autoresponder)(?:[+\-@.]|$)", re.IGNORECASE
)
_FIRST_WORDS = re.compile(
    r"^\s*(?:(?:dear|hello|hi|hallo|guten tag|sehr geehrte|moin|lieber?)[^\n]{0,80}\n\s*)?(?:this is an auto(?:matic|mated)|dies ist eine auto(?:matisch|mat)|diese (?:e-?mail|nachricht) wurde automatisch|ich bin (?:bis|vom|derzeit|zurzeit|momentan|ab)[^\n]{0,80}(?:nicht|abwesend|urlaub|unterwegs|au.er)"
    r"|vielen dank f.r (?:ihre|deine) (?:nachricht|e-?mail|mail)\.? ?ich bin[^.]{0,60}(?:nicht|abwesend|urlaub)|i (?:am|will be) (?:currently )?(?:out of (?:the )?office|away from|on (?:annual |parental )?(?:leave|vacation|holiday)))",
    re.IGNORECASE,
)
_LOOSE = {"auto_reply", "auto-reply", "autoreply", "auto-replied"}


def is_auto_reply(mail: Part, words: str) -> bool:
    """Whether a machine answered: a notice of absence, a confirmation of receipt, a read receipt.

    Args:
        words: the beginning of the mail's text.
    """
    fields = mail.fields
    submitted = fields.get("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(
        name in fields
        for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoresponse", "x-auto-reply-from", "x-mail-autoreply", "x-vacation", "x-ooo")
    ):
        return fields.get("x-autoreply").strip().lower() != "no"
    if fields.get("precedence").strip().lower() in _LOOSE or fields.get("x-precedence").strip().lower() in _LOOSE:
        return True
    if mail.kind == "multipart/report" and mail.parameters.get("report-type", "").lower() == "disposition-notification":
        return True
    if any(part.kind == "message/disposition-notification" for part in mail.parts):
        return True
    if _SUBJECT.search(fields.words("subject")[:300]):
        return True
    return bool(_FIRST_WORDS.search(words[:600]))


def is_list_mail(mail: Part) -> bool:
    """Whether a mail went to many (RFC 2369, RFC 2919); nobody answers with such a mail (F7)."""
    fields = mail.fields
    if "list-id" in fields or "list-unsubscribe" in fields or "x-mailing-list" in fields:
        return True
    return fields.get("precedence").strip().lower() in ("bulk", "list", "junk")


def is_machine(address: str) -> bool:
    """Whether an address is one of those that nobody reads."""
    return bool(_MACHINE_SENDERS.match(address.strip().strip("<>")))
