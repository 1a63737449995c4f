"""The rhythm that was promised to readers: on which days a letter is due. Decided without I/O, in days and not in hours."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from newsletter.i18n import mark

CADENCES = {
    "": mark("no fixed rhythm"),
    "week": mark("every week"),
    "two weeks": mark("every two weeks"),
    "month": mark("every month, on the same weekday"),
}
DAYS = {"week": 7, "two weeks": 14, "month": 28}


def due_days(cadence: str, start: date, since: date, until: date) -> Iterator[date]:
    """The days from ``since`` to ``until`` on which a letter is due.

    Args:
        cadence: a key of CADENCES.
        start: one of the days; the others follow from it, forwards and backwards.
    """
    if cadence in ("week", "two weeks"):
        step = DAYS[cadence]
        day = since + timedelta(days=(start - since).days % step)
        while day <= until:
            yield day
            day += timedelta(days=step)
    elif cadence == "month":
        year, month = since.year, since.month
        while date(year, month, 1) <= until:
            day = same_weekday(start, year, month)
            if since <= day <= until:
                yield day
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def same_weekday(start: date, year: int, month: int) -> date:
    """The same weekday of a month as ``start`` is of its own: the second Tuesday, or the last Friday."""
    week = (start.day - 1) // 7
    first = date(year, month, 1)
    day = first + timedelta(days=(start.weekday() - first.weekday()) % 7 + 7 * week)
    return day if day.month == month else day - timedelta(days=7)


def next_due(cadence: str, start: date | None, written: Iterable[date], today: date) -> date | None:
    """The day for which nothing has been written yet: one that is over by less than half a turn, or else the next one.

    Args:
        written: the days on which letters went out or will.
    """
    if cadence not in DAYS or start is None:
        return None
    half = timedelta(days=DAYS[cadence] // 2)
    days = list(written)
    for due in due_days(cadence, start, today - half, today + timedelta(days=400)):
        if not any(abs(due - day) < half for day in days):
            return due
    return None


def is_late(due: date | None, today: date) -> bool:
    """Whether that day is over."""
    return due is not None and due < today
