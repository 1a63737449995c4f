"""Proof of work and the wait that stands in for it (A1). Nobody else is asked for anything.

A challenge is a signed random text. Work means to find a number that, behind the challenge, gives a SHA-256 with
``WORK_BITS`` leading zeros: cheap to check, dear by the thousand. Without script one waits half a minute and presses a button.
"""

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.accounts.actions import count
from newsletter.shield.policy import WAIT, WORK_BITS, WORK_WITHIN
from newsletter.tokens import TokenExpired, TokenInvalid, Tokens, digest, new_secret


def challenge(tokens: Tokens) -> str:
    """Something to work on."""
    return tokens.sign("work", new_secret())


def is_done(tokens: Tokens, challenge: str, number: str) -> bool:
    """Whether work was done on a challenge of ours, or its half minute has passed. Each counts once: see :func:`use_up`."""
    try:
        tokens.load("work", challenge, WORK_WITHIN)
    except TokenInvalid:
        return False
    return has_zeros(challenge, number) if number else _is_older(tokens, challenge)


def has_zeros(challenge: str, number: str) -> bool:
    """Whether the number solves the challenge."""
    if not number.isascii() or not number.isdigit() or len(number) > 12:
        return False
    found = hashlib.sha256(f"{challenge}:{number}".encode()).digest()
    return int.from_bytes(found[:4], "big") >> (32 - WORK_BITS) == 0


def solve(challenge: str) -> str:
    """Do the work; what the browser's script does, for programs and tests."""
    number = 0
    while not has_zeros(challenge, str(number)):
        number += 1
    return str(number)


def use_up(session: Session, challenge: str, *, now: datetime) -> bool:
    """Whether this challenge was not used before."""
    return count(session, key=f"work:{digest(challenge)[:32]}", window=WORK_WITHIN, now=now) == 1


def _is_older(tokens: Tokens, challenge: str) -> bool:
    try:
        tokens.load("work", challenge, WAIT)
    except TokenExpired:
        return True
    return False
