"""The ledger's own moves: claim, hand over, record, release, recover. Each is one conditional UPDATE."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.deliveries import policy
from newsletter.deliveries.models import Attempt, Delivery, Mailing
from newsletter.i18n import mark
from newsletter.mail.replies import Reply
from newsletter.subscriptions.models import Subscriber, Subscription, Suppression


@dataclass(frozen=True)
class Claim:
    """One delivery in the hands of one sender."""

    id: int
    token: str
    canonical: str
    reference: str
    attempts: int
    subscription_id: int
    email: str
    name: str


def claim(session: Session, mailing_id: int, *, now: datetime) -> list[Claim]:
    """Take up to a batch of deliveries that are due. What nobody can get any more is skipped at once."""
    token = secrets.token_hex(16)
    wanted = (
        select(Delivery.id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state.in_(("planned", "deferred")), Delivery.next_attempt_at <= now)
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(policy.BATCH)
    )
    if session.get_bind().dialect.name == "postgresql":
        wanted = wanted.with_for_update(skip_locked=True)
    sending = exists().where(Mailing.id == Delivery.mailing_id, Mailing.state == "sending")
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(wanted), sending)
        .values(state="claimed", token=token, lease_until=now + policy.LEASE)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(
        select(Delivery.id, Delivery.canonical, Delivery.reference, Delivery.attempts, Delivery.subscription_id, Subscriber.email, Subscriber.name)
        .outerjoin(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.token == token)
        .order_by(Delivery.id)
    ).all()
    gone = [row.id for row in rows if row.email is None or row.subscription_id is None]
    skip(session, gone, token, why="erased", now=now)
    return [Claim(row.id, token, row.canonical, row.reference, row.attempts, row.subscription_id, row.email, row.name) for row in rows if row.id not in gone]


def skip(session: Session, ids: list[int], token: str, *, why: str, now: datetime) -> None:
    """These people must not get it any more."""
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.token == token)
        .values(state="skipped", token=None, lease_until=None, reply=why, changed_at=now)
        .execution_options(synchronize_session=False)
    )


def may_hand_over(session: Session, held: Claim, fingerprints: list[str], *, now: datetime) -> bool:
    """claimed -> handing_over, if this sender still holds the row and this person may still be mailed (I3, I5, I6).

    True only when exactly this row was changed; the caller commits before the dot goes out.
    """
    permitted = (
        exists().where(Mailing.id == Delivery.mailing_id, Mailing.state == "sending"),
        exists().where(Subscription.id == Delivery.subscription_id, Subscription.state == "active"),
        ~exists().where(Suppression.fingerprint.in_(fingerprints)),
    )
    result = session.execute(
        update(Delivery)
        .where(Delivery.id == held.id, Delivery.state == "claimed", Delivery.token == held.token, Delivery.lease_until > now, *permitted)
        .values(state="handing_over", attempts=Delivery.attempts + 1, lease_until=now + policy.HAND_OVER_LEASE, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    _renew(session, held.token, now)
    return _rows(result) == 1


def why_not(session: Session, held: Claim, fingerprints: list[str], *, now: datetime) -> None:
    """Put a row that must not be handed over where it belongs: skipped, planned again, or left to others."""
    state = session.scalar(select(Subscription.state).where(Subscription.id == held.subscription_id))
    suppressed = session.scalar(select(Suppression.reason).where(Suppression.fingerprint.in_(fingerprints)))
    if suppressed:
        skip(session, [held.id], held.token, why=f"suppressed: {suppressed}", now=now)
    elif state != "active":
        skip(session, [held.id], held.token, why=state or "erased", now=now)
    else:
        release(session, held.token, now=now, only=held.id)


def record(
    session: Session, held: Claim, *, state: str, phase: str, reply: Reply | None, why: str = "", next_attempt_at: datetime | None = None, now: datetime
) -> None:
    """Write down how a transaction ended. A late answer may still settle what became uncertain meanwhile."""
    code, enhanced = (reply.code, reply.enhanced) if reply else (None, "")
    words = (reply.text if reply else why)[:500]
    number = held.attempts + 1
    values: dict[str, Any] = {
        "state": state, "attempts": number, "code": code, "enhanced": enhanced, "reply": words, "changed_at": now, "lease_until": None,
    }  # fmt: skip
    if next_attempt_at is not None:
        values["next_attempt_at"] = next_attempt_at
    if state != "uncertain":
        values["token"] = None
    session.execute(
        update(Delivery)
        .where(Delivery.id == held.id, Delivery.token == held.token, Delivery.state.in_(("claimed", "handing_over", "uncertain")))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    # A mailing that was cancelled while this one was on the wire has nothing left to come back for.
    cancelled = exists().where(Mailing.id == Delivery.mailing_id, Mailing.state == "cancelled")
    session.execute(
        update(Delivery)
        .where(Delivery.id == held.id, Delivery.state.in_(("planned", "deferred")), cancelled)
        .values(state="cancelled")
        .execution_options(synchronize_session=False)
    )
    session.add(Attempt(delivery_id=held.id, number=number, at=now, phase=phase, outcome=state, code=code, enhanced=enhanced, reply=words))
    _renew(session, held.token, now)


def _renew(session: Session, token: str, now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.token == token, Delivery.state == "claimed", Delivery.lease_until > now)
        .values(lease_until=now + policy.LEASE)
        .execution_options(synchronize_session=False)
    )


def release(session: Session, token: str, *, now: datetime, only: int | None = None) -> None:
    """Give claimed rows back untouched; of a cancelled mailing they are cancelled."""
    mine = [Delivery.token == token, Delivery.state == "claimed"]
    if only is not None:
        mine.append(Delivery.id == only)
    cancelled = exists().where(Mailing.id == Delivery.mailing_id, Mailing.state == "cancelled")
    for state, condition in (("cancelled", cancelled), ("planned", ~cancelled)):
        session.execute(
            update(Delivery)
            .where(*mine, condition)
            .values(state=state, token=None, lease_until=None, changed_at=now)
            .execution_options(synchronize_session=False)
        )


def recover(session: Session, *, now: datetime, everything: bool = False) -> tuple[int, int]:
    """What dead senders left behind: claimed rows are planned again, handed-over ones are uncertain (I4).

    Args:
        everything: also rows whose lease still runs, when no other sender can be alive.

    Gives back how many of each.
    """
    over = or_(Delivery.lease_until <= now, Delivery.lease_until.is_(None)) if not everything else Delivery.id.is_not(None)
    cancelled = exists().where(Mailing.id == Delivery.mailing_id, Mailing.state == "cancelled")
    freed = 0
    for state, condition in (("cancelled", cancelled), ("planned", ~cancelled)):
        freed += _rows(
            session.execute(
                update(Delivery)
                .where(Delivery.state == "claimed", over, condition)
                .values(state=state, token=None, lease_until=None, changed_at=now)
                .execution_options(synchronize_session=False)
            )
        )
    # The token stays: should that sender be alive after all, its late answer settles the row.
    doubtful = _rows(
        session.execute(
            update(Delivery)
            .where(Delivery.state == "handing_over", over)
            .values(state="uncertain", lease_until=None, changed_at=now, reply=mark("The sender stopped between the last byte and the answer."))
            .execution_options(synchronize_session=False)
        )
    )
    return freed, doubtful


def expire(session: Session, *, now: datetime) -> int:
    """Deferred for too long: given up."""
    old = exists().where(Mailing.id == Delivery.mailing_id, Mailing.started_at < now - policy.GIVE_UP_AFTER)
    result = session.execute(
        update(Delivery).where(Delivery.state == "deferred", old).values(state="expired", changed_at=now).execution_options(synchronize_session=False)
    )
    return _rows(result)


def _rows(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
