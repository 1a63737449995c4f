"""Shares, concentration, trend and forecast. Without I/O.

Dependence is measured as the competition authorities measure markets: the Herfindahl–Hirschman index is the sum of the
squares of all shares (Hirschman, „The Paternity of an Index“, American Economic Review 54, 1964). 1 means that everything hangs on
one, 1/n that n are equally large.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import NamedTuple

OWNERSHIPS = ("owned", "open", "closed")
WINDOWS = (30, 90, 365)
LONGEST_FORECAST = 120  # months


@dataclass(frozen=True)
class Way:
    """One way to the readers, and what it brings.

    Args:
        key: ``list``, ``followers`` (of the publication's own account in the Fediverse), or the number of a channel.
        audience: how many can be reached by it; None: nobody knows.
        joined: sign-ups in 30, 90 and 365 days.
        asked: sign-ups that were begun in 365 days, confirmed or not; ``confirmed`` says how many of them were.
        stayed: of those who joined between 15 and 3 months ago, how many were still there after 90 days, and how many they were.
        answered: readers who wrote back for the first time, in 365 days.
        heard: readers who say themselves that they heard of it there, in 365 days.
        visits: how often people followed its links in 30 days; machines beside them.
        cost: cents a month.
    """

    key: str
    name: str
    ownership: str
    operator: str = ""
    audience: int | None = None
    joined: tuple[int, int, int] = (0, 0, 0)
    asked: int = 0
    stayed: tuple[int, int] = (0, 0)
    answered: int = 0
    heard: int = 0
    visits: int = 0
    machines: int = 0
    cost: int = 0

    @property
    def says_something(self) -> bool:
        """Whether there is a figure of it that a report should show."""
        return bool(self.audience or self.joined[1] or self.visits)

    @property
    def channel_id(self) -> int | None:
        return int(self.key) if self.key.isdigit() else None


@dataclass(frozen=True)
class Shares:
    """Numbers by whom the way belongs to."""

    owned: int = 0
    open: int = 0
    closed: int = 0

    @property
    def total(self) -> int:
        return self.owned + self.open + self.closed

    def of(self, ownership: str) -> float:
        """Per cent of the total; nothing of nothing is 0."""
        return 100 * getattr(self, ownership) / self.total if self.total else 0.0


def shares(numbers: Iterable[tuple[str, int]]) -> Shares:
    """Sum numbers up by ownership."""
    found = dict.fromkeys(OWNERSHIPS, 0)
    for ownership, number in numbers:
        found[ownership] += number
    return Shares(**found)


def concentration(numbers: Iterable[int]) -> float:
    """The Herfindahl–Hirschman index of some sizes: 0 for nothing at all, otherwise above 0 and at most 1."""
    sizes = [number for number in numbers if number > 0]
    total = sum(sizes)
    return sum((number / total) ** 2 for number in sizes) if total else 0.0


class Month(NamedTuple):
    """How things stood at the end of a month, or stand now.

    ``audience`` is by way: what is known at that day.
    """

    day: date
    audience: Mapping[str, int]
    closed: float


def months(today: date, number: int = 13) -> list[date]:
    """The last days of the months before, oldest first, and today."""
    found = [today]
    first = today.replace(day=1)
    while len(found) < number:
        last = first - timedelta(days=1)
        found.append(last)
        first = last.replace(day=1)
    return found[::-1]


def at_day(points: Sequence[tuple[date, int]], day: date) -> int:
    """A figure that is written down now and then, on a day: the last one known. Before the first one it counts as that.

    Otherwise a platform whose figure was typed in for the first time would look like one that appeared on that day.
    """
    before = [number for when, number in points if when <= day]
    return before[-1] if before else points[0][1]


def course(ways: Sequence[Way], figures: Mapping[str, Sequence[tuple[date, int]]], readers: Mapping[date, int], days: Sequence[date]) -> list[Month]:
    """The dependence month by month, from the first month of which anything but the list is known.

    Args:
        figures: by way, oldest first.
        readers: how many were on the list, by day.
    """
    known = [points[0][0] for points in figures.values() if points]
    if not known:
        return []
    ownership = {way.key: way.ownership for way in ways}
    found = []
    for day in days:
        if day < min(known):
            continue
        audience = {key: at_day(points, day) for key, points in figures.items() if points and key in ownership} | {"list": max(0, readers[day])}
        found.append(Month(day, audience, shares((ownership[key], number) for key, number in audience.items()).of("closed")))
    return found


@dataclass(frozen=True)
class Forecast:
    """When the target is reached, if things go on like this.

    Args:
        months: from now; None: never, or not within ten years.
        late: months after the day that was aimed at; negative: before it.
    """

    months: int | None
    day: date | None = None
    late: int | None = None


def forecast(trend: Sequence[Month], target: float, until: date | None) -> Forecast | None:
    """Go on along the straight line through the past months (least squares). Nothing from fewer than three."""
    if len(trend) < 3:
        return None
    now = trend[-1]
    if now.closed <= target:
        return Forecast(0, now.day, None)
    slope = _slope([month.closed for month in trend])
    ahead = ceil((now.closed - target) / -slope) if slope < -0.01 else None
    if ahead is None or ahead > LONGEST_FORECAST:
        return Forecast(None)
    year, month = divmod(now.day.year * 12 + now.day.month - 1 + ahead, 12)
    day = date(year, month + 1, 1)
    late = (day.year - until.year) * 12 + day.month - until.month if until else None
    return Forecast(ahead, day, late)


def _slope(values: Sequence[float]) -> float:
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    return sum((place - middle) * (value - mean) for place, value in enumerate(values)) / sum((place - middle) ** 2 for place in range(len(values)))


@dataclass(frozen=True)
class Radar:
    """Everything that is measured, on one day.

    Args:
        unknown: sign-ups of which nobody knows how they came, in 30, 90 and 365 days; a list brought along is among them.
        told_otherwise: readers who say that they heard of it some other way, in 365 days.
        brought: readers who came by another reader's share link, in 365 days.
    """

    day: date
    ways: tuple[Way, ...]
    trend: tuple[Month, ...] = ()
    target: int = 50
    until: date | None = None
    unknown: tuple[int, int, int] = (0, 0, 0)
    told_otherwise: int = 0
    brought: int = 0

    @property
    def audience(self) -> Shares:
        return shares((way.ownership, way.audience or 0) for way in self.ways)

    def joined(self, days: int) -> Shares:
        """Sign-ups by ownership; those whose way nobody knows are in none."""
        place = WINDOWS.index(days)
        return shares((way.ownership, max(0, way.joined[place])) for way in self.ways)

    @property
    def visits(self) -> Shares:
        return shares((way.ownership, way.visits) for way in self.ways)

    @property
    def concentration(self) -> float:
        return concentration(way.audience or 0 for way in self.ways)

    @property
    def largest(self) -> Way | None:
        """The largest closed platform."""
        closed = [way for way in self.ways if way.ownership == "closed" and way.audience]
        return max(closed, key=lambda way: way.audience or 0, default=None)

    @property
    def is_blind(self) -> bool:
        """Whether closed platforms are in use and nothing is known of their size."""
        return self.largest is None and any(way.ownership == "closed" for way in self.ways)

    @property
    def operator(self) -> tuple[str, int] | None:
        """The company that most hangs on, where it runs several of the platforms in use: they fail together."""
        sizes: dict[str, list[int]] = {}
        for way in self.ways:
            if way.ownership == "closed" and way.operator and way.audience:
                sizes.setdefault(way.operator, []).append(way.audience)
        several = {name: sum(parts) for name, parts in sizes.items() if len(parts) > 1}
        return max(several.items(), key=lambda row: row[1]) if several else None

    @property
    def list_size(self) -> int:
        return next((way.audience or 0 for way in self.ways if way.key == "list"), 0)

    def share(self, number: int) -> float:
        return 100 * number / self.audience.total if self.audience.total else 0.0

    def without(self, keys: Iterable[str]) -> int:
        """How many can still be reached when some ways fail."""
        gone = set(keys)
        return sum(way.audience or 0 for way in self.ways if way.key not in gone)

    def year_ago(self) -> Month | None:
        """The oldest month that is known, at most a year back; none, if that is now."""
        return self.trend[0] if len(self.trend) > 1 else None
