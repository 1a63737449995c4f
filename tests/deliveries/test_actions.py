"""Starting, taking back, scheduling (I2, I7, I10, I12, U1, U3, U6)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.archive.models import Build
from newsletter.deliveries import actions, ledger, queries, schedule
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.errors import Conflict, Refused
from newsletter.issues.actions import schedule as plan
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.queries import get
from tests.support import cast
from tests.support.clock import Clock


def start(process: Process, publication_id: int, issue_id: int, undo: float = 60) -> int:
    with process.writing() as session:
        return actions.start(
            session,
            cast.links(process),
            publication=get(session, publication_id),
            issue=session.get_one(Issue, issue_id),
            undo=timedelta(seconds=undo),
            now=process.clock(),
        )


def test_i1_i2_the_audience_is_frozen_once_for_each_reader(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    for name in ("ada", "ben", "cleo"):
        cast.reader(process, publication_id, f"{name}@example.org")
    cast.reader(process, publication_id, "weg@example.org", state="unsubscribed")
    cast.reader(process, publication_id, "wartet@example.org", state="pending")
    mailing_id = start(process, publication_id, cast.issue(process, publication_id))
    cast.reader(process, publication_id, "spaet@example.org")
    with process.reading() as session:
        assert session.get_one(Mailing, mailing_id).audience == 3
        assert queries.counts(session, mailing_id)["planned"] == 3
        assert len(set(session.scalars(select(Delivery.reference)))) == 3


def test_u1_i12_of_two_who_press_the_button_one_wins(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    issue_id = cast.issue(process, publication_id)
    start(process, publication_id, issue_id)
    with pytest.raises(Conflict):
        start(process, publication_id, issue_id)
    with process.reading() as session:
        assert len(list(session.scalars(select(Mailing)))) == 1


def test_undo_makes_it_a_draft_again_as_if_nothing_had_been(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    issue_id = cast.issue(process, publication_id)
    mailing_id = start(process, publication_id, issue_id)
    with process.writing() as session:
        actions.take_back(session, session.get_one(Mailing, mailing_id), now=clock())
    with process.reading() as session:
        issue = session.get_one(Issue, issue_id)
        assert (issue.state, issue.number, issue.published_at) == ("draft", None, None)
        assert not list(session.scalars(select(Delivery)))
    assert start(process, publication_id, issue_id)


def test_undo_is_over_when_its_window_is(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    mailing_id = start(process, publication_id, cast.issue(process, publication_id))
    clock.forward(seconds=60)
    with pytest.raises(Conflict, match="too late"), process.writing() as session:
        actions.take_back(session, session.get_one(Mailing, mailing_id), now=clock())


def test_nothing_begins_before_the_undo_window_is_over(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    mailing_id = start(process, publication_id, cast.issue(process, publication_id))
    with process.writing() as session:
        assert queries.in_undo(session, clock()) == []
        assert not actions.begin(session, mailing_id, now=clock())
    clock.forward(seconds=61)
    with process.writing() as session:
        assert queries.in_undo(session, clock()) == [mailing_id]
        assert actions.begin(session, mailing_id, now=clock())
        assert not actions.begin(session, mailing_id, now=clock())
        assert len(list(session.scalars(select(Build)))) == 1


def test_nobody_to_send_to_is_said(process: Process) -> None:
    publication_id = cast.publication(process)
    issue_id = cast.issue(process, publication_id)
    with pytest.raises(Refused, match="Nobody would get"):
        start(process, publication_id, issue_id)
    with process.reading() as session:
        assert session.get_one(Issue, issue_id).state == "draft"


@pytest.mark.parametrize("fault", ["text", "field", "imprint", "subject"])
def test_l7_c4_a_letter_with_an_error_cannot_leave(process: Process, fault: str) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    issue_id = cast.issue(process, publication_id, subject="" if fault == "subject" else "x", markdown={"text": "", "field": "{{ nix }}"}.get(fault, "Text"))
    if fault == "imprint":
        with process.writing() as session:
            session.get_one(Publication, publication_id).imprint_street = ""
    with pytest.raises(Refused):
        start(process, publication_id, issue_id)
    with process.reading() as session:
        assert not list(session.scalars(select(Mailing)))


def test_u3_the_text_that_was_frozen_is_the_text_that_goes_out(process: Process) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    issue_id = cast.issue(process, publication_id)
    mailing_id = start(process, publication_id, issue_id)
    with process.writing() as session:
        session.get_one(Publication, publication_id).from_name = "Jemand anders"
        assert session.get_one(Mailing, mailing_id).content["from_name"] == "Mira Lindner"


def test_i10_a_mailing_is_finished_when_nothing_is_open(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    mailing_id = start(process, publication_id, cast.issue(process, publication_id), undo=0)
    with process.writing() as session:
        actions.begin(session, mailing_id, now=clock())
        delivery = session.scalars(select(Delivery)).one()
        for state in ("planned", "deferred"):
            delivery.state = state
            session.flush()
            assert not actions.finish(session, mailing_id, now=clock())
        delivery.state = "planned"
        session.flush()
        (held,) = ledger.claim(session, mailing_id, now=clock())
        assert not actions.finish(session, mailing_id, now=clock())
        ledger.hand_over(session, [ledger.Wish(held, (), "x" * 64, 0)], now=clock())
        assert not actions.finish(session, mailing_id, now=clock())
        ledger.settle(session, [ledger.Result(held, "uncertain", "dot")], now=clock())
        ledger.keep(session, [held.claim_id], now=clock())
        assert actions.finish(session, mailing_id, now=clock())


def scheduled(process: Process, clock: Clock) -> int:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    issue_id = cast.issue(process, publication_id)
    with process.writing() as session:
        plan(session, session.get_one(Issue, issue_id), at=clock() + timedelta(hours=1), zone="Europe/Berlin", now=clock())
    return issue_id


def test_i12_a_planned_letter_starts_at_its_hour_and_once(process: Process, clock: Clock) -> None:
    issue_id = scheduled(process, clock)
    schedule.start_scheduled(process, issue_id)
    clock.forward(hours=1, seconds=1)
    for _ in range(3):
        schedule.start_scheduled(process, issue_id)
    with process.reading() as session:
        assert len(list(session.scalars(select(Mailing)))) == 1


def test_i12_a_letter_that_missed_its_hour_asks(process: Process, clock: Clock) -> None:
    issue_id = scheduled(process, clock)
    clock.forward(hours=3)
    schedule.start_scheduled(process, issue_id)
    with process.reading() as session:
        issue = session.get_one(Issue, issue_id)
        assert issue.state == "draft"
        assert issue.scheduled_at is not None
        assert not list(session.scalars(select(Mailing)))
