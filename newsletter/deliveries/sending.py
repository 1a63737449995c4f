"""Sending one mailing: what the courier needs from the database, and the transactions it runs there.

For each recipient (RULES §5.2)::

    MAIL, RCPT, DATA, the body without its final dot
    COMMIT handing_over        permission is checked again in the same transaction (I3, I5, I6)
    the dot
    COMMIT accepted | deferred | refused | uncertain

A crash before the first commit left nothing at the server; a crash after it leaves „uncertain“, which no program ever
leaves by itself (I4).
"""

import asyncio
import logging
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from newsletter.deliveries import actions, lane, ledger, policy, queries, tide, writing
from newsletter.deliveries.courier import Courier, Route, Work
from newsletter.deliveries.gate import Answer, Gate
from newsletter.deliveries.ledger import Claim, Result, Wish
from newsletter.deliveries.models import Mailing
from newsletter.errors import Refused
from newsletter.mail.dkim import KeyBroken
from newsletter.mail.message import MessageBroken
from newsletter.mail.smtp import PATIENT, Timeouts
from newsletter.process import Process
from newsletter.transports import throttles
from newsletter.transports.queries import all_in_use
from newsletter.transports.throttles import Limits

log = logging.getLogger(__name__)


def send(process: Process, mailing_id: int, timeouts: Timeouts = PATIENT) -> None:
    """Work on a mailing until nothing is due, the servers want a rest, or the process stops.

    Args:
        timeouts: seconds to wait, by phase; those of RFC 5321 unless somebody is in a hurry.
    """
    links = process.links
    with process.reading() as session:
        mailing = session.get(Mailing, mailing_id)
        if tide.is_frozen(session):
            return
        if mailing is None or mailing.state != "sending" or mailing.next_attempt_at > process.clock() or process.stopping.is_set():
            return
        health = throttles.health(session)
        routes = [Route(one.id, one.server, one.weight, **health.get(one.id, {})) for one in all_in_use(session, process.settings, process.tokens)]
        content = mailing.content
    tide.rise(process)
    try:
        _Sender(process, mailing_id, content, routes, timeouts).run()
    except (Refused, MessageBroken, KeyBroken) as error:
        log.error("mailing %s cannot be written: %s", mailing_id, error)
        with process.writing() as session:
            actions.set_back(session, mailing_id, links, why=f"The mail could not be written: {error}", stop=True, now=process.clock())
    except Exception as error:
        # Whatever it was, it must not be tried twenty times a second.
        with process.writing() as session:
            actions.set_back(session, mailing_id, links, why=f"{type(error).__name__}: {error}", stop=False, now=process.clock())
        raise
    with process.writing() as session:
        actions.finish(session, mailing_id, now=process.clock())


_underway: set[int] = set()
_lock = threading.Lock()


def is_underway(mailing_id: int) -> bool:
    """Whether this process works on it."""
    with _lock:
        return mailing_id in _underway


def send_once(process: Process, mailing_id: int) -> None:
    """Work on a mailing unless this process does already: a bell may ring twice."""
    with _lock:
        if mailing_id in _underway:
            return
        _underway.add(mailing_id)
    try:
        send(process, mailing_id)
    finally:
        with _lock:
            _underway.discard(mailing_id)


