"""The ledger's own moves: claim, hand over, settle, release, recover. Each is one conditional UPDATE for many rows.

A statement costs a wave and not a message (:func:`newsletter.orm.wave`).
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.deliveries import policy, queries
from newsletter.deliveries.models import IS_WAITING, Attempt, Claiming, Delivery, Mailing
from newsletter.i18n import mark
from newsletter.orm import wave
from newsletter.subscriptions.actions import keep_leave_links
from newsletter.subscriptions.models import Subscription, Suppression

# A lease that runs shorter than this was not renewed for ten seconds: its sender is dead, or as good as.
LEASE_RENEWED = policy.LEASE - timedelta(seconds=10)


class Claim(NamedTuple):
    """One delivery in the hands of one sender. ``claim_id`` is the claim's own: nobody else may hand this row over (I5)."""

    claim_id: int
    id: int
    canonical: str
    reference: str
    provider: str
    attempts: int
    subscription_id: int
    email: str
    name: str


class Wish(NamedTuple):
    """A claimed delivery whose body is at the server, but for the final dot."""

    held: Claim
    fingerprints: tuple[str, ...]
    leave_digest: str
    transport_id: int


class Result(NamedTuple):
    """How a transaction ended. ``next_attempt_at`` is for those that come again."""

    held: Claim
    state: str
    phase: str
    code: int | None = None
    enhanced: str = ""
    reply: str = ""
    next_attempt_at: datetime | None = None


def claim(session: Session, mailing_id: int, *, limit: int = policy.BATCH, resting: Sequence[str] = (), now: datetime) -> list[Claim]:
    """Take deliveries that are due. What nobody can get any more is skipped at once.

    Args:
        resting: providers that want to be left alone for a while.
    """
    claim_id = secrets.randbits(62)
    rows: list[list[Any]] = []
    for state in ("deferred", "planned"):
        if len(rows) < limit:
            rows += _take(session, mailing_id, state, claim_id, limit - len(rows), resting, now)
    if not rows:
        return []
    rows.sort()
    claims = [Claim(claim_id, *row) for row in rows]
    session.add(Claiming(id=claim_id, mailing_id=mailing_id, lease_until=now + policy.LEASE, ids=[held.id for held in claims]))
    session.flush()
    gone = [claim for claim in claims if claim.email is None or claim.subscription_id is None]
    _skip(session, gone, why="erased", now=now)
    return [claim for claim in claims if claim not in gone] if gone else claims


def _take(session: Session, mailing_id: int, state: str, claim_id: int, limit: int, resting: Sequence[str], now: datetime) -> list[list[Any]]:
    # Equal to one state and ordered by the rest of the index: the first rows are found without looking at any other.
    words = _POSTGRESQL if session.get_bind().dialect.name == "postgresql" else _SQLITE
    left_alone = "AND provider NOT IN (SELECT vprovider FROM {v})" if resting else ""
    sql = _DUE.format(state=state, left_alone=left_alone, **words)
    ids = _unpacked(wave(session, sql, "vprovider text", [(name,) for name in resting], mailing=mailing_id, limit=limit, now=now).scalar_one())
    if not ids:
        return []
    wave(session, _CLAIM, "vid bigint", [(number,) for number in ids], claim=claim_id, state=state)
    # One row for all: SQLite's driver gives up the interpreter lock for every row that it fetches.
    return _unpacked(wave(session, _CLAIMED.format(**words), "vid bigint", [(number,) for number in ids], claim=claim_id).scalar_one())


def _unpacked(found: Any) -> list[Any]:
    return list(json.loads(found) if isinstance(found, str) else found or [])


_SQLITE = {"array": "json_array", "gather": "json_group_array", "locked": ""}
_POSTGRESQL = {"array": "json_build_array", "gather": "json_agg", "locked": "FOR UPDATE SKIP LOCKED"}

# The second condition on the state says nothing new; it is how SQLite recognises the partial index.
_DUE = """
SELECT {gather}(id) FROM (
  SELECT id FROM deliveries WHERE mailing_id = :mailing AND state = '{state}' AND state IN ('planned', 'deferred') AND next_attempt_at <= :now {left_alone}
  AND EXISTS (SELECT 1 FROM mailings WHERE mailings.id = :mailing AND mailings.state = 'sending')
  ORDER BY next_attempt_at, id LIMIT :limit {locked}
) AS due
"""
_CLAIM = "UPDATE deliveries SET state = 'claimed', claim_id = :claim FROM {v} WHERE id = vid AND state = :state"
_CLAIMED = """
SELECT {gather}({array}(d.id, d.canonical, d.reference, d.provider, d.attempts, d.subscription_id, s.email, s.name))
FROM {{v}} JOIN deliveries d ON d.id = vid LEFT JOIN subscribers s ON s.id = d.subscriber_id WHERE d.claim_id = :claim
"""


