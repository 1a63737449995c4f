"""Shares, concentration, trend and sentences, checked against worked examples."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.radar.policy import Forecast, Month, Radar, Way, at_day, concentration, course, forecast, months, shares
from newsletter.radar.steps import own_domain, plan
from newsletter.radar.words import alarm, headline, story

TODAY = date(2026, 11, 21)
# A coffee roaster's audience: what the mock-ups of this page show.
ROASTER = (
    Way("list", "Mail list", "owned", audience=1284, joined=(0, 61, 0)),
    Way("1", "Feed (RSS)", "owned", audience=96),
    Way("2", "Empfehlung", "owned", joined=(0, 34, 0)),
    Way("3", "Suche", "open", joined=(0, 12, 0)),
    Way("4", "Kaffeefest", "open", joined=(0, 18, 0)),
    Way("5", "Mastodon", "open", audience=410, joined=(0, 4, 0)),
    Way("6", "Instagram", "closed", "Meta", audience=3860, joined=(0, 38, 0)),
    Way("7", "LinkedIn", "closed", "Microsoft", audience=620, joined=(0, 11, 0)),
    Way("8", "WhatsApp-Kanal", "closed", "Meta", audience=240),
)


def radar(*ways: Way, trend: tuple[Month, ...] = (), target: int = 60, until: date | None = None) -> Radar:
    return Radar(TODAY, ways or ROASTER, trend, target, until)


def month(day: date, closed: float, **audience: int) -> Month:
    return Month(day, audience, closed)


def test_the_worked_example_of_the_roaster() -> None:
    """6,510 people, 72.5 % of them on closed platforms; 0.1972² + 0.0147² + 0.063² + 0.5929² + 0.0952² + 0.0369² = 0.405."""
    found = radar()
    assert (found.audience.owned, found.audience.open, found.audience.closed, found.audience.total) == (1380, 410, 4720, 6510)
    assert [round(found.audience.of(kind), 1) for kind in ("owned", "open", "closed")] == [21.2, 6.3, 72.5]
    assert round(found.concentration, 3) == 0.405
    assert found.largest is not None
    assert (found.largest.name, round(found.share(3860), 1)) == ("Instagram", 59.3)
    assert found.operator == ("Meta", 4100)
    assert found.without(["6"]) == 2650
    assert found.joined(90).total == 178
    assert [round(found.joined(90).of(kind), 1) for kind in ("owned", "open", "closed")] == [53.4, 19.1, 27.5]


@pytest.mark.parametrize(
    ("sizes", "index"),
    [([1], 1.0), ([1, 1], 0.5), ([1, 1, 1, 1], 0.25), ([50, 30, 20], 0.38), ([30, 30, 20, 20], 0.26), ([], 0.0), ([0, 0], 0.0), ([7, 0], 1.0)],
)
def test_the_index_is_the_sum_of_the_squared_shares(sizes: list[int], index: float) -> None:
    assert concentration(sizes) == pytest.approx(index)


@given(st.lists(st.integers(0, 10**9), max_size=30))
def test_the_index_lies_between_even_and_everything_on_one(sizes: list[int]) -> None:
    used = [size for size in sizes if size]
    found = concentration(sizes)
    assert (not used and found == 0) or 1 / len(used) - 1e-9 <= found <= 1 + 1e-9


def test_shares_of_nothing_are_nothing() -> None:
    assert shares([]).of("closed") == 0.0
    assert shares([("closed", 3), ("owned", 1)]).of("closed") == 75.0


def test_a_company_that_runs_one_platform_is_no_house_of_several() -> None:
    assert radar(Way("1", "LinkedIn", "closed", "Microsoft", audience=5)).operator is None


def test_months_end_on_their_last_day_and_the_last_one_is_today() -> None:
    found = months(date(2026, 3, 15), 4)
    assert found == [date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 15)]


def test_between_two_figures_the_older_one_counts_and_before_the_first_the_first() -> None:
    points = [(date(2026, 3, 1), 10), (date(2026, 6, 1), 40)]
    assert [at_day(points, date(2026, month, 15)) for month in (1, 3, 5, 6, 9)] == [10, 10, 10, 40, 40]


def test_a_platform_that_is_typed_in_late_does_not_look_like_a_new_one() -> None:
    ways = [Way("list", "Mail list", "owned", audience=100), Way("1", "A", "closed", audience=100), Way("2", "B", "closed", audience=100)]
    days = [date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 21)]
    found = course(ways, {"1": [(date(2026, 9, 30), 100)], "2": [(date(2026, 11, 1), 100)]}, dict.fromkeys(days, 100), days)
    assert [round(one.closed) for one in found] == [67, 67, 67]
    assert course(ways, {}, dict.fromkeys(days, 100), days) == []


def test_the_trend_begins_with_the_first_figure() -> None:
    days = months(TODAY)
    ways = [Way("list", "Mail list", "owned", audience=100), Way("1", "A", "closed", audience=100)]
    found = course(ways, {"1": [(date(2026, 8, 2), 100)]}, dict.fromkeys(days, 100), days)
    assert [one.day for one in found] == [date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31), TODAY]


def falling(*values: float) -> tuple[Month, ...]:
    days = months(TODAY, len(values))
    return tuple(month(day, value, list=100) for day, value in zip(days, values, strict=True))


def test_a_forecast_goes_on_along_the_line() -> None:
    trend = falling(84, 83, 82, 81, 80, 79, 78, 77, 76, 75, 74, 73)
    assert forecast(trend, 60, date(2027, 6, 30)) == Forecast(13, date(2027, 12, 1), 6)
    assert forecast(trend, 70, date(2027, 6, 30)) == Forecast(3, date(2027, 2, 1), -4)
    assert forecast(trend, 80, None) == Forecast(0, TODAY, None)
    assert forecast(falling(70, 71, 72), 60, None) == Forecast(None)
    assert forecast(falling(70, 69.9999, 69.9998), 10, None) == Forecast(None)
    assert forecast(falling(70, 60), 50, None) is None


def test_the_title_says_what_would_happen_tomorrow() -> None:
    said = headline(radar())
    assert said.text % said.values == "If Instagram fails tomorrow, you still reach 2650 of 6510 people."
    assert "How many" in headline(radar(Way("1", "Instagram", "closed"))).text
    assert "None" in headline(radar(Way("list", "Mail list", "owned", audience=5))).text


def said(found: Radar) -> str:
    return " ".join(one.text % one.values for one in story(found))


@pytest.mark.parametrize(
    ("ways", "before", "sentences"),
    [
        (
            (Way("list", "L", "owned", audience=500, joined=(0, 90, 0)), Way("1", "Instagram", "closed", audience=500, joined=(0, 10, 0))),
            month(date(2025, 11, 30), 80, list=100, **{"1": 400}),
            (
                "A year ago 80 of 100 people whom you reach hung on closed platforms, today it is 50. "
                "Your list has grown by 400, and of 100 new sign-ups only 10 come from Instagram."
            ),
        ),
        (
            (Way("list", "L", "owned", audience=500), Way("1", "Instagram", "closed", audience=500, joined=(0, 10, 0))),
            month(date(2025, 11, 30), 80, list=100, **{"1": 400}),
            "A year ago 80 of 100 people whom you reach hung on closed platforms, today it is 50. Your list has grown by 400, faster than Instagram.",
        ),
        (
            (Way("list", "L", "owned", audience=100), Way("1", "Instagram", "closed", audience=300)),
            month(date(2026, 8, 31), 50, list=100, **{"1": 100}),
            (
                "In 2026-08-31 50 of 100 people whom you reach hung on closed platforms, today it is 75. "
                "Instagram has grown by 200, your list by 0: invite them over."
            ),
        ),
        (
            (Way("list", "L", "owned", audience=80), Way("1", "Instagram", "closed", audience=120)),
            month(date(2025, 11, 30), 50, list=100, **{"1": 100}),
            "A year ago 50 of 100 people whom you reach hung on closed platforms, today it is 60. Instagram has grown by 20, while your list lost 20.",
        ),
        (
            (Way("list", "L", "owned", audience=120), Way("1", "Instagram", "closed", audience=80)),
            month(date(2025, 11, 30), 50, list=100, **{"1": 100}),
            "A year ago 50 of 100 people whom you reach hung on closed platforms, today it is 40. Your list has grown by 20, while Instagram lost 20.",
        ),
        (
            (Way("list", "L", "owned", audience=90), Way("1", "Instagram", "closed", audience=60)),
            month(date(2025, 11, 30), 50, list=100, **{"1": 100}),
            "A year ago 50 of 100 people whom you reach hung on closed platforms, today it is 40. That is not your list's doing: Instagram lost 40 followers.",
        ),
        (
            (Way("list", "L", "owned", audience=101), Way("1", "Instagram", "closed", audience=100)),
            month(date(2025, 11, 30), 50, list=100, **{"1": 100}),
            "For a year about 50 of 100 people whom you reach have hung on closed platforms. Most of it is Instagram.",
        ),
    ],
)
def test_two_sentences_say_what_changed_and_why(ways: tuple[Way, ...], before: Month, sentences: str) -> None:
    found = radar(*ways, trend=(before, month(TODAY, 0.0)))
    assert said(found) == sentences


def test_without_a_past_the_sentences_say_how_it_is() -> None:
    assert said(radar()) == "73 of 100 people whom you reach hang on closed platforms. Most of it is Instagram; of 100 new sign-ups 21 come from there."


def test_an_alarm_rings_when_the_dependence_rises_and_not_when_it_stays_high() -> None:
    assert alarm(falling(59, 61), 60, None) is not None
    assert alarm(falling(70, 74), 60, None) is not None
    assert alarm(falling(70, 71), 60, None) is None
    assert alarm(falling(50, 55), 60, None) is None
    assert alarm(falling(70, 69), 60, date(2026, 11, 10)) is not None
    assert alarm(falling(70, 69), 60, date(2026, 12, 31)) is None
    assert alarm(falling(70), 60, None) is None


@pytest.mark.parametrize(
    ("sender", "archive", "missing"),
    [
        ("saatgarten.de", "brief.saatgarten.de", 0), ("gmail.com", "brief.saatgarten.de", 1), ("saatgarten.de", "saatgarten.github.io", 1),
        ("gmx.de", "localhost", 2), ("saatgarten.de", "127.0.0.1", 1), ("saatgarten.de", "github.io.saatgarten.de", 0),
    ],
)  # fmt: skip
def test_a_borrowed_name_is_no_own_domain(sender: str, archive: str, missing: int) -> None:
    assert len(own_domain(sender, archive)) == missing


def test_the_plan_measures_five_steps() -> None:
    profiles = [("Instagram", True), ("LinkedIn", False), ("Mastodon", True), ("WhatsApp-Kanal", False)]
    found = {one.kind: one for one in plan(radar(), sender="a.example", archive="b.example", profiles=profiles, list_share=50, mirrored=True, drilled=False)}
    assert list(found) == ["domain", "mirror", "drill", "profiles", "list"]
    assert [one.done for one in found.values()] == [True, True, False, False, False]
    assert (found["list"].number, found["list"].whole) == (1284, 1930)
    assert (found["profiles"].number, found["profiles"].whole, found["profiles"].missing) == (2, 4, ("LinkedIn", "WhatsApp-Kanal"))
