"""Visits: counted once, not lost by a crash, whatever the disk and the database do."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from newsletter.accounts.models import Fact
from newsletter.channels.journals import FOLDER, Journal
from newsletter.channels.models import Link, Visit
from newsletter.channels.policy import MOST_A_MINUTE
from newsletter.channels.visiting import Visits, recover
from newsletter.process import Process
from tests.support import cast

ROOT = Path(__file__).resolve().parents[2]


class NearlyFull(Journal):
    """A journal on a disk that has room for three more bytes."""

    room = 3

    def _put(self, line: bytes) -> int:
        return super()._put(line[: self.room])


def number(process: Process, kind: str = "person") -> int:
    with process.reading() as session:
        return int(session.scalar(select(func.sum(Visit.number)).where(Visit.kind == kind)) or 0)


def left_behind(process: Process) -> list[Path]:
    return list((process.settings.data_dir / FOLDER).glob("*.jsonl"))


def crash(visits: Visits) -> None:
    """What a dead process leaves: a file without a lock."""
    assert visits._journal is not None
    visits._journal.close()


def test_visits_of_many_threads_are_counted_exactly(any_process: Process) -> None:
    cast.publication(any_process)
    visits = Visits(any_process)
    threads = [threading.Thread(target=lambda: [visits.count(1, machine=False) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(100):
        if number(any_process) == 800:
            break
        time.sleep(0.1)
    assert (number(any_process), number(any_process, "machine")) == (800, 0)


def test_a_visit_is_on_the_disk_within_a_second_even_while_the_database_is_busy(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    with process.writing() as session:
        session.execute(text("UPDATE publications SET promise = promise"))
        visits.count(1, machine=False)
        time.sleep(0.9)
        (path,) = left_behind(process)
        assert b'"person", 1]' in path.read_bytes()
    assert number(process) in (0, 1)


def test_what_a_killed_process_wrote_down_is_counted_by_the_next_one_and_once(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True  # no threads: this process is about to die
    for _ in range(3):
        visits.count(1, machine=False)
    visits._write()
    visits.count(2, machine=True)
    visits._write()
    crash(visits)
    assert recover(process) == 4
    assert (number(process), number(process, "machine")) == (3, 1)
    assert left_behind(process) == []
    assert recover(process) == 0
    assert number(process) == 3


def test_what_was_counted_before_the_crash_is_not_counted_again(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits.flush()
    visits.count(1, machine=False)
    visits._write()
    crash(visits)
    assert number(process) == 1
    assert recover(process) == 1
    assert number(process) == 2
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Fact).where(Fact.name.like("visits:%"))) == 0


def test_a_crash_between_counting_and_tidying_counts_nothing_twice(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits.flush()
    crash(visits)  # the file is still there, and the database knows that all of it is counted
    assert recover(process) == 0
    assert number(process) == 1


def test_a_commit_whose_answer_was_lost_counts_nothing_twice(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits._write()
    (line,) = visits._written
    visits.flush()
    visits._written.append(line)  # the database has it, and we were not told
    visits.flush()
    assert number(process) == 1


def test_half_a_line_is_left_out_and_all_before_it_counted(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits._write()
    crash(visits)
    (path,) = left_behind(process)
    path.write_bytes(path.read_bytes() + b'[2, [[1, "2026-')
    assert recover(process) == 1


def test_the_file_of_a_living_process_is_left_alone(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits._write()
    assert recover(process) == 0
    visits.flush()
    assert number(process) == 1


def test_a_full_disk_keeps_visits_in_memory_and_leaves_no_half_line(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits._journal = NearlyFull(process.settings.data_dir / FOLDER)
    visits.count(1, machine=False)
    with pytest.raises(OSError, match="full"):
        visits._write()
    journal = visits._journal
    assert isinstance(journal, NearlyFull)
    assert journal.path.read_bytes() == b""
    journal.room = 1000
    visits.flush()
    assert number(process) == 1


def test_a_deleted_link_does_not_keep_the_others_from_being_counted(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits.count(999, machine=False)
    visits.flush()
    assert number(process) == 1


def test_a_million_hits_are_machines_and_shown_apart(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    for _ in range(1_000_000):
        visits.count(1, machine=False)
    visits.count(2, machine=False)
    visits.flush()
    with process.reading() as session:
        rows = {(row.link_id, row.kind): row.number for row in session.scalars(select(Visit))}
    assert rows == {(1, "person"): MOST_A_MINUTE, (1, "machine"): 1_000_000 - MOST_A_MINUTE, (2, "person"): 1}


def test_a_process_killed_by_the_system_loses_nothing_older_than_a_second(process: Process) -> None:
    cast.publication(process)
    code = (
        "import sys, time\n"
        "from newsletter import process as processes\n"
        "from newsletter.channels.visiting import Visits\n"
        "from newsletter.settings import load\n"
        f"process = processes.new_process(load({{'BRIEFTAUBE_CONFIG': '/nowhere'}}, data_dir={str(process.settings.data_dir)!r}))\n"
        "visits = Visits(process)\n"
        "for number in range(57): visits.count(1, machine=False)\n"
        "time.sleep(0.95)\n"
        "print('now', flush=True)\n"
        "for number in range(1000): visits.count(1, machine=False); time.sleep(0.001)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "now\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    recover(process)
    assert number(process) >= 57


def test_days_are_those_of_the_process(process: Process) -> None:
    cast.publication(process)
    visits = Visits(process)
    visits._begun = True
    visits.count(1, machine=False)
    visits.flush()
    with process.reading() as session:
        assert session.scalars(select(Visit.day)).one() == process.clock().astimezone(UTC).date()
        assert session.get_one(Link, 1).created_at <= datetime.now(UTC)
