"""Counting who follows a link: in memory at once, in a file within half a second, in the database soon after.

What a visit says is a link, a day and whether it was a person; nothing about anybody. A request never waits for a
disk. The file is what a crash leaves: its lines are numbered, and the database knows up to which of them it has counted,
so that nothing is lost that is older than half a second, and nothing is counted twice.
"""

import atexit
import contextlib
import fcntl
import json
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.orm import Session

from newsletter.accounts.actions import state_fact
from newsletter.accounts.models import Fact
from newsletter.channels import queries
from newsletter.channels.journals import FOLDER, Journal, Key, fact_of
from newsletter.channels.policy import MOST_A_MINUTE
from newsletter.orm import wave
from newsletter.process import Process

log = logging.getLogger(__name__)

EVERY = 0.4  # seconds until a visit stands in the file
FRESH = 2.0  # seconds for which it is known where a link leads

_ADD = """
INSERT INTO visits (link_id, day, kind, number) SELECT vlink, vday, vkind, vnumber FROM {v} WHERE EXISTS (SELECT 1 FROM links WHERE links.id = vlink)
ON CONFLICT (link_id, day, kind) DO UPDATE SET number = visits.number + excluded.number
"""


@dataclass(frozen=True)
class _Line:
    number: int
    counts: dict[Key, int]


class Visits:
    """Counts the visits of one process, and knows where links lead."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._waiting: Counter[Key] = Counter()
        self._minute: Counter[int] = Counter()
        self._minute_began = 0.0
        self._known: dict[str, tuple[float, queries.Lead | None]] = {}
        self._begun = False
        self._rung = threading.Event()
        self._written: deque[_Line] = deque()
        self._lines = threading.Condition()
        self._at_the_file, self._at_the_database = threading.Lock(), threading.Lock()
        self._journal: Journal | None = None

    def lead(self, code: str) -> "queries.Lead | None":
        """Where a link leads, at most two seconds old."""
        found = self._known.get(code)
        now = time.monotonic()
        if found is None or now - found[0] > FRESH:
            with self._process.reading() as session:
                found = now, queries.lead(session, self._process.links, code)
            if len(self._known) > 5000:
                self._known.clear()
            self._known[code] = found
        return found[1]

    def count(self, link_id: int, *, machine: bool) -> None:
        """Count one visit. Costs a dictionary; the file and the database come later."""
        today = self._process.clock().astimezone(UTC).date()
        with self._lock:
            now = time.monotonic()
            if now - self._minute_began > 60:
                self._minute.clear()
                self._minute_began = now
            self._minute[link_id] += 1
            machine = machine or self._minute[link_id] > MOST_A_MINUTE
            self._waiting[link_id, today, "machine" if machine else "person"] += 1
            if not self._begun:
                self._begun = True
                atexit.register(self._write)
                for work in (self._keep_writing, self._keep_counting):
                    threading.Thread(target=work, name=work.__name__, daemon=True).start()
        self._rung.set()

    def flush(self) -> None:
        """Write down and count everything now."""
        self._write()
        self._count_lines()

    # The file

    def _keep_writing(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            time.sleep(EVERY)
            try:
                self._write()
            except Exception:
                log.exception("visits could not be written down; they are kept in memory")
                self._rung.set()
                time.sleep(2)

    def _write(self) -> None:
        with self._at_the_file, self._lines:
            with self._lock:
                counts, self._waiting = dict(self._waiting), Counter()
            if not counts:
                return
            try:
                self._journal = self._journal or Journal(self._process.settings.data_dir / FOLDER)
                line = _Line(self._journal.append(counts), counts)
            except OSError:
                with self._lock:
                    self._waiting.update(counts)
                raise
            self._written.append(line)
            self._lines.notify_all()

    # The database

    def _keep_counting(self) -> None:
        while True:
            with self._lines:
                while not self._written:
                    self._lines.wait()
            try:
                self._count_lines()
            except Exception:
                # It is busy or away. The file has everything; it will be counted when the database is back.
                log.warning("visits wait for the database", exc_info=True)
                time.sleep(2)

    def _count_lines(self) -> None:
        with self._at_the_database:
            self._count_written()

    def _count_written(self) -> None:
        with self._lines:
            lines, journal = list(self._written), self._journal
        if not lines or journal is None:
            return
        with self._process.writing() as session:
            # A commit whose answer was lost may have counted some of them already.
            counted = _counted(session, journal.path)
            total: Counter[Key] = Counter()
            for line in lines:
                if line.number > counted:
                    total.update(line.counts)
            _add(session, total)
            state_fact(session, name=journal.fact, value=str(lines[-1].number), now=self._process.clock())
        with self._lines:
            for _ in lines:
                self._written.popleft()
            if not self._written and journal.is_long():
                self._journal = None
        if self._journal is None:
            _forget(self._process, journal.path)
            journal.close()


def recover(process: Process) -> int:
    """Count what processes that are no more have left; give back how many visits."""
    found = 0
    for path in sorted((process.settings.data_dir / FOLDER).glob("*.jsonl")):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its process lives
            found += _count_rest(process, path, file.read().splitlines())
    return found


def _count_rest(process: Process, path: Path, lines: Iterable[bytes]) -> int:
    with process.writing() as session:
        counted = _counted(session, path)
        total: Counter[Key] = Counter()
        last = counted
        for line in lines:
            try:
                number, rows = json.loads(line)
            except ValueError:
                break  # the crash came in the middle of this one
            last = number
            if number > counted:
                total.update({(row[0], date.fromisoformat(row[1]), row[2]): row[3] for row in rows})
        _add(session, total)
        state_fact(session, name=fact_of(path), value=str(max(counted, last)), now=process.clock())
    # Only now: a crash in between finds the file again, and that all of it is counted.
    _forget(process, path)
    return total.total()


def _counted(session: Session, path: Path) -> int:
    """Up to which of its lines a file has been counted."""
    fact = session.get(Fact, fact_of(path), populate_existing=True)
    return int(fact.value) if fact is not None else 0


def _forget(process: Process, path: Path) -> None:
    path.unlink(missing_ok=True)
    with process.writing() as session:
        session.execute(delete(Fact).where(Fact.name == fact_of(path)))


def _add(session: Session, counts: Counter[Key]) -> None:
    rows = [(link_id, day.isoformat(), kind, number) for (link_id, day, kind), number in sorted(counts.items()) if number]
    if rows:
        wave(session, _ADD, "vlink integer, vday date, vkind text, vnumber bigint", rows)
