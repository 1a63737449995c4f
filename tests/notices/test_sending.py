"""Notices: at least once, and never for ever."""

from collections.abc import Callable, Iterator

import pytest

from newsletter.mail.addresses import parse
from newsletter.notices import actions, policy, queries, sending
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.transports.actions import choose
from tests.support import cast
from tests.support.clock import Clock
from tests.support.faults import FaultyServer


@pytest.fixture
def notice(process: Process) -> Iterator[Callable[[dict[str, object]], tuple[int, FaultyServer]]]:
    servers = []

    def make(plan: dict[str, object]) -> tuple[int, FaultyServer]:
        faults = FaultyServer(plan).__enter__()
        servers.append(faults)
        publication_id = cast.publication(process)
        with process.writing() as session:
            choose(session, process.tokens, address=faults.url, now=process.clock())
            row = actions.queue(
                session,
                publication=get(session, publication_id),
                kind="confirm",
                recipient=parse("ada@example.org"),
                form_host="x.example",
                now=process.clock(),
                link="http://x/confirm/abc",
            )
            return row.id, faults

    yield make
    for server in servers:
        server.__exit__()


def row(process: Process, notice_id: int) -> Notice:
    with process.reading() as session:
        return session.get_one(Notice, notice_id)


def test_a_notice_is_sent_and_only_its_hash_stays(process: Process, notice: Callable[..., tuple[int, FaultyServer]]) -> None:
    notice_id, faults = notice({})
    sending.send(process, notice_id)
    sending.send(process, notice_id)
    assert len(faults.accepted) == 1
    found = row(process, notice_id)
    assert (found.state, found.raw, found.reply) == ("accepted", None, "250 2.0.0 taken")


@pytest.mark.parametrize("plan", [{"greeting": ["554 no", ""]}, {"rcpt": ["451 later", ""]}, {"dot": ["close", ""]}, {"rcpt": ["550 5.7.1 blocked", ""]}])
def test_i4_a_notice_is_tried_again_rather_than_lost(
    process: Process, clock: Clock, notice: Callable[..., tuple[int, FaultyServer]], plan: dict[str, object]
) -> None:
    notice_id, faults = notice(plan)
    sending.send(process, notice_id)
    assert row(process, notice_id).state == "queued"
    clock.forward(minutes=2)
    sending.send(process, notice_id)
    assert row(process, notice_id).state == "accepted"
    assert len(faults.accepted) == 1


def test_an_address_that_does_not_exist_is_not_tried_again(process: Process, notice: Callable[..., tuple[int, FaultyServer]]) -> None:
    notice_id, _ = notice({"rcpt": "550 5.1.1 nobody"})
    sending.send(process, notice_id)
    assert row(process, notice_id).state == "failed"


def test_a_notice_is_given_up_after_a_day(process: Process, clock: Clock, notice: Callable[..., tuple[int, FaultyServer]]) -> None:
    notice_id, _ = notice({"rcpt": "451 later"})
    for _ in range(len(policy.PAUSES) + 1):
        sending.send(process, notice_id)
        clock.forward(hours=13)
    assert row(process, notice_id).state == "failed"


def test_a_notice_that_a_dead_worker_held_comes_back(process: Process, clock: Clock, notice: Callable[..., tuple[int, FaultyServer]]) -> None:
    notice_id, _ = notice({})
    with process.writing() as session:
        assert actions.claim(session, notice_id, now=clock())
        assert actions.claim(session, notice_id, now=clock()) is None
        assert queries.due(session, clock()) == []
    clock.forward(minutes=16)
    with process.reading() as session:
        assert queries.due(session, clock()) == [notice_id]
