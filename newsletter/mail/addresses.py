"""Mail addresses: checked, in the form that is sent and in the form that is compared (F10, F11)."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

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


# Nearly every address is one of these. What the full check says of them is known: it is the same, the domain in small letters.
# Not among them: names that lead nowhere (RFC 6761), and “--”, behind which another spelling may hide (RFC 5891).
_PLAIN = re.compile(r"[a-z0-9_][a-z0-9_+-]*(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9]|-(?!-)){0,62}(?<!-)\.)+(?P<top>[a-z]{2,24})", re.IGNORECASE | re.ASCII)
_NOWHERE = {"local", "localhost", "onion", "test", "arpa", "invalid", "internal", "lan", "home", "corp", "alt"}


def plain(text: str) -> tuple[str, str] | None:
    """The shown and the compared form of a plain address; nothing, when it needs the full check."""
    found = _PLAIN.fullmatch(text)
    if found is None or len(text) > 200 or text.index("@") > 64 or found["top"].lower() in _NOWHERE:
        return None
    local, _, domain = text.partition("@")
    domain = domain.lower()
    return f"{local}@{domain}", f"{local.lower()}@{domain}"


@lru_cache(maxsize=1024)
def parse(text: str) -> Address:
    """An address from what a person typed.

    Raises:
        Refused: it is empty, not one address, or not an address that SMTP can carry unchanged.
    """
    if (short := plain(text)) is not None:
        return Address(short[0], short[0], short[1])
    return _parse(text)


def _parse(text: str) -> Address:
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
