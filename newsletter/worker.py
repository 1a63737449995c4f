"""The worker: Dramatiq's threads, and somebody who rings for whatever is due.

Embedded, the ringer notices commits of other processes by ``PRAGMA data_version``, a few microseconds every
50 ms. With a broker server it looks every five seconds, and joins in mailings that others have begun.
"""

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dramatiq
import structlog
from dramatiq import Broker, Middleware, Worker
from dramatiq.broker import MessageProxy
from sqlalchemy import text

from newsletter.accounts.actions import forget_counts, state_fact
from newsletter.announcements import queries as announcements
from newsletter.announcements.actions import remind
from newsletter.announcements.actors import send_announcement
from newsletter.archive import queries as archive
from newsletter.archive.actors import build_archive, look_at_mention, serve_target
from newsletter.bounces import queries as bounces
from newsletter.bounces.actors import note_refusals
from newsletter.broker import Job, broker, connect
from newsletter.channels.visiting import recover as recover_visits
from newsletter.conversations import queries as conversations
from newsletter.conversations.actors import send_answer
from newsletter.deliveries import digests, ledger, queries, tide
from newsletter.deliveries.actions import settle_by_readers
from newsletter.deliveries.actors import begin_mailing, finish_mailing, make_digest, recover_deliveries, send_mailing, start_scheduled
from newsletter.deliveries.sending import is_underway, send_once
from newsletter.drills.actions import remind as remind_of_drill
from newsletter.errors import SettingsError
from newsletter.federation import queries as federation
from newsletter.federation.actors import send_ping
from newsletter.imports import queries as imports
from newsletter.imports.actions import forget_files, free_all
from newsletter.imports.actors import run_import
from newsletter.inbound import queries as inbound
from newsletter.inbound.actions import forget as forget_arrivals
from newsletter.inbound.actors import read_mailbox, understand_arrival
from newsletter.issues import queries as issues
from newsletter.issues.reminding import remind as remind_of_rhythm
from newsletter.notices import queries as notices
from newsletter.notices.actors import send_notice
from newsletter.people import journal
from newsletter.people.actions import forget_the_old
from newsletter.process import Process
from newsletter.radar.actions import watch
from newsletter.sms import queries as sms
from newsletter.sms.actions import recover
from newsletter.sms.actors import send_text
from newsletter.subscriptions.actions import forget_unconfirmed, wake

log = logging.getLogger(__name__)

LOOK_EVERY = 0.05
AT_LEAST_EVERY = 1.0
JOIN_EVERY = 5.0
SWEEP_EVERY = 15.0
TIDY_EVERY = 600.0
LOOK_AROUND_EVERY = 6 * 3600.0
THREADS = 6

Due = list[tuple[Job, tuple[int, ...]]]


