"""What the figures say, in sentences chosen by rules: what would happen, what changed, why, and what is alarming."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from newsletter.i18n import mark
from newsletter.radar.policy import Month, Radar

NOTEWORTHY = 1.0  # points; less is no change that anybody should read something into
HALF = 50  # of 100; whatever comes from there oftener than not is no „only“
FEW = 5  # people; a share of fewer says nothing


@dataclass(frozen=True)
class Sentence:
    """A sentence in English, which is the key of its translation, and what fills its places. Numbers are written as the reader does."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)


def headline(radar: Radar) -> Sentence:
    """What would happen tomorrow, in one sentence with the number in it."""
    largest = radar.largest
    if largest is not None:
        values = {"name": largest.name, "left": radar.without([largest.key]), "all": radar.audience.total}
        return Sentence(mark("If %(name)s fails tomorrow, you still reach %(left)s of %(all)s people."), values)
    if radar.is_blind:
        return Sentence(mark("How many follow you on other people's platforms?"))
    return Sentence(mark("None of your readers hangs on a closed platform."))


def story(radar: Radar) -> list[Sentence]:
    """What changed, and why: two sentences, by rules from the numbers."""
    if radar.largest is None:
        if radar.is_blind:
            return [Sentence(mark("Type in how many follow you there, and this page tells you what hangs on it. Once a month is enough."))]
        return [Sentence(mark("Should you begin with one, add it to your channels, and this page watches over it."))]
    return [_what_changed(radar), _why(radar)]


def _what_changed(radar: Radar) -> Sentence:
    now, before = radar.audience.of("closed"), radar.year_ago()
    if before is None:
        return Sentence(mark("%(now)s of 100 people whom you reach hang on closed platforms."), {"now": round(now)})
    whole_year = (radar.day - before.day).days > 330
    values = {"before": round(before.closed), "now": round(now), "month": before.day}
    if abs(now - before.closed) < NOTEWORTHY:
        if whole_year:
            return Sentence(mark("For a year about %(now)s of 100 people whom you reach have hung on closed platforms."), values)
        return Sentence(mark("Since %(month)s about %(now)s of 100 people whom you reach have hung on closed platforms."), values)
    if whole_year:
        return Sentence(mark("A year ago %(before)s of 100 people whom you reach hung on closed platforms, today it is %(now)s."), values)
    return Sentence(mark("In %(month)s %(before)s of 100 people whom you reach hung on closed platforms, today it is %(now)s."), values)


def _why(radar: Radar) -> Sentence:
    largest, before = radar.largest, radar.year_ago()
    assert largest is not None
    recent = radar.joined(90)
    from_there = round(100 * max(0, largest.joined[1]) / recent.total) if recent.total >= FEW else None
    if before is None or abs(radar.audience.of("closed") - before.closed) < NOTEWORTHY:
        if from_there is None:
            return Sentence(mark("Most of it is %(name)s."), {"name": largest.name})
        return Sentence(mark("Most of it is %(name)s; of 100 new sign-ups %(share)s come from there."), {"name": largest.name, "share": from_there})
    grown = radar.list_size - before.audience.get("list", 0)
    there = _growth(radar, before)
    most = max(there, key=lambda row: abs(row[1]), default=(largest.name, 0))
    values = {"name": most[0], "list": abs(grown), "there": abs(most[1]), "share": from_there or 0, "largest": largest.name}
    if radar.audience.of("closed") < before.closed:
        return Sentence(_less(grown, most[1], from_there), values)
    return Sentence(_more(grown, most[1]), values)


def _growth(radar: Radar, before: Month) -> list[tuple[str, int]]:
    return [(way.name, (way.audience or 0) - before.audience.get(way.key, way.audience or 0)) for way in radar.ways if way.ownership == "closed"]


def _less(grown: int, there: int, from_there: int | None) -> str:
    if there < 0 and grown > 0:
        return mark("Your list has grown by %(list)s, while %(name)s lost %(there)s.")
    if there < 0:
        return mark("That is not your list's doing: %(name)s lost %(there)s followers.")
    if grown <= 0:
        return mark("That is not your list's doing: your open ways have grown.")
    if from_there is not None and from_there < HALF:
        return mark("Your list has grown by %(list)s, and of 100 new sign-ups only %(share)s come from %(largest)s.")
    return mark("Your list has grown by %(list)s, faster than %(name)s.")


def _more(grown: int, there: int) -> str:
    if grown < 0 < there:
        return mark("%(name)s has grown by %(there)s, while your list lost %(list)s.")
    if grown < 0:
        return mark("Your list lost %(list)s readers.")
    if there > 0:
        return mark("%(name)s has grown by %(there)s, your list by %(list)s: invite them over.")
    return mark("Your open and own ways have become smaller.")


def alarm(trend: Sequence[Month], target: int, until: date | None) -> Sentence | None:
    """What an owner should be told by mail: the dependence rose above the target, or clearly, or the day of the target has passed."""
    if len(trend) < 2:
        return None
    now, before = trend[-1], trend[-2]
    values = {"now": round(now.closed), "before": round(before.closed), "target": target}
    if before.closed <= target < now.closed:
        return Sentence(mark("%(now)s of 100 people whom you reach hang on closed platforms. That is above your target of %(target)s again."), values)
    if now.closed - before.closed >= 3 and now.closed > target:
        return Sentence(mark("%(now)s of 100 people whom you reach hang on closed platforms; a month ago it was %(before)s."), values)
    if until is not None and before.day <= until < now.day and now.closed > target:
        return Sentence(mark("Today your target of %(target)s should have been reached. It is %(now)s of 100."), values)
    return None
