"""kill -9 of a sender at every step: what the ledger says then, and that nobody gets a letter twice (RULES §5.3 K, N)."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from newsletter.deliveries import ledger, sending
from newsletter.deliveries.models import Claiming
from newsletter.process import Process
from tests.deliveries.conftest import QUICK, Post
from tests.support.clock import Clock
from tests.support.faults import FaultyServer

HERE = Path(__file__).resolve().parent
PIPELINING = ("8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES")


class Duel:
    """One mailing, one sender in another process, and a witness on disk."""

    def __init__(self, process: Process, tmp_path: Path, readers: int = 3) -> None:
        self.process = process
        self.journal = tmp_path / "journal"
        self.faults = FaultyServer(offers=PIPELINING, journal=self.journal).__enter__()
        self.post = Post(process, self.faults, readers)
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, where: str = "") -> None:
        settings = self.process.settings
        database = "" if settings.database_url.startswith("sqlite") else settings.database_url
        command = [sys.executable, str(HERE / "sender_child.py"), str(settings.data_dir), str(self.post.mailing_id), where, database]
        self.child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(HERE.parent.parent)})

    def kill_at(self, phase: str, number: int = 1, how: int = signal.SIGKILL) -> None:
        """Kill the child when the server has come to a phase for the n-th time; it answers nobody then."""
        seen = Counter[str]()

        def look(found: str) -> None:
            seen[found] += 1
            if found == phase and seen[found] == number and self.child:
                self.child.send_signal(how)

        self.faults.on_phase = look

    def settle(self) -> None:
        """What comes after: the worker is started again, cleans up and goes on until nothing is left to do."""
        assert self.child is not None
        self.child.wait(30)
        self.faults.on_phase = None
        with self.process.writing() as session:
            ledger.recover(session, now=self.process.clock(), everything=True)
        for _ in range(3):
            self.process.clock.forward(minutes=11)
            self.post.send()

    @property
    def taken(self) -> Counter[str]:
        if not self.journal.exists():
            return Counter()
        return Counter(json.loads(line)["message_id"].strip("<>").partition("@")[0] for line in self.journal.read_text().splitlines())

    def check(self) -> None:
        """The oracle's rule: nobody twice; who has it is accepted or uncertain; who has it not is not accepted."""
        self.post.check()
        taken = self.taken
        assert max(taken.values(), default=0) <= 1
        for row in self.post.rows():
            if taken[row.reference]:
                assert row.state in ("accepted", "uncertain")
            else:
                assert row.state != "accepted"


@pytest.fixture
def duel(any_process: Process, tmp_path: Path) -> Duel:
    # The child has the real time, so this side starts from it, too.
    any_process.clock.now = datetime.now(UTC) - timedelta(seconds=1)
    made = Duel(any_process, tmp_path)
    yield made
    if made.child:
        made.child.kill()
        made.child.wait()
    made.faults.__exit__()


@pytest.mark.parametrize(
    ("phase", "number", "mails", "uncertain"),
    [
        ("greeting", 1, 3, 0),  # K1: claimed, nothing said yet
        ("ehlo", 1, 3, 0),  # K2
        ("mail", 1, 3, 0),  # K3
        ("rcpt", 1, 3, 0),  # K4
        ("data", 1, 3, 0),  # K5
        ("body", 1, 3, 0),  # K6
        ("dot", 1, 3, 1),  # K8: the server took it, the answer reaches nobody
        ("mail", 2, 3, 1),  # K11: between two recipients, the result of the first not yet written
    ],
)
def test_k_a_sender_that_is_killed_on_the_wire(duel: Duel, phase: str, number: int, mails: int, uncertain: int) -> None:
    duel.kill_at(phase, number)
    duel.start()
    duel.settle()
    duel.check()
    counts = duel.post.counts
    assert sum(duel.taken.values()) == mails
    # Between the answer and its commit lies a moment that the test cannot hit on purpose.
    assert counts.get("uncertain", 0) <= uncertain
    assert counts.get("accepted", 0) == 3 - counts.get("uncertain", 0)
    assert duel.post.mailing.state == "finished"


@pytest.mark.parametrize(
    ("where", "mails", "uncertain"),
    [
        ("before the dot", 2, 1),  # K7: permitted, and nothing left
        ("before the result", 3, 1),  # K9: 250 was heard and not written down
        ("at the end", 3, 0),  # K12
        ("after the end", 3, 0),  # K10
    ],
)
def test_k_a_sender_that_is_killed_at_a_commit(duel: Duel, where: str, mails: int, uncertain: int) -> None:
    duel.start(where)
    duel.settle()
    duel.check()
    assert sum(duel.taken.values()) == mails
    assert duel.post.counts == {"accepted": 3 - uncertain} | ({"uncertain": uncertain} if uncertain else {})


