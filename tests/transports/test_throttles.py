"""How much may leave, over all workers and all restarts (I9, D2, D4)."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.replies import Reply
from newsletter.process import Process
from newsletter.transports import policy, throttles
from newsletter.transports.models import Transport
from tests.support.clock import Clock

NOW = datetime.fromisoformat("2026-11-21T08:00:00+00:00")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([(1, 60), (5, 60), (19, 10), (20, 60), (60, 60), (100, 1), (500, 3600)]),
    st.lists(st.tuples(st.floats(0, 90), st.integers(1, 40)), min_size=1, max_size=60),
)
def test_i9_no_window_holds_more_than_the_limit_however_it_is_laid(limit: tuple[int, int], asks: list[tuple[float, int]]) -> None:
    count, seconds = limit
    now, next_at, left = NOW, None, []
    for pause, wanted in asks:
        now += timedelta(seconds=pause * seconds / 100)
        grant = policy.grant(next_at, wanted, count=count, seconds=seconds, now=now)
        next_at = grant.next_at
        left += [now] * grant.number
        assert grant.number <= wanted
        assert grant.ready_at >= now
    for moment in left:
        window = [other for other in left if moment <= other < moment + timedelta(seconds=seconds - 0.001)]
        assert len(window) <= count


@given(st.integers(1, 500), st.sampled_from([1, 60, 3600]))
def test_i9_whoever_waits_until_he_may_ask_again_gets_one(count: int, seconds: int) -> None:
    now, next_at = NOW, None
    for _ in range(50):
        grant = policy.grant(next_at, 10_000, count=count, seconds=seconds, now=now)
        next_at, now = grant.next_at, grant.ready_at + timedelta(microseconds=1)
        assert policy.grant(next_at, 1, count=count, seconds=seconds, now=now).number == 1


def test_i9_the_limit_is_used_to_nineteen_parts_of_twenty() -> None:
    now, next_at, left = NOW, None, 0
    for _ in range(1000):
        grant = policy.grant(next_at, 100, count=100, seconds=60, now=now)
        next_at, left = grant.next_at, left + grant.number
        now += timedelta(seconds=0.6)
    assert left >= 950


def test_n9_a_clock_that_is_put_back_an_hour_stops_nobody() -> None:
    grant = policy.grant(NOW + timedelta(hours=1), 1, count=60, seconds=60, now=NOW)
    assert grant.number == 1


@pytest.mark.parametrize(("day", "cap"), [(0, 50), (1, 100), (4, 800), (11, 102_400), (12, None), (-3, 50)])
def test_a_new_server_is_warmed_up_by_doubling(day: int, cap: int | None) -> None:
    assert policy.warm_up_cap(date(2026, 11, 21), date(2026, 11, 21) + timedelta(days=day)) == cap


@pytest.mark.parametrize(
    ("reply", "patience"),
    [("421 busy", True), ("451 4.7.28 unusual rate", True), ("450 4.2.1 slow down", False), ("550 5.7.1 policy", False), ("452 4.2.2 full", False)],
)
def test_who_asks_for_patience(reply: str, patience: bool) -> None:
    assert policy.wants_patience(Reply(int(reply[:3]), reply[4:])) is patience


def take(process: Process, keys: list[throttles.Key], number: int, rate: float = 0) -> int:
    with process.writing() as session:
        answers = throttles.take(session, [keys] * number, send_rate=rate, now=process.clock())
    return sum(answer is None for answer in answers)


def transport(process: Process, **more: object) -> int:
    with process.writing() as session:
        row = Transport(name="mail", address="x", changed_at=process.clock(), **more)
        session.add(row)
        session.flush()
        return row.id


def test_n12_the_limit_holds_over_a_restart(any_process: Process, clock: Clock) -> None:
    number = transport(any_process, count=100, seconds=60)
    assert take(any_process, [(number, "")], 50) == 5
    any_process.engine.dispose()
    assert take(any_process, [(number, "")], 50) == 0
    clock.forward(seconds=6.5)
    assert take(any_process, [(number, "")], 50) == 5


def test_a_mail_needs_a_token_from_every_bucket_and_wastes_none(any_process: Process, clock: Clock) -> None:
    number = transport(any_process, count=100, seconds=60)
    with any_process.writing() as session:
        throttles.bucket(session, (number, "gmx")).count = 1
    assert take(any_process, [(number, ""), (number, "gmx")], 5) == 1
    assert take(any_process, [(number, "")], 5) == 4


def test_a_warm_up_ends_the_day_and_begins_the_next(any_process: Process, clock: Clock) -> None:
    number = transport(any_process, warm_up_from=clock().date())
    assert take(any_process, [(number, "")], 80) == 50
    assert take(any_process, [(number, "")], 1) == 0
    clock.forward(days=1)
    assert take(any_process, [(number, "")], 150) == 100


def test_send_rate_is_for_everything_together(any_process: Process, clock: Clock) -> None:
    assert take(any_process, [throttles.EVERYTHING], 9, rate=2) == 1
    clock.forward(seconds=0.5)
    assert take(any_process, [throttles.EVERYTHING], 9, rate=2) == 1
    clock.forward(seconds=10)
    assert take(any_process, [throttles.EVERYTHING], 9, rate=0.5) == 1


def test_a_provider_that_asks_for_patience_is_left_alone_and_then_gets_half(any_process: Process, clock: Clock) -> None:
    with any_process.writing() as session:
        until = throttles.rest(session, (7, "gmx"), why="421 busy", per_minute=120, now=clock())
        assert throttles.rest(session, (7, "gmx"), why="421 busy", per_minute=120, now=clock()) == until
    assert until == clock() + timedelta(minutes=1)
    with any_process.reading() as session:
        found = throttles.limits(session, 0)
    assert found.rests(7, "gmx", clock())
    assert not found.rests(7, "gmail", clock())
    assert found.keys_of(7, "gmx") == [(7, "gmx")]
    clock.forward(minutes=2)
    assert not found.rests(7, "gmx", clock())
    with any_process.writing() as session:
        assert throttles.bucket(session, (7, "gmx")).count == 60
        assert throttles.rest(session, (7, "gmx"), why="421 busy", per_minute=50, now=clock()) == clock() + timedelta(minutes=5)
        assert throttles.bucket(session, (7, "gmx")).ease == 0.5


def test_a_limit_that_was_only_learned_ends_when_all_goes_well(any_process: Process, clock: Clock) -> None:
    with any_process.writing() as session:
        throttles.rest(session, (7, "gmx"), why="421 busy", per_minute=120, now=clock())
        for _ in range(200):
            throttles.welcome(session, {(7, "gmx"): 60})
        row = throttles.bucket(session, (7, "gmx"))
        assert (row.count, row.learned, row.setbacks) == (None, False, 0)


def test_a_limit_that_a_person_chose_comes_back_and_stays(any_process: Process, clock: Clock) -> None:
    with any_process.writing() as session:
        throttles.bucket(session, (7, "gmx")).count = 100
        throttles.rest(session, (7, "gmx"), why="421 busy", per_minute=120, now=clock())
        throttles.welcome(session, {(7, "gmx"): 500})
        row = throttles.bucket(session, (7, "gmx"))
        assert (row.count, row.ease) == (100, 1.0)
