"""The chain of consents: append-only, each row sealed with the hash of the one before."""

import hashlib
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.subscriptions.models import Consent, Subscription


def record(
    session: Session,
    subscription: Subscription,
    *,
    kind: str,
    email: str,
    how: str,
    wording: str,
    language: str,
    at: datetime,
    form_id: int | None = None,
    page: str = "",
    channel: str = "",
    message_id: str = "",
) -> int:
    """Write down one step of a consent; give back the id of the row (L2)."""
    row = Consent(
        subscription_id=subscription.id,
        kind=kind,
        at=at,
        email=email,
        how=how,
        wording=wording,
        version=version_of(wording),
        language=language,
        form_id=form_id,
        page=page[:500],
        channel=channel[:120],
        message_id=message_id,
        previous=_last_digest(session, subscription.id),
        digest="",
    )
    row.digest = seal(row)
    session.add(row)
    session.flush()
    return row.id


def version_of(wording: str) -> str:
    """The version of a text is its hash: other words, another version."""
    return hashlib.sha256(wording.encode()).hexdigest()


def seal(row: Consent) -> str:
    """The hash over everything that a row says and the hash of the row before it."""
    moment = row.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    parts = (
        row.previous, str(row.subscription_id), row.kind, moment, row.email, row.how, row.wording, row.version,
        row.language, str(row.form_id or ""), row.page, row.channel, row.message_id,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def intact(rows: list[Consent]) -> bool:
    """Whether a person's chain is as it was written."""
    previous = ""
    for row in rows:
        if row.previous != previous or row.digest != seal(row):
            return False
        previous = row.digest
    return True


def _last_digest(session: Session, subscription_id: int) -> str:
    query = select(Consent.digest).where(Consent.subscription_id == subscription_id).order_by(Consent.id.desc()).limit(1)
    return session.scalar(query) or ""
