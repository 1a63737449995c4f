"""The monthly digest: made once, for those who want it, of what went out since the last one; on the last Friday, wherever the publication lives."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from newsletter.deliveries import actions, digests
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.issues.models import Issue
from newsletter.issues.queries import next_number, published
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.queries import get
from newsletter.subscriptions.models import Subscription
from tests.support import cast
from tests.support.clock import Clock

FRIDAY = datetime(2026, 10, 30, 9, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(("year", "month", "day"), [(2026, 10, 30), (2026, 2, 27), (2027, 12, 31), (2024, 2, 23), (2026, 5, 29)])
def test_the_last_friday(year: int, month: int, day: int) -> None:
    assert digests.last_friday(year, month) == date(year, month, day)


@pytest.fixture
def house(process: Process, clock: Clock) -> Process:
    """Ada wants every letter, Ben the digest; two letters went out in October."""
    clock.now = datetime(2026, 10, 1, 8, tzinfo=UTC)
    cast.publication(process)
    cast.reader(process, 1, "ada@example.org")
    ben = cast.reader(process, 1, "ben@example.org", "Ben")
    with process.writing() as session:
        session.get_one(Subscription, ben).rhythm = "monthly"
    for day, subject in ((6, "Die erste Bohne"), (20, "Die zweite Bohne")):
        clock.now = datetime(2026, 10, day, 8, tzinfo=UTC)
        issue_id = cast.issue(process, 1, subject)
        with process.writing() as session:
            mailing_id = actions.start(
                session, cast.links(process), publication=get(session, 1), issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=clock()
            )
            rows = list(session.scalars(select(Delivery.canonical).where(Delivery.mailing_id == mailing_id)))
        assert rows == ["ada@example.org"]
    return process


def due(process: Process) -> list[int]:
    with process.reading() as session:
        return digests.due(session, process.clock())


def test_it_leaves_on_the_last_friday_at_nine_and_once(house: Process, clock: Clock) -> None:
    clock.now = FRIDAY - timedelta(seconds=1)
    assert due(house) == []
    clock.now = FRIDAY
    assert due(house) == [1]
    first, second = digests.make(house, 1), digests.make(house, 1)
    assert second is None
    assert due(house) == []
    with house.reading() as session:
        mailing = session.get_one(Mailing, first)
        assert [row.canonical for row in session.scalars(select(Delivery).where(Delivery.mailing_id == first))] == ["ben@example.org"]
        assert mailing.content["subject"] == "Der Saatbrief im Oktober 2026"
        text = mailing.content["text"]
        assert text.index("Die erste Bohne") < text.index("Die zweite Bohne")
        assert "/archive/saatbrief/die-zweite-bohne/" in text


def test_it_takes_no_number_and_stands_nowhere_but_in_its_mail(house: Process, clock: Clock) -> None:
    clock.now = FRIDAY
    digests.make(house, 1)
    with house.reading() as session:
        assert next_number(session, 1) == 3
        assert [issue.number for issue in published(session, 1)] == [2, 1]
        digest = session.scalars(select(Issue).where(Issue.kind == "digest")).one()
        assert (digest.state, digest.number, digest.visibility) == ("published", None, "subscribers")


def test_what_comes_late_is_in_the_next_one(house: Process, clock: Clock) -> None:
    clock.now = FRIDAY
    digests.make(house, 1)
    clock.now = datetime(2026, 10, 31, 8, tzinfo=UTC)
    issue_id = cast.issue(house, 1, "Nach der Monatsmail")
    with house.writing() as session:
        actions.start(session, cast.links(house), publication=get(session, 1), issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=clock())
    clock.now = datetime(2026, 11, 27, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    assert due(house) == [1]
    with house.reading() as session:
        content = session.get_one(Mailing, digests.make(house, 1)).content["text"]
    assert "Nach der Monatsmail" in content
    assert "Die zweite Bohne" not in content


@pytest.mark.parametrize("change", ["nobody", "archived", "late"])
def test_without_readers_or_too_late_nothing_is_made(house: Process, clock: Clock, change: str) -> None:
    clock.now = FRIDAY + (timedelta(days=6) if change == "late" else timedelta(0))
    with house.writing() as session:
        if change == "nobody":
            session.scalars(select(Subscription).where(Subscription.rhythm == "monthly")).one().rhythm = "each"
        if change == "archived":
            session.get_one(Publication, 1).state = "archived"
    assert due(house) == []


def test_two_workers_make_one(any_process: Process, clock: Clock, new_process: Callable[..., Process]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    process = any_process
    clock.now = datetime(2026, 10, 20, 8, tzinfo=UTC)
    cast.publication(process)
    cast.reader(process, 1, "ada@example.org")
    ben = cast.reader(process, 1, "ben@example.org")
    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        session.get_one(Subscription, ben).rhythm = "monthly"
        session.flush()
        actions.start(session, cast.links(process), publication=get(session, 1), issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=clock())
    clock.now = FRIDAY
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: digests.make(process, 1), range(4)))
    assert sum(one is not None for one in made) == 1


def test_the_beginning_of_a_letter_is_cut_at_a_word(house: Process) -> None:
    with house.writing() as session:
        issue = session.scalars(select(Issue)).first()
        issue.markdown = "{{ anrede }},\n\n" + "Ein langer Satz über krumme Bohnen und ihre Freunde. " * 20
        found = digests.excerpt(session, get(session, 1), issue)
    assert len(found) <= digests.EXCERPT + 2
    assert found.endswith(" …")
    assert "anrede" not in found
