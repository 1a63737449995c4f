"""What a reply of a mail server means (RFC 5321 §4.2, RFC 3463; RULES S1, S5, B2)."""

import re
from dataclasses import dataclass


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


# RFC 3463 subjects and details that speak of the address itself. Only these may ever suppress (I8).
_DEAD = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"}
_FULL = {"5.2.2", "4.2.2"}
_CONTENT = {"5.6.0", "5.6.1", "5.6.2", "5.6.3", "5.3.4", "5.2.3"}

_WORDS = (
    ("full", r"quota|mailbox (?:is )?full|storage|postfach (?:ist )?voll"),
    (
        "dead",
        (
            r"user (?:unknown|not found)|unknown (?:user|recipient)|no such (?:user|recipient|mailbox|address)|does ?n.t exist|does not exist"
            r"|mailbox (?:unavailable|not found)|invalid (?:recipient|mailbox)|recipient (?:rejected|not found)"
            r"|account (?:disabled|inactive)|unrouteable"
        ),
    ),
    (
        "sender",
        (
            r"\bspf\b|\bdkim\b|dmarc|authenticat|\bptr\b|reverse dns|block ?list|blacklist|reputation|banned"
            r"|relay(?:ing)? (?:access )?denied|not (?:allowed|permitted) to (?:send|relay)|sender|\bip\b"
        ),
    ),
    ("content", r"spam|virus|content|message (?:size|too)|policy|rejected by filter"),
)


def classify(reply: Reply) -> str:
    """One of dead, full, temporary, content, sender, unclear.

    The enhanced code decides where it says something; the words only where it does not. 5.7.x is about
    the sender or what he sends, never about the address (S5).
    """
    code = reply.enhanced
    if not reply.permanent:
        return "full" if code in _FULL else "temporary"
    if code in _DEAD:
        return "dead"
    if code in _FULL:
        return "full"
    if code in _CONTENT:
        return "content"
    if code.startswith("5.7.") or (reply.code in (530, 535) and not code):
        return "content" if re.search(r"spam|virus|content", reply.text, re.IGNORECASE) else "sender"
    for kind, words in _WORDS:
        if re.search(words, reply.text, re.IGNORECASE):
            return kind
    return "dead" if reply.code in (550, 551, 553) and code.startswith("5.1.") else "unclear"