def _skip(session: Session, claims: Sequence[Claim], *, why: str, now: datetime) -> None:
    """These people must not get it any more."""
    for held in claims:
        session.execute(
            update(Delivery)
            .where(Delivery.id == held.id, Delivery.claim_id == held.claim_id)
            .values(state="skipped", claim_id=None, reply=why, changed_at=now)
            .execution_options(synchronize_session=False)
        )


class NotEverybody(Exception):
    """Somebody of a wave may not be handed over; who, is found out by asking for each alone, in a new transaction."""


def hand_over(session: Session, wishes: Sequence[Wish], *, now: datetime) -> set[int]:
    """claimed -> handing_over, where this sender still holds the row and this person may still be mailed (I3, I5, I6).

    Gives back the deliveries whose dot may go out once this transaction is committed.

    Raises:
        NotEverybody: not all of several may go. Roll back, and call :func:`hand_over_singly`.
    """
    if not wishes:
        return set()
    prints = [f"vprint{number}" for number in range(len(wishes[0].fingerprints))]
    sql = _HAND_OVER.replace("{prints}", ", ".join(["''", *prints]))
    columns = ", ".join(["vid bigint", "vclaim bigint", "vtransport integer", *(f"{name} text" for name in prints)])
    rows = [(wish.held.id, wish.held.claim_id, wish.transport_id, *wish.fingerprints) for wish in wishes]
    if wave(session, sql, columns, rows, now=now).rowcount != len(wishes):
        raise NotEverybody
    keep_leave_links(session, [(wish.leave_digest, wish.held.subscription_id) for wish in wishes], now=now)
    return {wish.held.id for wish in wishes}


def hand_over_singly(session: Session, wishes: Sequence[Wish], *, now: datetime) -> set[int]:
    """The same, one by one; those who may not go are put where they belong."""
    granted: set[int] = set()
    for wish in wishes:
        try:
            granted |= hand_over(session, [wish], now=now)
        except NotEverybody:
            _why_not(session, wish, now)
    return granted


_HAND_OVER = """
UPDATE deliveries SET state = 'handing_over', attempts = attempts + 1, transport_id = vtransport, changed_at = :now
FROM {v} WHERE id = vid AND state = 'claimed' AND claim_id = vclaim
AND EXISTS (SELECT 1 FROM claims WHERE claims.id = vclaim AND claims.lease_until > :now)
AND EXISTS (SELECT 1 FROM mailings WHERE mailings.id = deliveries.mailing_id AND mailings.state = 'sending')
AND EXISTS (SELECT 1 FROM subscriptions WHERE subscriptions.id = deliveries.subscription_id AND subscriptions.state = 'active')
AND NOT EXISTS (
  SELECT 1 FROM suppressions WHERE suppressions.fingerprint IN ({prints}) AND (suppressions.publication_id IS NULL
  OR suppressions.publication_id = (SELECT mailings.publication_id FROM mailings WHERE mailings.id = deliveries.mailing_id))
)
"""


def _why_not(session: Session, wish: Wish, now: datetime) -> None:
    """Put a row that must not be handed over where it belongs: skipped, planned again, or left to others."""
    held = wish.held
    row = session.execute(select(Subscription.state, Subscription.publication_id).where(Subscription.id == held.subscription_id)).first()
    state = row[0] if row else None
    here = Suppression.publication_id.is_(None) if row is None else or_(Suppression.publication_id.is_(None), Suppression.publication_id == row[1])
    suppressed = session.scalar(select(Suppression.reason).where(Suppression.fingerprint.in_(wish.fingerprints), here).limit(1))
    if suppressed:
        _skip(session, [held], why=f"suppressed: {suppressed}", now=now)
    elif state != "active":
        _skip(session, [held], why=state or "erased", now=now)
    else:
        release(session, [held], now=now)


def settle(session: Session, results: Sequence[Result], *, now: datetime) -> None:
    """Write down how transactions ended. A late answer may still settle what became uncertain meanwhile."""
    if not results:
        return
    rows = [(one.held.id, one.held.claim_id, one.state, one.held.attempts + 1, one.code, one.enhanced, one.reply[:500], one.next_attempt_at) for one in results]
    columns = "vid bigint, vclaim bigint, vstate text, vnumber integer, vcode integer, venhanced text, vreply text, vnext timestamptz"
    before = {one.held.id: _open_attempt(session, one.held) for one in results if one.state != "accepted" or one.held.attempts}
    wave(session, _SETTLE, columns, rows, now=now)
    again = [one.held.id for one in results if one.next_attempt_at is not None or one.state in ("planned", "deferred")]
    if again:
        _cancel_what_was_cancelled(session, again)
    worth_a_row = [one for one in results if before.get(one.held.id)]
    if worth_a_row:
        session.execute(
            insert(Attempt),
            [
                {
                    "delivery_id": one.held.id, "number": one.held.attempts + 1, "at": now, "phase": one.phase, "outcome": one.state,
                    "code": one.code, "enhanced": one.enhanced, "reply": one.reply[:500],
                }
                for one in worth_a_row
            ],
        )  # fmt: skip


