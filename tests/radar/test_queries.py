"""Measuring from what was counted when it happened."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from newsletter.channels import actions as channels
from newsletter.channels.models import Channel, Goal, Link, Visit
from newsletter.channels.queries import names
from newsletter.errors import Refused
from newsletter.growth.actions import add, depart
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.radar.actions import watch
from newsletter.radar.policy import Radar, Way
from newsletter.radar.queries import measure
from tests.support import cast
from tests.support.clock import Clock


def instagram(process: Process) -> int:
    with process.reading() as session:
        return session.scalars(select(Channel.id).where(Channel.kind == "instagram")).one()


def measured(process: Process) -> Radar:
    with process.reading() as session:
        return measure(session, get(session, 1), process.clock())


def way(found: Radar, name: str) -> Way:
    return next(one for one in found.ways if one.name == name)


def test_every_figure_comes_from_what_was_counted(any_process: Process, clock: Clock) -> None:
    cast.publication(any_process)
    for number in range(3):
        cast.reader(any_process, 1, f"l{number}@example.org")
    channel_id = instagram(any_process)
    with any_process.writing() as session:
        for days, number in ((400, 4), (200, 20), (60, 6), (10, 2)):
            add(session, 1, "joined", now=clock() - timedelta(days=days), channel_id=channel_id, number=number)
            add(session, 1, "asked", now=clock() - timedelta(days=days), channel_id=channel_id, number=2 * number)
        depart(session, 1, channel_id=channel_id, joined_at=clock() - timedelta(days=200), now=clock() - timedelta(days=150), number=5)
        depart(session, 1, channel_id=channel_id, joined_at=clock() - timedelta(days=400), now=clock() - timedelta(days=100))
        add(session, 1, "answered", now=clock(), channel_id=channel_id, number=3)
        add(session, 1, "heard", now=clock(), channel_id=channel_id, number=7)
        add(session, 1, "heard", now=clock(), number=2)
        add(session, 1, "joined", now=clock(), number=9)
        add(session, 1, "brought", now=clock(), channel_id=channel_id, number=4)
        row = session.get_one(Channel, channel_id)
        for day, number in ((date(2026, 3, 1), 500), (date(2026, 11, 1), 610)):
            channels.note_figure(session, row, number=number, day=day)
        link = session.scalars(select(Link).where(Link.channel_id == channel_id)).one()
        for back, kind, number in ((1, "person", 40), (29, "person", 2), (40, "person", 900), (1, "machine", 1_000_000)):
            session.add(Visit(link_id=link.id, day=clock().date() - timedelta(days=back), kind=kind, number=number))
    found = measured(any_process)
    there = way(found, "Instagram")
    assert (there.audience, there.joined, there.asked) == (610, (2, 8, 28), 56)
    assert there.stayed == (19, 24)
    assert (there.answered, there.heard, there.visits, there.machines) == (3, 7, 42, 1_000_000)
    assert found.list_size == 3
    assert found.visits.total == 42
    assert found.unknown == (9, 9, 9)
    assert found.audience.total == 613
    assert (found.unknown[2], found.told_otherwise) == (9, 2)
    assert found.brought == 4


def test_the_list_of_a_month_ago_is_todays_less_whoever_came_since(any_process: Process, clock: Clock) -> None:
    cast.publication(any_process)
    for number in range(5):
        cast.reader(any_process, 1, f"l{number}@example.org")
    with any_process.writing() as session:
        add(session, 1, "joined", now=clock() - timedelta(days=2), number=3)
        add(session, 1, "left", now=clock() - timedelta(days=3), number=1)
        channels.note_figure(session, session.get_one(Channel, instagram(any_process)), number=100, day=clock().date() - timedelta(days=70))
    trend = measured(any_process).trend
    assert [month.audience["list"] for month in trend] == [3, 3, 5]
    assert round(trend[0].closed, 1) == round(100 * 100 / 103, 1)


def test_a_channel_that_has_ended_is_no_audience_any_more_and_what_it_brought_stays(process: Process, clock: Clock) -> None:
    cast.publication(process)
    with process.writing() as session:
        row = session.get_one(Channel, instagram(process))
        channels.note_figure(session, row, number=100, day=clock().date())
        add(session, 1, "joined", now=clock(), channel_id=row.id)
        channels.end_channel(session, row, now=clock())
    there = way(measured(process), "Instagram")
    assert (there.audience, there.joined[0]) == (None, 1)


def test_a_figure_that_looks_like_a_slip_is_asked_about(process: Process, clock: Clock) -> None:
    cast.publication(process)
    with process.writing() as session:
        row = session.get_one(Channel, instagram(process))
        channels.note_figure(session, row, number=3860, day=clock().date() - timedelta(days=30))
        with pytest.raises(Refused, match="3860"):
            channels.note_figure(session, row, number=386_000, day=clock().date())
        channels.note_figure(session, row, number=386_000, day=clock().date(), sure=True)


def test_the_owner_gets_a_mail_when_the_dependence_rises_and_once_a_month(process: Process, clock: Clock) -> None:
    cast.publication(process)
    cast.editor(process)
    cast.reader(process, 1)
    with process.writing() as session:
        row = session.get_one(Channel, instagram(process))
        channels.set_goal(session, publication_id=1, percent=60, until=None, list_share=50, alert=True)
        channels.note_figure(session, row, number=1, day=clock().date() - timedelta(days=60))
        assert watch(session, process.links, now=clock()) == 0
        channels.note_figure(session, row, number=20, day=clock().date(), sure=True)
        assert watch(session, process.links, now=clock()) == 1
        assert watch(session, process.links, now=clock() + timedelta(days=1)) == 0
    with process.reading() as session:
        facts = session.scalars(select(Notice.facts).where(Notice.kind == "dependence")).one()
    assert facts is not None
    assert "95 von 100" in facts["sentence"]


def test_nobody_is_written_to_who_does_not_want_it(process: Process, clock: Clock) -> None:
    cast.publication(process)
    cast.editor(process)
    with process.writing() as session:
        row = session.get_one(Channel, instagram(process))
        channels.set_goal(session, publication_id=1, percent=10, until=None, list_share=50, alert=False)
        channels.note_figure(session, row, number=1, day=clock().date() - timedelta(days=60))
        channels.note_figure(session, row, number=2, day=clock().date())
        assert watch(session, process.links, now=clock()) == 0
        assert session.get_one(Goal, 1).alerted_at is None


def test_a_share_is_a_share(process: Process) -> None:
    cast.publication(process)
    for percent, list_share in ((-1, 50), (101, 50), (50, 0)):
        with process.writing() as session, pytest.raises(Refused):
            channels.set_goal(session, publication_id=1, percent=percent, until=None, list_share=list_share, alert=True)
    with process.reading() as session:
        assert len(names(session, 1)) == 5
