"""What a reply of a mail server means (RFC 5321 §4.2, RFC 3463; RULES S1, S5, B2)."""

import re
from dataclasses import dataclass

from newsletter.mail.incoming.reasons import ABOUT_US, reason_for


@dataclass(frozen=True)
class Reply:
    """One reply: the code, and the text with line breaks taken out."""

    code: int
    text: str = ""

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 2034), when it agrees with the basic one; the basic one is trusted."""
        found = re.match(r"([245])\.(\d{1,3})\.(\d{1,3})\b", self.text)
        return found.group(0) if found and found.group(1) == str(self.code)[:1] else ""

    @property
    def permanent(self) -> bool:
        return 500 <= self.code < 600

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


def printable(text: bytes | str) -> str:
    """The text of a reply as it may be stored and shown: one line, at most 400 characters, nothing invisible."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if not words.isprintable():
        words = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return words.strip()[:400]


def classify(reply: Reply) -> str:
    """One of dead, full, temporary, content, sender, unclear: the classes of what comes back as a mail (B2)."""
    if reply.permanent:
        return reason_for(reply.text, code=reply.code, status=reply.enhanced).kind
    return "full" if reason_for(reply.text, code=reply.code, status=reply.enhanced, final=False).name == "full" else "temporary"


def about_us(reply: Reply) -> bool:
    """Whether the sending side has to mend something before anybody is asked again (D4, S5)."""
    if not reply.permanent:
        return False
    reason = reason_for(reply.text, code=reply.code, status=reply.enhanced).name
    # 5.7.x without a word why is about whoever sends (RFC 3463 §3.8), not about the address (S5).
    return reply.code in (530, 535) or reason in ABOUT_US or (reason == "policy" and reply.enhanced.startswith("5.7."))