class _Sender:
    """One run on one mailing. Everything below runs in one thread, so that SQLite has one writer here."""

    def __init__(self, process: Process, mailing_id: int, content: dict[str, Any], routes: list[Route], timeouts: Timeouts) -> None:
        self._process = process
        self._mailing_id = mailing_id
        self._routes = routes
        self._writer = writing.Writer(process, content)
        self._timeouts = timeouts
        self._limits = Limits()
        self._claims: list[int] = []
        self._troubled = True  # until the first mail is taken
        self._worker = f"{socket.gethostname()[:40]}:{os.getpid()}"

    def run(self) -> None:
        """Send, then say on the mailing why it does not go on, if it does not."""
        with ThreadPoolExecutor(1, "ledger") as thread:
            _run(self._send(thread))
        now = self._process.clock()
        if any(route.usable(now) for route in self._routes):
            return
        troubled = min(self._routes, key=lambda route: (route.stopped, route.rest_until or now))
        with self._process.writing() as session:
            actions.set_back(
                session,
                self._mailing_id,
                self._process.links,
                why=troubled.trouble,
                stop=troubled.stopped,
                until=troubled.rest_until,
                now=now,
            )

    async def _send(self, thread: ThreadPoolExecutor) -> None:
        process = self._process
        work = Work(self._claim, self._release, self._look, self._report, self._patience, self._trouble, self._writer.write)
        courier = Courier(
            self._routes, work, Gate(self._commit, thread), thread, process.clock, process.settings.bounce_domain,
            process.settings.smtp_connections, self._timeouts, lane.work, process.stopping.is_set,
        )  # fmt: skip
        await courier.run()

    def _claim(self, limit: int, resting: Sequence[str]) -> list[Claim]:
        now = self._process.clock()
        with self._process.writing() as session:
            self._claims = ledger.keep(session, self._claims, now=now)
            claims = ledger.claim(session, self._mailing_id, limit=limit, resting=resting, now=now)
            if self._writer.counts:
                self._writer.agreed(queries.agreed_to_clicks(session, [claim.subscription_id for claim in claims]))
        if claims:
            self._claims.append(claims[0].claim_id)
        return claims

    def _release(self, claims: Sequence[Claim]) -> None:
        if claims:
            with self._process.writing() as session:
                ledger.release(session, claims, now=self._process.clock())

    def _commit(self, results: Sequence[Result], wishes: Sequence[Wish]) -> list[Answer]:
        """One wave: what ended is written, and who may still be mailed is let through."""
        try:
            return self._wave(results, wishes, ledger.hand_over)
        except ledger.NotEverybody:
            return self._wave(results, wishes, ledger.hand_over_singly)

    def _wave(self, results: Sequence[Result], wishes: Sequence[Wish], hand_over: Callable[..., set[int]]) -> list[Answer]:
        process, now = self._process, self._process.clock()
        with process.writing() as session:
            ledger.settle(session, results, now=now)
            taken = self._troubled and any(result.state == "accepted" for result in results)
            if taken:
                # At once and not with the next report: a sender that is killed again and again must not wait longer each time.
                actions.forget_setbacks(session, self._mailing_id)
                for route in self._routes:
                    if route.proven:
                        throttles.fine(session, route.id)
            keys = [self._limits.keys_of(wish.transport_id, wish.held.provider) for wish in wishes] if self._limits.limited else [()] * len(wishes)
            waits = throttles.take(session, keys, send_rate=process.settings.send_rate, now=now)
            granted = hand_over(session, [wish for wish, wait in zip(wishes, waits, strict=True) if wait is None], now=now)
        self._troubled = self._troubled and not taken
        return [wish.held.id in granted if wait is None else wait for wish, wait in zip(wishes, waits, strict=True)]

    def _look(self) -> Limits | None:
        with self._process.reading() as session:
            mailing = session.get(Mailing, self._mailing_id)
            self._limits = throttles.limits(session, self._process.settings.send_rate)
            return self._limits if mailing is not None and mailing.state == "sending" else None

    def _report(self, rate: float, taken: Counter[tuple[int, str]]) -> None:
        with self._process.writing() as session:
            self._claims = ledger.keep(session, self._claims, now=self._process.clock())
            actions.beat(session, self._mailing_id, worker=self._worker, rate=rate, now=self._process.clock())
            throttles.welcome(session, {key: number for key, number in taken.items() if key[1]})

    def _patience(self, transport_id: int, provider: str, why: str, per_minute: float) -> datetime:
        with self._process.writing() as session:
            return throttles.rest(session, (transport_id, provider), why=why, per_minute=per_minute, now=self._process.clock())

    def _trouble(self, route: Route, why: str, stop: bool) -> datetime | None:
        self._troubled = True
        until = None if stop else policy.back_off(route.setbacks, self._process.clock())
        with self._process.writing() as session:
            throttles.setback(session, route.id, why=why, until=until)
        return until


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a loop: uvloop where it is installed, which halves what a mail costs, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)
