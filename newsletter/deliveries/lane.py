"""A lane: one connection of a courier.

It takes a delivery, sends everything but the final dot, waits at the gate, sends the dot together with the next envelope, and
reads both answers at once. What a failure means is decided by the policy.
"""

import asyncio
import logging
import time
from datetime import datetime

from newsletter.deliveries import policy
from newsletter.deliveries.courier import LONGEST_WAIT, Courier, Job, Route
from newsletter.deliveries.ledger import Result
from newsletter.i18n import mark
from newsletter.mail.connection import Connection
from newsletter.mail.smtp import Phase, SmtpError
from newsletter.transports.throttles import Wait

log = logging.getLogger(__name__)


async def work(courier: Courier, route: Route) -> None:
    """Take one delivery after the other until there is nothing to do for this route."""
    await Lane(courier, route).run()


class Lane:
    """One connection of a courier. ``job`` is in hand; ``begun`` when its envelope is on the way already."""

    def __init__(self, courier: Courier, route: Route) -> None:
        self._courier = courier
        self._route = route
        self._connection: Connection | None = None
        self._job: Job | None = None
        self._begun = False

    async def run(self) -> None:
        """Take one delivery after the other until there is nothing to do for this route."""
        try:
            while True:
                if self._job is None:
                    self._job, self._begun = await self._courier.next(self._route), False
                if self._job is None:
                    return
                try:
                    await self._send(self._job)
                except SmtpError as error:
                    if not await self._failed(error):
                        return
        finally:
            self._route.live -= 1
            if self._job is not None:
                self._courier.give_back(self._job)
            await self._hang_up()

    async def _send(self, job: Job) -> None:
        connection = await self._connected()
        if not self._begun:
            refusal = connection.refuses(job.recipient, len(job.raw))
            if refusal:
                raise refusal
            connection.begin(job.sender, job.recipient, len(job.raw))
            self._begun = True
        await connection.go_ahead()
        await connection.body(job.raw)
        if not await self._permitted(connection, job):
            self._job = None
            connection.abandon()
            return
        if not connection.ready_for_the_dot():
            self._job = None
            connection.abandon()
            self._settle(job, "deferred", Phase.BODY, None, mark("The server closed the connection."), again=policy.back_off(0, self._courier.clock()))
            return
        await self._dot(connection, job)

    async def _permitted(self, connection: Connection, job: Job) -> bool:
        courier, until = self._courier, time.monotonic() + LONGEST_WAIT
        answer = await courier.gate.ask(job.wish)
        while isinstance(answer, Wait):
            courier.hold(self._route, answer)
            pause = max(0.001, (answer.until - courier.clock()).total_seconds())
            if time.monotonic() + pause > until or courier.stopping() or courier.halted or not connection.ready_for_the_dot():
                courier.give_back(job)
                return False
            await asyncio.sleep(min(pause, 1.0))
            answer = await courier.gate.ask(job.wish)
        return answer

    async def _dot(self, connection: Connection, job: Job) -> None:
        courier, route = self._courier, self._route
        upcoming = courier.poll(route) if connection.pipelining and connection.sent < policy.MESSAGES_PER_CONNECTION - 1 and courier.may_go_on(route) else None
        together = upcoming is not None and connection.refuses(upcoming.recipient, len(upcoming.raw)) is None
        connection.dot((upcoming.sender, upcoming.recipient, len(upcoming.raw)) if upcoming is not None and together else None)
        self._job, self._begun = upcoming, together
        try:
            reply = await connection.outcome()
        except SmtpError as error:
            # The one in hand has nothing to do with it; when the connection is gone its envelope is, too.
            self._begun = self._begun and connection.alive
            await self._judge(job, error)
            return
        courier.gate.settle(Result(job.held, "accepted", Phase.DOT, reply.code, reply.enhanced, reply.text))
        courier.accepted(route, job.held)
        courier.prove(route)

    async def _connected(self) -> Connection:
        """The connection, renewed when it is gone or has carried its hundred (S2)."""
        connection = self._connection
        if connection and not self._begun and (not connection.alive or connection.sent >= policy.MESSAGES_PER_CONNECTION):
            await self._hang_up()
            connection = None
        if connection is None or not connection.alive:
            self._begun = False
            await self._hang_up()
            connection = Connection(self._route.server, self._courier.name, self._courier.timeouts, pipelining=self._route.pipelining)
            self._connection = connection
            self._courier.connected(connection)
            await connection.open()
        return connection

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._courier.disconnected(self._connection)
            self._connection = None

    async def _failed(self, error: SmtpError) -> bool:
        """Before the dot something went wrong. False when this lane should end."""
        job, self._job, self._begun = self._job, None, False
        assert job is not None
        if self._connection is not None and self._connection.lied and self._route.pipelining:
            # Nothing was delivered, and nobody but the server's word is to blame: again, one command at a time.
            self._route.pipelining = False
            self._courier.give_back(job)
            return True
        if error.phase not in policy.OF_THE_SESSION:
            await self._judge(job, error)
            return True
        self._courier.give_back(job)
        verdict = policy.judge(error)
        log.info("%s did not play along at %s: %s", self._route.server, error.phase, error)
        if verdict.blame == "sender":
            self._route.stopped = True
        if verdict.blame == "sender" or self._route.live == 1:
            await self._courier.set_back(self._route, f"{error.phase}: {error}", stop=verdict.blame == "sender")
        return False

    async def _judge(self, job: Job, error: SmtpError) -> None:
        courier, verdict, now = self._courier, policy.judge(error), self._courier.clock()
        log.info("delivery %s: %s at %s: %s", job.held.id, verdict.state, error.phase, error)
        again = policy.retry_at(job.held.attempts + 1, now) if verdict.state == "deferred" else policy.back_off(0, now) if verdict.state == "planned" else None
        self._settle(job, verdict.state, error.phase, error, "", again=again)
        if verdict.blame == "sender":
            self._route.refusals += 1
            if self._route.refusals >= policy.REFUSALS_OF_SENDER and not self._route.stopped:
                self._route.stopped = True
                await courier.set_back(self._route, f"{error.phase}: {error}", stop=True)
        elif error.reply is not None:
            courier.prove(self._route)
            if policy.wants_patience(error):
                await courier.ask_patience(self._route, job.held.provider, str(error))

    def _settle(self, job: Job, state: str, phase: Phase, error: SmtpError | None, why: str, *, again: datetime | None) -> None:
        reply = error.reply if error else None
        words = (reply.text if reply else str(error) if error else why)[:500]
        self._courier.gate.settle(Result(job.held, state, phase, reply.code if reply else None, reply.enhanced if reply else "", words, again))
