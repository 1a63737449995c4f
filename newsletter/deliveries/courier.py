"""The courier: who takes which letter by which mail server, and who waits for whom.

It opens the lanes (connections), deals out what is claimed, keeps limits and shares, and looks after the house meanwhile.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from newsletter.clock import Clock
from newsletter.deliveries import policy
from newsletter.deliveries.gate import Gate
from newsletter.deliveries.ledger import Claim, Result, Wish
from newsletter.i18n import mark
from newsletter.mail.connection import Connection
from newsletter.mail.smtp import Phase, Server, Timeouts
from newsletter.transports.throttles import Key, Limits, Wait

log = logging.getLogger(__name__)

# So far may the shares of several mail servers drift apart before one waits for another.
SLACK = 32
# Longer than this nobody waits at the gate with an open transaction; servers hang up after three minutes.
LONGEST_WAIT = 60.0
LOOK_EVERY = 2.0


class Job(NamedTuple):
    """One mail, ready to go."""

    held: Claim
    wish: Wish
    sender: str
    recipient: str
    raw: bytes


@dataclass
class Route:
    """One mail server as this courier knows it. ``setbacks`` and ``trouble`` are what went wrong last."""

    id: int
    server: Server
    weight: int = 1
    live: int = 0
    sent: int = 0
    refusals: int = 0
    proven: bool = False
    pipelining: bool = True
    setbacks: int = 0
    rest_until: datetime | None = None
    stopped: bool = False
    trouble: str = ""

    def usable(self, now: datetime) -> bool:
        return not self.stopped and (self.rest_until is None or self.rest_until <= now)


@dataclass(frozen=True)
class Work:
    """What a courier needs from outside; each may touch the database and runs in its own thread.

    ``claim`` takes so many deliveries, leaving resting providers alone; ``release`` gives some back; ``look`` says what is
    limited and whether the mailing is still to be sent; ``report`` writes how fast it goes; ``patience`` writes that a provider
    asked for a rest, and ``trouble`` that a mail server did not play along: both give back until when.
    """

    claim: Callable[[int, Sequence[str]], list[Claim]]
    release: Callable[[Sequence[Claim]], None]
    look: Callable[[], Limits | None]
    report: Callable[[float, Counter[tuple[int, str]]], None]
    patience: Callable[[int, str, str, float], datetime]
    trouble: Callable[[Route, str, bool], datetime | None]
    write: Callable[[Claim, int], Job | str]


@dataclass
class Courier:
    """Works on one mailing until nothing is due, no mail server is usable, or it is told to stop."""

    routes: list[Route]
    work: Work
    gate: Gate
    thread: Executor
    clock: Clock
    name: str
    connections: int
    timeouts: Timeouts
    lane: "Callable[[Courier, Route], Coroutine[None, None, None]]"
    stopping: Callable[[], bool]
    limits: Limits = field(default_factory=Limits)
    queue: deque[Claim] = field(default_factory=deque)
    held: dict[Key, datetime] = field(default_factory=dict)
    exhausted: bool = False
    halted: str = ""
    _claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    _lanes: set[asyncio.Task[None]] = field(default_factory=set)
    _open: set[Connection] = field(default_factory=set)
    _counted: deque[tuple[float, int]] = field(default_factory=deque)
    _taken: Counter[tuple[int, str]] = field(default_factory=Counter)
    _errors: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._alone = len(self.routes) == 1

    async def run(self) -> None:
        """Everything: lanes, gate, housekeeping; at the end nothing is held any more.

        Raises:
            Exception: something unforeseen; what was held is given back all the same.
        """
        gate = asyncio.create_task(self.gate.run())
        chores = [asyncio.create_task(self._keep_house()), asyncio.create_task(self._watch_the_time())]
        try:
            await self._in_thread(self._look)
            self._start_lanes()
            while self._lanes:
                done, _ = await asyncio.wait({*self._lanes, gate}, return_when=asyncio.FIRST_COMPLETED)
                self._lanes -= done
                if gate in done:
                    self.halted = self.halted or "gate"
                    for lane in self._lanes:
                        lane.cancel()
                self._errors += [error for task in done if not task.cancelled() and (error := task.exception())]
                self._start_lanes()
        finally:
            self.gate.close()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            with contextlib.suppress(Exception):
                await gate
            await self._in_thread(self.work.release, list(self.queue))
            await self._in_thread(self._report)
        if self._errors:
            raise self._errors[0]

    async def _in_thread(self, what: Callable[..., object], *arguments: object) -> object:
        return await asyncio.get_running_loop().run_in_executor(self.thread, what, *arguments)

    def _start_lanes(self) -> None:
        """Open what may be opened: one connection for a server that has taken nothing yet, then all of them.

        So a server that refuses us is asked once or twice and not by every connection (D4).
        """
        now = self.clock()
        if self.exhausted or self.halted or self._errors or self.stopping():
            return
        usable = self._in_turn(now)
        for route in usable:
            share = self.connections if len(usable) == 1 else max(1, round(self.connections * route.weight / (sum(one.weight for one in usable) or 1)))
            for _ in range((share if route.proven else 1) - route.live):
                route.live += 1
                self._lanes.add(asyncio.create_task(self.lane(self, route)))

    def prove(self, route: Route) -> None:
        """This server has said something sensible about a recipient: open all of its connections."""
        route.refusals = 0
        if not route.proven:
            route.proven = True
            self._start_lanes()

    def _in_turn(self, now: datetime) -> list[Route]:
        if self._alone and self.routes[0].rest_until is None and not self.routes[0].stopped and not self.limits.stopped:
            return self.routes
        usable = [route for route in self.routes if route.usable(now) and route.id not in self.limits.stopped]
        return [route for route in usable if route.weight] or usable

    def may_go_on(self, route: Route) -> bool:
        """Whether this route has work to do at all."""
        if (self.exhausted and not self.queue) or self.halted or self._errors or self.stopping() or route.stopped:
            return False
        return route in self._in_turn(self.clock())

    def poll(self, route: Route) -> Job | None:
        """The next mail, if one may go by this route at once."""
        while self.queue and self._has_turn(route):
            held = self._pick(route)
            if held is None:
                return None
            job = self.work.write(held, route.id)
            if isinstance(job, Job):
                return job
            # This one cannot be written or addressed; that says nothing about the others.
            self.gate.settle(Result(held, "refused", Phase.RCPT, 553, "", job))
        return None

    def _pick(self, route: Route) -> Claim | None:
        if not self.limits.resting and not self.held:
            return self.queue.popleft()
        now = self.clock()
        for index, claim in enumerate(self.queue):
            if not self.limits.rests(route.id, claim.provider, now) and not self._is_held(route, claim.provider, now):
                del self.queue[index]
                return claim
        return None

    def _has_turn(self, route: Route) -> bool:
        """Several servers share by weight; nobody runs ahead of one that could go on."""
        if self._alone or not route.weight:
            return True
        others = [other for other in self._in_turn(self.clock()) if other.weight and other.live]
        return all(route.sent / route.weight <= other.sent / other.weight + SLACK / other.weight for other in others if other is not route)

    async def next(self, route: Route) -> Job | None:
        """The next mail for this route; None when it should stop."""
        while self.may_go_on(route):
            job = self.poll(route)
            if job:
                return job
            if not self.queue:
                await self._refill()
                continue
            if not await self._put_back_resting():
                await asyncio.sleep(0.05)
        return None

    async def _put_back_resting(self) -> bool:
        """Providers that want to be left alone are not kept in hands; their turn comes with a later claim."""
        now = self.clock()
        resting = [claim for claim in self.queue if self._all_rest(claim.provider, now)]
        if resting:
            self.queue = deque(claim for claim in self.queue if claim not in set(resting))
            await self._in_thread(self.work.release, resting)
        return bool(resting)

    async def _refill(self) -> None:
        async with self._claiming:
            if self.queue or self.exhausted:
                return
            now = self.clock()
            resting = [provider for (_, provider), until in self.limits.resting.items() if provider and until > now and self._all_rest(provider, now)]
            claims = await self._in_thread(self.work.claim, self._batch(), resting)
            assert isinstance(claims, list)
            self.queue.extend(claims)
            self.exhausted = not claims

    def _all_rest(self, provider: str, now: datetime) -> bool:
        return all(self.limits.rests(route.id, provider, now) for route in self._in_turn(now))

    def _batch(self) -> int:
        """As much as leaves in some seconds, so that what a dead sender held is free again soon."""
        return int(min(policy.LARGEST_BATCH, max(policy.BATCH, 2 * self.connections, self.rate() * 5)))

    def rate(self) -> float:
        """Mails a second, over the last ten seconds."""
        if not self._counted:
            return 0.0
        spent = time.monotonic() - self._counted[0][0]
        return sum(number for _, number in self._counted) / max(spent, 1.0)

    def accepted(self, route: Route, held: Claim) -> None:
        """Count one."""
        route.sent += 1
        now = time.monotonic()
        if self._counted and now - self._counted[-1][0] < 0.1:
            self._counted[-1] = (self._counted[-1][0], self._counted[-1][1] + 1)
        else:
            self._counted.append((now, 1))
            while now - self._counted[0][0] > 10:
                self._counted.popleft()
        if self.limits.limited and (route.id, held.provider) in self.limits.limited:
            self._taken[route.id, held.provider] += 1
        if route.setbacks:
            route.setbacks, route.trouble, route.rest_until = 0, "", None

    def connected(self, connection: Connection) -> None:
        self._open.add(connection)

    def disconnected(self, connection: Connection) -> None:
        self._open.discard(connection)

    def hold(self, route: Route, wait: Wait) -> None:
        """A bucket is empty: begin nothing that needs a token from it, so that no transaction stands open for long."""
        if (wait.until - self.clock()).total_seconds() <= LONGEST_WAIT:
            self.held[wait.key] = wait.until
        elif wait.key[1]:
            self.limits = Limits(self.limits.limited, {**self.limits.resting, wait.key: wait.until}, self.limits.stopped)
        else:
            route.rest_until, route.trouble = wait.until, mark("The limit for this mail server is reached for now.")

    def _is_held(self, route: Route, provider: str, now: datetime) -> bool:
        return any(key in self.held and self.held[key] > now for key in self.limits.keys_of(route.id, provider))

    def give_back(self, job: Job) -> None:
        """Nothing was said about this one: it is the next again."""
        self.queue.appendleft(job.held)

    async def ask_patience(self, route: Route, provider: str, why: str) -> None:
        """A provider wants to be left alone."""
        until = await self._in_thread(self.work.patience, route.id, provider, why, route.sent and self.rate() * 60)
        assert isinstance(until, datetime)
        self.limits = Limits(self.limits.limited, {**self.limits.resting, (route.id, provider): until}, self.limits.stopped)

    async def set_back(self, route: Route, why: str, *, stop: bool) -> None:
        """A server did not play along, and no other connection to it does."""
        route.trouble = why
        until = await self._in_thread(self.work.trouble, route, why, stop)
        route.setbacks += 1
        route.proven = False
        route.stopped = route.stopped or stop
        assert until is None or isinstance(until, datetime)
        route.rest_until = until

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self._in_thread(self._look)
                await self._in_thread(self._report)
            except SQLAlchemyError as error:
                # The gate decides how long a database may be away; leases are renewed as soon as it is back.
                log.warning("the courier could not look at the database: %s", error)
            self._start_lanes()

    def _look(self) -> None:
        found = self.work.look()
        if found is None:
            self.halted = "mailing"
        else:
            self.limits = found

    def _report(self) -> None:
        taken, self._taken = self._taken, Counter()
        self.work.report(self.rate(), taken)

    async def _watch_the_time(self) -> None:
        limit = min(self.timeouts.command, self.timeouts.data, self.timeouts.dot, 4.0)
        while True:
            await asyncio.sleep(limit / 4)
            for connection in list(self._open):
                connection.look_at_the_time()
