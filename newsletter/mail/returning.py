"""Addresses of ours that mail comes back to, each with a proof that we made it (VERP; F9, B3).

``b+`` takes bounces of a delivery, ``u+`` the wish to leave by mail, ``c+`` what comes back to an answer of ours. The domain is
BOUNCE_DOMAIN.
"""

import re
from typing import Literal, NamedTuple

from newsletter.tokens import Tokens

Purpose = Literal["b", "u", "c"]
PURPOSES: dict[str, Purpose] = {"b": "b", "u": "u", "c": "c"}
_KEYS = {"b": "bounce", "u": "leave by mail", "c": "conversation"}
_SHAPE = re.compile(r"([buc])[+](\d{1,18})-([a-z2-7]{16})", re.IGNORECASE)

COMPLAINTS = "complaints"


class Proven(NamedTuple):
    """An address that we made: what for, and the number of the delivery or conversation."""

    purpose: Purpose
    number: int


def returning(tokens: Tokens, domain: str, purpose: Purpose, number: int) -> str:
    """An address that mail comes back to."""
    return f"{purpose}+{number}-{tokens.short_mac(_KEYS[purpose], str(number))}@{domain}"


def proven(tokens: Tokens, domain: str, address: str) -> Proven | None:
    """What an address stands for, if we made it; some servers on the way write it in capital letters."""
    local, _, host = address.strip().lower().rpartition("@")
    found = _SHAPE.fullmatch(local)
    if found is None or host != domain.lower():
        return None
    number = str(int(found[2]))
    return Proven(PURPOSES[found[1]], int(number)) if tokens.proves(_KEYS[found[1]], number, found[3]) else None


def shaped(domain: str, address: str) -> bool:
    """Whether an address looks as if we had made it."""
    local, _, host = address.strip().lower().rpartition("@")
    return host == domain.lower() and (_SHAPE.fullmatch(local) is not None or local == COMPLAINTS or local[:2] in ("b+", "u+", "c+"))


def complaints_address(domain: str) -> str:
    """Where providers send reports of spam to (RFC 9477)."""
    return f"{COMPLAINTS}@{domain}"
