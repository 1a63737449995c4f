"""The keys that sign our mail (DKIM): made here, kept encrypted, changed by a second selector (F16, P6)."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import Conflict, NotFound
from newsletter.i18n import mark
from newsletter.mail import dkim
from newsletter.publications.domain import PublishedKey
from newsletter.publications.models import SigningKey
from newsletter.tokens import TokenInvalid, Tokens

ALGORITHMS = ("rsa", "ed25519")


def keys_of(session: Session, domain: str) -> list[SigningKey]:
    """All keys of a domain, those that sign first, then the newest."""
    order = {"active": 0, "new": 1, "retired": 2}
    rows = session.scalars(select(SigningKey).where(SigningKey.domain == domain.lower()).order_by(SigningKey.id.desc()))
    return sorted(rows, key=lambda row: order[row.state])


def signing_keys(session: Session, tokens: Tokens, domain: str) -> list[dkim.Key]:
    """The keys that sign for a domain now: RSA first, because not every server knows Ed25519 (RFC 8463 §3).

    Raises:
        KeyBroken: a key was encrypted with a secret key that is no longer in the list.
    """
    rows = session.scalars(select(SigningKey).where(SigningKey.domain == domain.lower(), SigningKey.state == "active").order_by(SigningKey.algorithm.desc()))
    return [unlocked(tokens, row) for row in rows]


def unlocked(tokens: Tokens, row: SigningKey) -> dkim.Key:
    """A key as it signs.

    Raises:
        KeyBroken: it was encrypted with a secret key that is no longer in the list.
    """
    try:
        return dkim.Key(row.domain, row.selector, row.algorithm, tokens.decrypt(row.private))
    except TokenInvalid as error:
        raise dkim.KeyBroken(f"The signing key {row.selector} cannot be read: SECRET_KEY is not the one it was stored with.") from error


def published(rows: Sequence[SigningKey]) -> list[PublishedKey]:
    """The keys as the DNS should know them; retired ones may go."""
    return [PublishedKey(row.host, row.record, row.algorithm, row.state == "active") for row in rows if row.state != "retired"]


def signed(session: Session, tokens: Tokens, domain: str, raw: bytes) -> bytes:
    """A single mail with the signatures of its sender's domain, if it has keys.

    Raises:
        KeyBroken: a key cannot be read.
    """
    found = signing_keys(session, tokens, domain)
    return dkim.sign(raw, found) if found else raw


def add_keys(session: Session, tokens: Tokens, *, domain: str, now: datetime) -> list[SigningKey]:
    """Make a pair of keys, RSA and Ed25519, that do not sign yet: first they have to be published.

    Raises:
        Conflict: there are new keys already that wait for being published.
    """
    domain = domain.lower()
    if session.scalar(select(SigningKey.id).where(SigningKey.domain == domain, SigningKey.state == "new")):
        raise Conflict(mark("There are new keys already. Publish their records first."))
    # Selectors are never used twice, because resolvers remember the old record.
    stem = f"bt{now:%Y%m}{secrets.token_hex(2)}"
    rows = []
    for algorithm in ALGORITHMS:
        private = dkim.new_private_key(algorithm)
        rows.append(
            SigningKey(
                domain=domain, selector=f"{stem}{algorithm[0]}", algorithm=algorithm, private=tokens.encrypt(private),
                record=dkim.record(algorithm, private), state="new", created_at=now,
            )
        )  # fmt: skip
    session.add_all(rows)
    session.flush()
    return rows


def use_keys(session: Session, *, domain: str, now: datetime) -> int:
    """The records are published: the new keys sign from now on, the old ones are retired. Gives back how many sign.

    Raises:
        NotFound: there are no new keys.
    """
    rows = keys_of(session, domain)
    if not any(row.state == "new" for row in rows):
        raise NotFound(mark("There are no new keys for this domain."))
    for row in rows:
        if row.state == "active":
            row.state, row.changed_at = "retired", now
        elif row.state == "new":
            row.state, row.changed_at = "active", now
    session.flush()
    return sum(row.state == "active" for row in rows)


def forget_key(session: Session, *, key_id: int, domain: str) -> None:
    """Delete a key that does not sign.

    Raises:
        NotFound: there is none.
        Conflict: it signs.
    """
    row = session.get(SigningKey, key_id)
    if row is None or row.domain != domain.lower():
        raise NotFound(mark("There is no such key."))
    if row.state == "active":
        raise Conflict(mark("This key signs every mail. Make new ones first."))
    session.delete(row)
    session.flush()
