"""Header fields, written by our own policy.

The standard library encodes a List-Unsubscribe that is longer than a line as an encoded word, which kills
one-click unsubscribing without a sound (U9), and lets line breaks through in encoded words (F12).
"""

import re
import unicodedata
from collections.abc import Iterable
from email.header import Header

from newsletter.errors import Refused
from newsletter.i18n import mark

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def guard(value: str, what: str) -> str:
    """A value that may enter a header field.

    Raises:
        Refused: it holds control characters, line separators or something that reads like an encoded word.
    """
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs") for letter in value) or re.search(r"=\?.*\?=", value):
        raise Refused(mark("%(what)s contains characters that must not stand in a mail header."), what=what)
    return value


def text_field(name: str, value: str) -> str:
    """An unstructured field such as Subject, folded, in encoded words where it has to be (RFC 2047)."""
    guard(value, name)
    charset = "us-ascii" if value.isascii() else "utf-8"
    return f"{name}: " + Header(value, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")


def mailbox_field(name: str, display: str, address: str) -> str:
    """From, To, Reply-To: a display name and one address (RFC 5322 §3.4)."""
    guard(display, name)
    guard(address, name)
    if not display:
        return f"{name}: {address}"
    if not display.isascii():
        # A display name is a phrase; the encoded words must fit beside the field name.
        display = Header(display, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")
    elif not _ATOM.fullmatch(display):
        display = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    line = f"{name}: {display} <{address}>"
    longest = max(len(part) for part in line.split("\r\n"))
    return line if longest <= 78 else f"{name}: {display}\r\n <{address}>"


def verbatim_field(name: str, value: str) -> str:
    """A structured field as it is. It is folded only between two addresses, never inside one (U9)."""
    guard(value, name)
    if not value.isascii():
        raise Refused(mark("%(what)s contains characters that must not stand in a mail header."), what=name)
    line = f"{name}: {value}"
    if len(line) > 78 and ">, <" in value:
        line = f"{name}: " + value.replace(">, <", ">,\r\n <")
    return line


def folded_field(name: str, words: Iterable[str]) -> str:
    """A field of words that must not be broken, one on each line (RFC 5322 §2.2.3)."""
    return f"{name}: " + "\r\n ".join(_ascii(guard(word, name), name) for word in words)


def _ascii(value: str, name: str) -> str:
    if not value.isascii() or " " in value:
        raise Refused(mark("%(what)s contains characters that must not stand in a mail header."), what=name)
    return value