class Underway(Middleware):
    """Remembers which messages wait or run here, so that the same bell is not rung twenty times a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, tuple[Any, ...]]] = set()

    def begin(self, actor: Job, ids: tuple[int, ...]) -> bool:
        """Whether this message was not underway before."""
        with self._lock:
            key = (actor.actor_name, ids)
            if key in self._keys:
                return False
            self._keys.add(key)
            return True

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        structlog.contextvars.bind_contextvars(job=message.actor_name, ids=list(message.args))

    def after_process_message(self, broker: Broker, message: MessageProxy, *, result: Any = None, exception: BaseException | None = None) -> None:
        with self._lock:
            self._keys.discard((message.actor_name, tuple(message.args)))
        if exception is not None:
            log.error("the job failed", exc_info=exception)
        structlog.contextvars.unbind_contextvars("job", "ids")

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        self.after_process_message(broker, message)


def due(process: Process) -> Due:
    """Everything that should happen now, read from the database."""
    now = process.clock()
    with process.reading() as session:
        frozen = tide.is_frozen(session)
        found: Due = [(send_notice, (row,)) for row in notices.due(session, now)]
        found += [(run_import, (row,)) for row in imports.due(session, now)]
        if not frozen:
            found += [(make_digest, (row,)) for row in digests.due(session, now)]
            found += [(begin_mailing, (row,)) for row in queries.in_undo(session, now)]
            found += [(start_scheduled, (row,)) for row in issues.due(session, now)]
            found += [(send_mailing, (row,)) for row in queries.sendable(session, now)]
            # An older database would take newer letters away from the archive, and announce others twice.
            found += [(build_archive, (row,)) for row in archive.due(session, now)]
            found += [(serve_target, (row,)) for row in archive.targets_due(session, now)]
            found += [(send_ping, (row,)) for row in federation.pings_due(session, now)]
            found += [(send_answer, (row,)) for row in conversations.due(session, now)]
            found += [(send_text, (row,)) for row in sms.due(session, now)]
            found += [(send_announcement, (row,)) for row in announcements.due(session, now)]
        found += [(understand_arrival, (row,)) for row in inbound.due(session, now)]
        found += [(read_mailbox, (row,)) for row in inbound.mailboxes_due(session, now)]
        if bounces.due(session, now):
            found.append((note_refusals, ()))
        found += [(look_at_mention, (row,)) for row in federation.mentions_due(session, now)]
        found += [(finish_mailing, (row,)) for row in queries.finishable(session)]
        if queries.abandoned(session, now):
            found.append((recover_deliveries, ()))
    return found


def run(process: Process) -> None:
    """Work until ``process.stopping`` is set; then let what is on the wire end and give the rest back.

    Raises:
        SettingsError: another worker works on this DATA_DIR without a broker.
    """
    with _alone(process) if process.settings.embedded else contextlib.nullcontext():
        used = connect(process.settings.broker_url)
        underway = Underway()
        used.add_middleware(underway)
        if tide.look(process):
            log.warning("an older copy of the database was put back; nothing leaves until somebody confirms it on the page")
            journal.replay(process)
        if process.settings.embedded:
            _recover_everything(process)
        threads = THREADS
        worker = Worker(used, worker_threads=threads, worker_timeout=200)
        worker.start()
        log.info("the worker is ready with %s threads", threads)
        try:
            _ring_until_stopped(process, underway)
        finally:
            process.stopping.set()
            # S3: a reply may take ten minutes after the dot; a systemd unit or the supervisor may be less patient.
            worker.stop(timeout=660_000)


def _recover_everything(process: Process) -> None:
    with process.writing() as session:
        freed, doubtful = ledger.recover(session, now=process.clock(), everything=True)
        free_all(session)
    if freed or doubtful:
        log.warning("a worker died: %s deliveries are planned again, %s are uncertain", freed, doubtful)


@contextlib.contextmanager
def _alone(process: Process) -> Iterator[None]:
    """Without a broker there is one worker. It may clean up after a dead one, because no other can be alive."""
    with (process.settings.data_dir / "worker.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError("Another worker is at work in this DATA_DIR. Several need a BROKER_URL.") from error
        file.write(str(os.getpid()))
        file.flush()
        yield


def _ring_until_stopped(process: Process, underway: Underway) -> None:
    clock = _Stopwatch()
    watch = _Watch(process)
    while not process.stopping.wait(LOOK_EVERY):
        try:
            if watch.changed() or clock.over("look", AT_LEAST_EVERY if process.settings.embedded else JOIN_EVERY):
                _ring_all(process, underway)
            if clock.over("sweep", SWEEP_EVERY):
                _show_life(process)
            if clock.over("tidy", TIDY_EVERY):
                _tidy(process)
            if clock.over("look around", LOOK_AROUND_EVERY):
                _look_around(process)
        except Exception:
            # The database may be away for a while; the worker waits for it instead of dying.
            log.exception("the worker could not look for work")
            process.stopping.wait(2)
    watch.close()


def _ring_all(process: Process, underway: Underway) -> None:
    for actor, ids in due(process):
        if actor is send_mailing and not process.settings.embedded:
            # A bell reaches one worker, but a mailing is work for all of them: each joins in by itself.
            if not is_underway(*ids):
                threading.Thread(target=_join_in, args=(process, *ids), name=f"mailing-{ids[0]}").start()
        elif underway.begin(actor, ids):
            actor.send(*ids)


def _join_in(process: Process, mailing_id: int) -> None:
    try:
        send_once(process, mailing_id)
    except Exception:
        log.exception("mailing %s stopped here", mailing_id)


def _show_life(process: Process) -> None:
    with process.writing() as session:
        state_fact(session, name="worker", value=str(os.getpid()), now=process.clock())
        wake(session, now=process.clock())


def _look_around(process: Process) -> None:
    """What changes with the days: how much hangs on platforms, and when an outage was rehearsed last."""
    with process.writing() as session:
        remind_of_rhythm(session, process.links, now=process.clock())
        remind_of_drill(session, process.links, now=process.clock())
        watch(session, process.links, now=process.clock())


def _tidy(process: Process) -> None:
    recover_visits(process)
    with process.writing() as session:
        forgotten = forget_unconfirmed(session, now=process.clock(), after=timedelta(days=process.settings.forget_after_days))
        forget_counts(session, now=process.clock())
        ledger.expire(session, now=process.clock())
        settle_by_readers(session, now=process.clock())
        forget_the_old(session, process.tokens, years=process.settings.proof_years, now=process.clock())
        forget_arrivals(session, now=process.clock())
        forget_files(session, process.settings, now=process.clock())
        remind(session, process.links, now=process.clock())
        recover(session, now=process.clock())
    if forgotten:
        log.info("%s sign-ups that nobody confirmed were deleted", forgotten)


class _Stopwatch:
    """Says when something was not done for a while; the first time at once."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def over(self, name: str, seconds: float) -> bool:
        import time

        now = time.monotonic()
        if now - self._last.get(name, -1e9) < seconds:
            return False
        self._last[name] = now
        return True


class _Watch:
    """Notices commits of other connections to a SQLite file."""

    def __init__(self, process: Process) -> None:
        sqlite = process.engine.dialect.name == "sqlite" and process.settings.embedded
        self._connection = process.engine.connect().execution_options(isolation_level="AUTOCOMMIT") if sqlite else None
        self._seen = -1

    def changed(self) -> bool:
        if self._connection is None:
            return False
        version = int(self._connection.execute(text("PRAGMA data_version")).scalar_one())
        changed, self._seen = version != self._seen, version
        return changed

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


assert dramatiq.get_broker() is broker  # every actor above was declared on ours