_SETTLE = """
UPDATE deliveries SET state = vstate, attempts = vnumber, code = vcode, enhanced = venhanced, reply = vreply, changed_at = :now,
claim_id = CASE WHEN vstate = 'uncertain' THEN claim_id END, next_attempt_at = COALESCE(vnext, next_attempt_at)
FROM {v} WHERE id = vid AND claim_id = vclaim AND state IN ('claimed', 'handing_over', 'uncertain')
"""


def _open_attempt(session: Session, held: Claim) -> bool:
    """Whether this row still waits for the result: after a lost connection to the database it may be written twice."""
    states = ("claimed", "handing_over", "uncertain")
    return session.scalar(select(Delivery.id).where(Delivery.id == held.id, Delivery.claim_id == held.claim_id, Delivery.state.in_(states))) is not None


def _cancel_what_was_cancelled(session: Session, ids: Sequence[int]) -> None:
    # A mailing that was cancelled while these were on the wire has nothing left to come back for.
    cancelled = exists().where(Mailing.id == Delivery.mailing_id, Mailing.state == "cancelled")
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state.in_(("planned", "deferred")), cancelled)
        .values(state="cancelled")
        .execution_options(synchronize_session=False)
    )


def release(session: Session, claims: Sequence[Claim], *, now: datetime) -> None:
    """Give claimed rows back untouched; of a cancelled mailing they are cancelled."""
    if claims:
        wave(session, _RELEASE, "vid bigint, vclaim bigint", [(held.id, held.claim_id) for held in claims], now=now)


_RELEASE = """
UPDATE deliveries SET claim_id = NULL, changed_at = :now,
state = CASE WHEN EXISTS (SELECT 1 FROM mailings WHERE mailings.id = deliveries.mailing_id AND mailings.state = 'cancelled') THEN 'cancelled' ELSE 'planned' END
FROM {v} WHERE id = vid AND claim_id = vclaim AND state = 'claimed'
"""


def keep(session: Session, claim_ids: Sequence[int], *, now: datetime) -> list[int]:
    """The sender is alive: its leases run longer. Claims with nothing left in hands are done; gives back the others."""
    done = [claim_id for claim_id in claim_ids if not queries.in_hands(session, [claim_id])]
    left = [claim_id for claim_id in claim_ids if claim_id not in done]
    session.execute(delete(Claiming).where(Claiming.id.in_(done)))
    session.execute(update(Claiming).where(Claiming.id.in_(left), Claiming.lease_until > now).values(lease_until=now + policy.LEASE))
    return left


def recover(session: Session, *, now: datetime, everything: bool = False) -> tuple[int, int]:
    """What dead senders left behind: claimed rows are planned again, handed-over ones are uncertain (I4).

    Args:
        everything: also claims whose lease still runs, when no other sender can be alive.

    Gives back how many of each.
    """
    over = Claiming.lease_until <= now if not everything else Claiming.id.is_not(None)
    freed = doubtful = 0
    for claim_id, ids in session.execute(select(Claiming.id, Claiming.ids).where(over).with_for_update()).all():
        held = [(number, claim_id) for number in ids]
        freed += wave(session, _RELEASE, "vid bigint, vclaim bigint", held, now=now).rowcount
        # The claim's number stays: should that sender be alive after all, its late answer settles the row.
        doubtful += wave(session, _DOUBT, "vid bigint, vclaim bigint", held, now=now, why=STOPPED).rowcount
        session.execute(delete(Claiming).where(Claiming.id == claim_id))
    return freed, doubtful


STOPPED = mark("The sender stopped between the last byte and the answer.")
_DOUBT = """
UPDATE deliveries SET state = 'uncertain', changed_at = :now, reply = :why
FROM {v} WHERE id = vid AND claim_id = vclaim AND state = 'handing_over'
"""


def expire(session: Session, *, now: datetime) -> int:
    """Deferred for too long: given up."""
    old = select(Mailing.id).where(Mailing.state.in_(("sending", "paused")), Mailing.give_up_at < now)
    result = session.execute(
        update(Delivery)
        .where(Delivery.mailing_id.in_(old), IS_WAITING, Delivery.state == "deferred")
        .values(state="expired", changed_at=now)
        .execution_options(synchronize_session=False)
    )
    return _rows(result)


def _rows(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
