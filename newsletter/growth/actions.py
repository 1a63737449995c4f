"""Counting what happens."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from newsletter.orm import wave

_ADD = """
INSERT INTO tallies (publication_id, kind, day, channel_id, number) SELECT vpub, vkind, vday, vchannel, vnumber FROM {v} WHERE true
ON CONFLICT (publication_id, kind, day, channel_id) DO UPDATE SET number = tallies.number + excluded.number
"""

# Publication, kind, day, channel.
Key = tuple[int, str, date, int]


def add(session: Session, publication_id: int, kind: str, *, now: datetime, channel_id: int | None = None, number: int = 1) -> None:
    """Count something that happens now."""
    add_all(session, {key(publication_id, kind, now, channel_id): number})


def key(publication_id: int, kind: str, at: datetime, channel_id: int | None = None) -> Key:
    """Where something counts."""
    return publication_id, kind, _day(at), channel_id or 0


@lru_cache(maxsize=4096)
def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def depart(session: Session, publication_id: int, *, channel_id: int | None, joined_at: datetime | None, now: datetime, number: int = 1) -> None:
    """Count that a reader leaves. Whoever leaves within 90 days of joining is counted on the day of joining, too.

    So „of those who came in March, so many stayed“ is read from numbers, without looking at a single person.
    """
    add(session, publication_id, "left", now=now, channel_id=channel_id, number=number)
    if joined_at is not None and now - joined_at < STAYED:
        add(session, publication_id, "short", now=joined_at, channel_id=channel_id, number=number)


STAYED = timedelta(days=90)


def add_all(session: Session, numbers: Mapping[Key, int]) -> None:
    """Count many things at once. In one order, so that two transactions never wait for each other."""
    rows = [(*where[:2], where[2].isoformat(), where[3], number) for where, number in sorted(numbers.items()) if number]
    if rows:
        wave(session, _ADD, "vpub integer, vkind text, vday date, vchannel integer, vnumber integer", rows)
