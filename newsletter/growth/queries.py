"""Reading tallies: growth, churn, where people come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.growth.models import Tally

UNITS = ("day", "week", "month")
MOST = {"day": 62, "week": 53, "month": 36}


@dataclass(frozen=True)
class Stretch:
    """A day, a week or a month, and what it brought."""

    begins: date
    joined: int
    left: int

    @property
    def net(self) -> int:
        return self.joined - self.left


def total(session: Session, publication_id: int, kind: str, since: datetime) -> int:
    """How often something happened since the day of a moment."""
    query = select(func.sum(Tally.number)).where(Tally.publication_id == publication_id, Tally.kind == kind, Tally.day >= _day(since))
    return int(session.scalar(query) or 0)


def between(session: Session, publication_id: int, kind: str, first: date, last: date) -> int:
    """How often something happened from one day to another, both counted in."""
    query = select(func.sum(Tally.number)).where(Tally.publication_id == publication_id, Tally.kind == kind, Tally.day >= first, Tally.day <= last)
    return int(session.scalar(query) or 0)


def by_channel(session: Session, publication_id: int, kind: str, since: datetime | None = None) -> dict[int, int]:
    """The same for each channel; 0 is no known way."""
    query = select(Tally.channel_id, func.sum(Tally.number)).where(Tally.publication_id == publication_id, Tally.kind == kind)
    query = query if since is None else query.where(Tally.day >= _day(since))
    return {row[0]: int(row[1]) for row in session.execute(query.group_by(Tally.channel_id))}


def course(session: Session, publication_id: int, unit: str, now: datetime, channel_id: int | None = None) -> list[Stretch]:
    """Who came and who went, oldest first, up to now; every stretch is named, also those in which nothing happened."""
    begins = list(_beginnings(unit, _day(now)))
    query = select(Tally.day, Tally.kind, func.sum(Tally.number)).where(
        Tally.publication_id == publication_id, Tally.kind.in_(("joined", "left")), Tally.day >= begins[0]
    )
    if channel_id is not None:
        query = query.where(Tally.channel_id == channel_id)
    found = {(begin, kind): 0 for begin in begins for kind in ("joined", "left")}
    for day, kind, number in session.execute(query.group_by(Tally.day, Tally.kind)):
        if (place := (_beginning(unit, day), kind)) in found:
            found[place] += int(number)
    return [Stretch(begin, found[begin, "joined"], found[begin, "left"]) for begin in begins]


def usual_in_ten_minutes(session: Session, publication_id: int, now: datetime) -> float:
    """How many sign-ups come in ten minutes on an ordinary day of the last four weeks."""
    since = _day(now) - timedelta(days=28)
    rows = session.execute(
        select(func.sum(Tally.number))
        .where(Tally.publication_id == publication_id, Tally.kind == "asked", Tally.day >= since, Tally.day < _day(now))
        .group_by(Tally.day)
    )
    days = [int(row[0]) for row in rows]
    return median([*days, *([0] * (28 - len(days)))]) / 144 if days else 0.0


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _beginning(unit: str, day: date) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _beginnings(unit: str, today: date) -> Iterator[date]:
    found = [_beginning(unit, today)]
    while len(found) < MOST[unit]:
        found.append(_beginning(unit, found[-1] - timedelta(days=1)))
    return reversed(found)
