"""How long things last, and how an answer is stored. Decided without I/O."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring

CONFIRM_WITHIN = timedelta(hours=72)  # L4
KEY_WITHIN = timedelta(hours=1)
ASK_AGAIN_AFTER = timedelta(minutes=10)

# The mailboxes that people in Germany have most, and where one looks into them: a link that saves half a minute of searching.
MAILBOXES = {
    "GMX": ("https://www.gmx.net/mail/", ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "gmx.eu", "gmx.info")),
    "WEB.DE": ("https://web.de/email/", ("web.de", "email.de")),
    "T-Online": ("https://email.t-online.de/", ("t-online.de", "magenta.de")),
    "Gmail": ("https://mail.google.com/mail/u/0/#search/from%3A{sender}+in%3Aanywhere", ("gmail.com", "googlemail.com")),
    "Outlook": ("https://outlook.live.com/mail/0/", ("outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com")),
    "Yahoo": ("https://mail.yahoo.com/", ("yahoo.com", "yahoo.de", "ymail.com", "aol.com")),
    "iCloud": ("https://www.icloud.com/mail/", ("icloud.com", "me.com", "mac.com")),
}


def mailbox_of(domain: str, sender: str) -> tuple[str, str] | None:
    """Name and address of the place where mail for a domain is read, if it is one of the common ones."""
    for name, (address, domains) in MAILBOXES.items():
        if domain.lower() in domains:
            return name, address.format(sender=sender.replace("@", "%40"))
    return None


def compact(answers: Mapping[str, str]) -> str:
    """Answers as they are stored: JSON without spaces, keys in order.

    A quotation mark in an answer is escaped, so the text ``"key":"answer"`` stands in it exactly when that is the answer.
    """
    return "{" + ",".join([f"{encode_basestring(key)}:{encode_basestring(answers[key])}" for key in sorted(answers)]) + "}"


def keep_proof_until(ended_at: datetime, years: int) -> datetime:
    """When a proof is not needed any more: claims lapse at the end of a year (§§ 195, 199 BGB, § 31 OWiG; L5)."""
    return datetime(ended_at.astimezone(UTC).year + years + 1, 1, 1, tzinfo=UTC)
