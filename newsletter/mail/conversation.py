"""One mail for a caller without a loop: a notice, a test mail, a check."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from newsletter.mail.addresses import Address
from newsletter.mail.connection import Connection, stuffed
from newsletter.mail.replies import Reply
from newsletter.mail.smtp import PATIENT, Server, Timeouts

T = TypeVar("T")


class Conversation:
    """One connection for a caller without a loop: a notice, a test mail, a check. Use as a context manager."""

    def __init__(self, to: Server, name: str, timeouts: Timeouts = PATIENT) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = Connection(to, name, timeouts)
        self._limit = min(timeouts.connect, timeouts.command, timeouts.data, timeouts.dot)

    def __enter__(self) -> "Conversation":
        try:
            self._run(self._connection.open())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._run(self._connection.close())
            # Transports close their sockets in the next turn of the loop.
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            self._loop.close()

    @property
    def alive(self) -> bool:
        return self._connection.alive

    def offer(self, sender: str, recipient: Address, raw: bytes) -> None:
        """Everything up to the last byte before the final dot.

        Raises:
            SmtpError: with the phase.
        """
        refusal = self._connection.refuses(recipient.wire, len(raw))
        if refusal:
            raise refusal
        self._connection.begin(sender, recipient.wire, len(raw))
        self._run(self._connection.go_ahead())
        self._run(self._connection.body(stuffed(raw)))

    def dot(self) -> Reply:
        """The final dot and its reply.

        Raises:
            SmtpError: with phase DOT; without a reply the outcome is unknown.
        """
        self._connection.dot()
        reply: Reply = self._run(self._connection.outcome())
        return reply

    def abandon(self) -> None:
        """Close without a dot."""
        self._connection.abandon()

    def _run(self, step: Coroutine[object, object, T]) -> T:
        async def watched() -> T:
            watch = asyncio.ensure_future(self._watch())
            try:
                return await step
            finally:
                watch.cancel()

        return self._loop.run_until_complete(watched())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._limit / 4))
            self._connection.look_at_the_time()
