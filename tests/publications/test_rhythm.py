"""On which days a letter is due."""

from datetime import date

import pytest

from newsletter.publications.rhythm import due_days, is_late, next_due

TUESDAY = date(2026, 11, 10)


@pytest.mark.parametrize(
    ("cadence", "days"),
    [
        ("week", [3, 10, 17, 24]),
        ("two weeks", [10, 24]),
        ("month", [10]),
        ("", []),
    ],
)
def test_days_follow_from_one_of_them_forwards_and_backwards(cadence: str, days: list[int]) -> None:
    assert [day.day for day in due_days(cadence, TUESDAY, date(2026, 11, 1), date(2026, 11, 30))] == days


def test_a_month_keeps_its_weekday_and_the_fifth_is_the_last() -> None:
    assert list(due_days("month", TUESDAY, date(2026, 12, 1), date(2027, 2, 28))) == [date(2026, 12, 8), date(2027, 1, 12), date(2027, 2, 9)]
    assert list(due_days("month", date(2026, 10, 30), date(2026, 11, 1), date(2027, 1, 31))) == [date(2026, 11, 27), date(2026, 12, 25), date(2027, 1, 29)]


def test_the_clock_change_moves_no_day() -> None:
    assert list(due_days("week", date(2026, 10, 20), date(2026, 10, 20), date(2026, 11, 3))) == [date(2026, 10, 20), date(2026, 10, 27), date(2026, 11, 3)]


def test_a_day_is_kept_by_a_letter_close_to_it() -> None:
    assert next_due("two weeks", TUESDAY, [date(2026, 11, 12)], date(2026, 11, 13)) == date(2026, 11, 24)


def test_a_missed_day_stays_due_for_half_a_turn() -> None:
    assert next_due("two weeks", TUESDAY, [], date(2026, 11, 13)) == TUESDAY
    assert is_late(TUESDAY, date(2026, 11, 13))
    assert next_due("two weeks", TUESDAY, [], date(2026, 11, 18)) == date(2026, 11, 24)


def test_without_a_promise_nothing_is_due() -> None:
    assert next_due("", TUESDAY, [], TUESDAY) is None
    assert next_due("week", None, [], TUESDAY) is None
    assert not is_late(None, TUESDAY)