def test_n10_a_sender_that_slept_through_its_lease_sends_no_dot(duel: Duel) -> None:
    duel.kill_at("data", how=signal.SIGSTOP)
    duel.start()
    while not duel.faults.commands or duel.faults.commands[-1] != "DATA":
        pass
    duel.faults.on_phase = None
    duel.process.clock.forward(minutes=10)
    with duel.process.writing() as session:
        assert ledger.recover(session, now=duel.process.clock()) == (3, 0)
    duel.post.send()
    assert duel.post.counts == {"accepted": 3}
    duel.child.send_signal(signal.SIGCONT)
    duel.child.wait(30)
    duel.check()
    assert sum(duel.taken.values()) == 3


def test_n15_a_machine_that_gives_out_few_files_sends_by_fewer_connections(process: Process, tmp_path: Path) -> None:
    process.clock.now = datetime.now(UTC) - timedelta(seconds=1)
    duel = Duel(process, tmp_path, readers=120)
    try:
        duel.start("few files")
        duel.settle()
        duel.check()
        assert duel.post.counts == {"accepted": 120}
    finally:
        duel.faults.__exit__()


@pytest.mark.postgres
def test_n4_a_database_that_restarts_in_the_middle_loses_and_doubles_nobody(new_process: Callable[..., Process], postgres_url: str, clock: Clock) -> None:
    process = new_process(database_url=postgres_url, smtp_connections=2)
    with FaultyServer(offers=PIPELINING) as faults:
        post = Post(process, faults, readers=40)
        cut = iter([True] * 3)

        def restart() -> None:
            # Two of these may end each other; that is a restart as well.
            if len(faults.recipients) % 10 == 5 and next(cut, False):
                with contextlib.suppress(OperationalError), process.engine.connect() as connection:
                    connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"))

        faults.on_dot = restart
        for _ in range(6):
            with contextlib.suppress(OperationalError):
                post.send()
            clock.forward(minutes=20)
            with process.writing() as session:
                ledger.recover(session, now=clock())
        post.check()
        counts = post.counts
        assert max(Counter(faults.message_ids).values()) == 1
        assert counts.get("accepted", 0) + counts.get("uncertain", 0) == 40
        assert counts.get("accepted", 0) <= len(faults.message_ids)


@pytest.mark.parametrize("lost", ["before", "after"])
def test_n5_n6_a_commit_that_fails_or_whose_answer_is_lost_sends_no_dot_twice(any_process: Process, clock: Clock, lost: str) -> None:
    with FaultyServer(offers=PIPELINING) as faults:
        post = Post(any_process, faults, readers=12)
        dialect, chance = any_process.engine.dialect, random.Random(7)
        usual = dialect.do_commit

        def commit(connection: object) -> None:
            fails = chance.random() < 0.2
            if fails and lost == "before":
                connection.rollback()
            else:
                usual(connection)
            if fails:
                raise OperationalError("COMMIT", {}, Exception("the connection is gone"))

        dialect.do_commit = commit
        try:
            for _ in range(30):
                with contextlib.suppress(OperationalError):
                    sending.send(any_process, post.mailing_id, QUICK)
                clock.forward(minutes=11)
                with contextlib.suppress(OperationalError), any_process.writing() as session:
                    ledger.recover(session, now=clock())
        finally:
            dialect.do_commit = usual
        post.check()
        counts = post.counts
        assert max(Counter(faults.message_ids).values()) == 1
        assert counts.get("accepted", 0) <= len(faults.message_ids) <= counts.get("accepted", 0) + counts.get("uncertain", 0)
        assert counts.get("accepted", 0) + counts.get("uncertain", 0) == 12


def test_n11_a_process_that_is_told_to_stop_waits_for_the_answer_on_the_wire(new_process: Callable[..., Process]) -> None:
    process = new_process(smtp_connections=1)
    with FaultyServer({"dot": "wait 0.5"}, on_dot=process.stopping.set) as faults:
        post = Post(process, faults, readers=3)
        post.send()
        assert post.counts == {"accepted": 1, "planned": 2}
        assert post.number_of(Claiming) == 0


def test_n14_the_database_is_asked_by_one_thread_only(new_post: Callable[..., Post]) -> None:
    """However many connections to the mail server there are, one to the database is enough."""
    post = new_post(readers=30, settings={"smtp_connections": 16}, offers=PIPELINING)
    open_now, most = 0, 0

    def count(connection: object, *more: object) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)

    def uncount(*more: object) -> None:
        nonlocal open_now
        open_now -= 1

    event.listen(post.process.engine, "checkout", count)
    event.listen(post.process.engine, "checkin", uncount)
    post.send()
    assert post.counts == {"accepted": 30}
    assert most <= 2
