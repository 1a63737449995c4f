"""The gate before the final dot: one commit for everybody who waits there.

Each connection comes here when a whole body but for its dot is at the server. One transaction writes down how the last
wave ended, checks permission once more and sets ``handing_over`` for this one; then the dots go out. While a commit is
under way the next wave gathers, so a commit costs a wave and not a message, and nobody waits for a timer.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from sqlalchemy.exc import SQLAlchemyError

from newsletter.deliveries.ledger import Result, Wish
from newsletter.transports.throttles import Wait

log = logging.getLogger(__name__)

# What the gate says: True to go, False not to, or when to ask again (I9).
Answer = bool | Wait
Commit = Callable[[Sequence[Result], Sequence[Wish]], list[Answer]]

PAUSE_AFTER_TROUBLE = 0.5


class Gate:
    """Group commit.

    Args:
        commit: the transaction; its answers are in the order of the wishes.
        thread: where it runs, so that the loop goes on reading meanwhile.
        patient: how long results are kept for a database that is away, in seconds.
    """

    def __init__(self, commit: Commit, thread: Executor, patient: float = 300) -> None:
        self._commit = commit
        self._thread = thread
        self._patient = patient
        self._results: list[Result] = []
        self._wishes: list[Wish] = []
        self._askers: list[asyncio.Future[Answer]] = []
        self._bell = asyncio.Event()
        self._closing = False

    def settle(self, result: Result) -> None:
        """How a transaction ended; it is written with the next wave."""
        self._results.append(result)
        self._bell.set()

    async def ask(self, wish: Wish) -> Answer:
        """Wait for permission to send the dot. Only after True it may go out."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._wishes.append(wish)
        self._askers.append(future)
        self._bell.set()
        return await future

    def close(self) -> None:
        """No more wishes come; :meth:`run` ends when everything is written."""
        self._closing = True
        self._bell.set()

    async def run(self) -> None:
        """Commit wave after wave.

        Raises:
            SQLAlchemyError: the database stayed away; what was not written is uncertain when its lease is over.
        """
        loop = asyncio.get_running_loop()
        away_since: float | None = None
        while True:
            await self._bell.wait()
            self._bell.clear()
            results, self._results = self._results, []
            wishes, self._wishes = self._wishes, []
            askers, self._askers = self._askers, []
            if results or wishes:
                try:
                    answers = await loop.run_in_executor(self._thread, self._commit, results, wishes)
                    away_since = None
                except SQLAlchemyError as error:
                    # Whether this commit took place is unknown (N6). No dot goes out, and what had ended stays in
                    # our hands: writing it twice is the same as writing it once.
                    log.warning("a wave could not be committed: %s", error)
                    answers = [False] * len(wishes)
                    self._results = results + self._results
                    away_since = away_since if away_since is not None else loop.time()
                    if loop.time() - away_since > self._patient:
                        self._answer(askers, answers)
                        raise
                    loop.call_later(PAUSE_AFTER_TROUBLE, self._bell.set)
                self._answer(askers, answers)
            if self._closing and not (self._results or self._wishes):
                return

    def _answer(self, askers: list[asyncio.Future[Answer]], answers: Sequence[Answer]) -> None:
        for future, answer in zip(askers, answers, strict=True):
            with contextlib.suppress(asyncio.InvalidStateError):
                future.set_result(answer)
