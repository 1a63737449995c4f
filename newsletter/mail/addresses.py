"""Mail addresses: checked, in the form that is sent and in the form that is compared (F10, F11)."""

import re
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from newsletter.errors import Refused
from newsletter.i18n import mark


@dataclass(frozen=True)
class Address:
    """One mailbox.

    ``text`` is what people see, ``wire`` what SMTP carries (the domain in A-labels, IDNA 2008),
    ``canonical`` what makes it the same person again.
    """

    text: str
    wire: str
    canonical: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the local part is not ASCII, which only SMTPUTF8 servers take (RFC 6531 §3)."""
        return not self.wire.isascii()

    @property
    def domain(self) -> str:
        return self.wire.rpartition("@")[2]


def parse(text: str) -> Address:
    """An address from what a person typed.

    Raises:
        Refused: it is empty, not one address, or not an address that SMTP can carry unchanged.
    """
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        raise Refused(mark("Please type your mail address."), field="email")
    if len(text) > 254 or any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in text):
        raise Refused(mark("This does not look like a mail address. It should read like name@example.org."), field="email")
    if re.search(r"[,;]", text) or text.count("@") > 1:
        raise Refused(mark("Please type just one address."), field="email")
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise Refused(mark("This does not look like a mail address. It should read like name@example.org."), field="email") from error
    if len(found.local_part.encode()) > 64:
        # RFC 5321 §4.5.3.1.1; the library only minds when it is told to be strict.
        raise Refused(mark("This does not look like a mail address. It should read like name@example.org."), field="email")
    wire = found.ascii_email or f"{found.local_part}@{found.ascii_domain}"
    return Address(found.normalized, wire, f"{found.local_part.casefold()}@{found.ascii_domain.lower()}")


def mailbox_key(canonical: str) -> str:
    """One key for all spellings that reach the same mailbox, to count opt-in mails by (A1).

    Gmail ignores dots, and most providers deliver name+tag@ to name@. The key only ever limits; it
    never decides who somebody is.
    """
    local, _, domain = canonical.partition("@")
    local = local.partition("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"
