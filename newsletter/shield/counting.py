"""Counters of running windows for many sign-ups at once: read once, counted in memory, written once."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.accounts.models import Throttle
from newsletter.orm import wave

_THROTTLES = """
INSERT INTO throttles (key, count, expires_at) SELECT vkey, vcount, vuntil FROM {v} WHERE true
ON CONFLICT (key) DO UPDATE SET count = excluded.count, expires_at = excluded.expires_at
"""


class Counts:
    """Counters of running windows, read once and written once."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._now = session, now
        self._rows: dict[str, tuple[int, datetime]] = {}
        self._changed: set[str] = set()

    def load(self, names: Iterable[str]) -> None:
        rows = self._session.execute(select(Throttle.key, Throttle.count, Throttle.expires_at).where(Throttle.key.in_(set(names))))
        self._rows = {row[0]: (row[1], row[2]) for row in rows if row[2] > self._now}

    def add(self, name: str, window: timedelta) -> int:
        count, until = self._rows.get(name, (0, self._now + window))
        self._rows[name] = (count + 1, until)
        self._changed.add(name)
        return count + 1

    def write(self) -> None:
        if self._changed:
            rows = [(name, *self._rows[name]) for name in sorted(self._changed)]
            wave(self._session, _THROTTLES, "vkey text, vcount integer, vuntil timestamptz", rows)
