"""The chain of consents: append-only, each row sealed with the hash of the one before."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.forms.models import Wording
from newsletter.subscriptions.models import Consent, Subscription


def record(
    session: Session,
    subscription: Subscription,
    *,
    kind: str,
    email: str,
    how: str,
    wording_id: int,
    language: str,
    at: datetime,
    form_id: int | None = None,
    page: str = "",
    channel: str = "",
    message_id: str = "",
    evidence: str = "",
) -> int:
    """Write down one step of a consent; give back the id of the row (L2)."""
    row = Consent(
        subscription_id=subscription.id,
        kind=kind,
        at=at,
        email=email,
        how=how,
        wording_id=wording_id,
        language=language,
        form_id=form_id,
        page=page[:500],
        channel=channel[:120],
        message_id=message_id,
        evidence=evidence[:500],
        previous=_last_digest(session, subscription.id),
        digest="",
    )
    row.digest = seal(row, session.get_one(Wording, wording_id))
    session.add(row)
    session.flush()
    return row.id


def seal(row: Consent, wording: Wording) -> str:
    """The hash over everything that a row says and the hash of the row before it."""
    return sealed(
        row.previous, row.subscription_id, row.kind, row.at, row.email, row.how, wording.text, wording.digest,
        row.language, row.form_id, row.page, row.channel, row.message_id, row.evidence,
    )  # fmt: skip


def sealed(
    previous: str, subscription_id: int, kind: str, at: datetime, email: str, how: str, wording: str, version: str,
    language: str, form_id: int | None = None, page: str = "", channel: str = "", message_id: str = "", evidence: str = "",
) -> str:  # fmt: skip
    """The same for what is not a row yet."""
    moment = _moment(at)
    text = (
        f"{previous}\x1f{subscription_id}\x1f{kind}\x1f{moment}\x1f{email}\x1f{how}\x1f{wording}\x1f{version}"
        f"\x1f{language}\x1f{form_id or ''}\x1f{page}\x1f{channel}\x1f{message_id}"
    )
    # Rows of the time before there was evidence were sealed without it.
    return hashlib.sha256((f"{text}\x1f{evidence}" if evidence else text).encode()).hexdigest()


@lru_cache(maxsize=256)
def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def intact(rows: Sequence[Consent], wordings: Mapping[int, Wording]) -> bool:
    """Whether a person's chain is as it was written, the words of it included."""
    previous = ""
    for row in rows:
        wording = wordings.get(row.wording_id)
        if wording is None or hashlib.sha256(wording.text.encode()).hexdigest() != wording.digest:
            return False
        if row.previous != previous or row.digest != seal(row, wording):
            return False
        previous = row.digest
    return True


def _last_digest(session: Session, subscription_id: int) -> str:
    query = select(Consent.digest).where(Consent.subscription_id == subscription_id).order_by(Consent.id.desc()).limit(1)
    return session.scalar(query) or ""
