"""The buckets: what may leave now, by transport and by provider, over all workers and all restarts (I9).

Tokens are taken in the same transaction that permits the hand-over, right before the dot. Taken earlier they
would say nothing about the moment of the hand-over, and would be lost with every recipient that is refused.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.orm import insert_into
from newsletter.transports import policy
from newsletter.transports.models import Bucket, Transport

Key = tuple[int, str]
EVERYTHING: Key = (-1, "")


class Wait(NamedTuple):
    """Not yet: until when, and which bucket is empty."""

    until: datetime
    key: Key


@dataclass(frozen=True)
class Limits:
    """What is limited, as it was a moment ago: enough to know whom to ask for permission.

    ``limited`` are the keys whose bucket must be asked, ``resting`` those that want to be left alone and until when.
    """

    limited: frozenset[Key] = frozenset()
    resting: Mapping[Key, datetime] = field(default_factory=dict)
    stopped: frozenset[int] = frozenset()

    def keys_of(self, transport_id: int, provider: str) -> list[Key]:
        """The buckets that a mail needs a token from."""
        return [key for key in (EVERYTHING, (transport_id, ""), (transport_id, provider)) if key in self.limited]

    def rests(self, transport_id: int, provider: str, now: datetime) -> bool:
        """Whether this provider wants to be left alone by this transport."""
        until = self.resting.get((transport_id, provider))
        return until is not None and until > now


def limits(session: Session, send_rate: float) -> Limits:
    """Which buckets there are.

    Args:
        send_rate: mails a second for everything together; 0 means no limit.
    """
    rows = list(session.scalars(select(Bucket)))
    limited = {(row.transport_id, row.provider) for row in rows if row.count}
    limited |= {(row.id, "") for row in session.scalars(select(Transport)) if row.count or row.warm_up_from}
    if send_rate:
        limited.add(EVERYTHING)
    resting = {(row.transport_id, row.provider): row.rest_until for row in rows if row.rest_until}
    return Limits(frozenset(limited), resting, frozenset(row.transport_id for row in rows if row.stopped))


def take(session: Session, asks: Sequence[Sequence[Key]], *, send_rate: float, now: datetime) -> list[Wait | None]:
    """Take a token for each mail from all of its buckets.

    Args:
        asks: for each mail the keys that :meth:`Limits.keys_of` named.

    Gives back None for those that may go, and for the others when it makes sense to ask again.
    """
    wanted = Counter(key for keys in asks for key in keys)
    if not wanted:
        return [None] * len(asks)
    # In one order, so that two workers never wait for each other.
    rooms = {key: _Room(session, key, number, send_rate, now) for key, number in sorted(wanted.items())}
    answers: list[Wait | None] = []
    for keys in asks:
        empty = [Wait(rooms[key].ready_at, key) for key in keys if not rooms[key].left]
        answers.append(max(empty) if empty else None)
        if not empty:
            for key in keys:
                rooms[key].left -= 1
                rooms[key].used += 1
    for room in rooms.values():
        room.write(now)
    return answers


class _Room:
    """One bucket while a wave is looked at."""

    def __init__(self, session: Session, key: Key, wanted: int, send_rate: float, now: datetime) -> None:
        self.row = bucket(session, key)
        self.used = 0
        limit = _limit_of(session, self.row, key, send_rate)
        self._rate = (limit[0] * self.row.ease, limit[1]) if limit else None
        self.left, self.ready_at = wanted, now
        if self._rate:
            granted = policy.grant(self.row.next_at, wanted, count=self._rate[0], seconds=self._rate[1], now=now)
            self.left, self.ready_at = granted.number, granted.ready_at
        cap = _cap_of(session, key, now)
        if cap is not None:
            rest = max(0, cap - (self.row.used if self.row.day == now.date() else 0))
            self.left = min(self.left, rest)
            if not rest:
                self.ready_at = policy.next_day(now)

    def write(self, now: datetime) -> None:
        if not self.used:
            return
        if self._rate:
            self.row.next_at = policy.grant(self.row.next_at, self.used, count=self._rate[0], seconds=self._rate[1], now=now).next_at
        self.row.used = self.used + (self.row.used if self.row.day == now.date() else 0)
        self.row.day = now.date()


def bucket(session: Session, key: Key) -> Bucket:
    """The row of a bucket, locked until the transaction ends, and made when it is missing."""
    query = select(Bucket).where(Bucket.transport_id == key[0], Bucket.provider == key[1]).with_for_update()
    row = session.scalar(query)
    if row is None:
        _insert(session, key)
        row = session.scalars(query).one()
    return row


def _insert(session: Session, key: Key) -> None:
    # Two workers may need it at the same moment; only one of them makes it.
    values = {"transport_id": key[0], "provider": key[1], "ease": 1.0, "learned": False, "stopped": False, "setbacks": 0, "trouble": "", "used": 0}
    session.execute(insert_into(session, Bucket).values(values).on_conflict_do_nothing())


def _limit_of(session: Session, row: Bucket, key: Key, send_rate: float) -> tuple[float, float] | None:
    if key == EVERYTHING:
        # Over a second; below one a second over as long as one mail takes.
        return (max(send_rate, 1.0), max(1.0, 1.0 / send_rate)) if send_rate else None
    if key[1] == "":
        transport = session.get(Transport, key[0])
        return (transport.count, transport.seconds or 60) if transport and transport.count else None
    return (row.count, row.seconds or 60) if row.count else None


def _cap_of(session: Session, key: Key, now: datetime) -> int | None:
    transport = session.get(Transport, key[0]) if key[1] == "" else None
    return policy.warm_up_cap(transport.warm_up_from, now.date()) if transport and transport.warm_up_from else None


def rest(session: Session, key: Key, *, why: str, per_minute: float, now: datetime) -> datetime:
    """A provider asks for patience: leave it alone for a while, then come back at half the pace.

    Args:
        per_minute: how many left for it in the last minute; half of it becomes the limit where there was none.

    Gives back until when.
    """
    row = bucket(session, key)
    if row.rest_until and row.rest_until > now:
        return row.rest_until  # the answers of other connections to the same wave
    if row.count is None:
        row.count, row.seconds, row.learned, row.ease = max(1, int(per_minute / 2)), 60, True, 1.0
    else:
        row.ease = max(policy.LEAST_EASE, row.ease / 2)
    row.rest_until, row.trouble = policy.rest_after(row.setbacks, now), why[:500]
    row.setbacks += 1
    session.flush()
    return row.rest_until


def welcome(session: Session, taken: Mapping[Key, int]) -> None:
    """A provider took mails again: a little more of the limit each time; what was only learned ends with it."""
    for key, number in sorted(taken.items()):
        row = bucket(session, key)
        if row.learned and row.ease >= 1.0:
            row.count = (row.count or 1) + number
            row.ease = 1.0
        row.ease = min(1.0, row.ease + 0.01 * number)
        row.setbacks, row.trouble = 0, ""
        if row.learned and (row.count or 0) > LEARNED_ENDS:
            row.count, row.seconds, row.learned = None, None, False
    session.flush()


# A learned limit that has grown to this many a minute limits nothing any more.
LEARNED_ENDS = 6000


def setback(session: Session, transport_id: int, *, why: str, until: datetime | None) -> None:
    """A mail server did not play along: it rests until then, or is stopped until somebody has looked."""
    row = bucket(session, (transport_id, ""))
    row.trouble, row.rest_until, row.stopped = why[:500], until, until is None
    row.setbacks += 1
    session.flush()


def health(session: Session) -> dict[int, dict[str, Any]]:
    """How each mail server was doing last: setbacks, rest_until, stopped, trouble, by transport."""
    rows = session.scalars(select(Bucket).where(Bucket.provider == "", Bucket.setbacks > 0))
    return {row.transport_id: {"setbacks": row.setbacks, "rest_until": row.rest_until, "stopped": row.stopped, "trouble": row.trouble} for row in rows}


def fine(session: Session, transport_id: int) -> None:
    """A mail server works again."""
    session.execute(
        update(Bucket)
        .where(Bucket.transport_id == transport_id, Bucket.provider == "", Bucket.setbacks > 0)
        .values(setbacks=0, trouble="", rest_until=None, stopped=False)
    )


def wake(session: Session) -> None:
    """Somebody has looked: try every mail server again."""
    session.execute(update(Bucket).where(Bucket.provider == "").values(setbacks=0, trouble="", rest_until=None, stopped=False))
