"""One SMTP connection as asyncio sees it: bytes in, replies out, in the order in which they were asked for.

A stream reader with a time limit on every line costs more than the mail itself, so this is a bare protocol:
replies are parsed as they come, whoever waits is woken, and one watch for all connections looks at the time.
"""

import asyncio
from collections import deque
from typing import cast

from newsletter.i18n import mark
from newsletter.mail.replies import Reply, printable

# RFC 5321 §4.5.3.1.5 says 512; real servers say more, and a hostile one must not fill the memory.
LONGEST_REPLY = 256 * 1024
KEPT_TEXT = 4096


# Servers say the same few things all day.
_known: dict[bytes, Reply] = {}


class Lost(Exception):
    """The connection is gone or useless; the text says why."""


class Wire(asyncio.Protocol):
    """Bytes of one connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buffer = b""
        self._texts: list[bytes] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._full = False
        self._why = ""
        self.transport: asyncio.Transport | None = None
        self.lines: list[bytes] = []  # of the last reply, as they came

    @property
    def alive(self) -> bool:
        return not self._why

    @property
    def unasked(self) -> bool:
        """Whether the server said something that nobody waits for, such as 421 out of the blue."""
        return bool(self._replies)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.use(cast("asyncio.Transport", transport))

    def use(self, transport: asyncio.Transport) -> None:
        """From now on this is the way out; after STARTTLS it is another one."""
        self.transport = transport
        # With a limit of nothing, pause_writing() tells exactly whether the kernel has taken every byte.
        transport.set_write_buffer_limits(high=0)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        lines = data.split(b"\n")
        self._buffer = lines.pop()
        for line in lines:
            self._take(line.removesuffix(b"\r"))
        if len(self._buffer) > LONGEST_REPLY:
            self.drop(mark("The server answered something that is no reply."))
        if self._replies:
            self._wake()

    def _take(self, line: bytes) -> None:
        if not self._texts:
            known = _known.get(line)
            if known is not None:
                self._replies.append(known)
                return
        code, mark_of_more = line[:3], line[3:4]
        if not code.isdigit() or mark_of_more not in (b" ", b"-", b"") or not b"200" <= code <= b"599":
            self.drop(mark("The server answered something that is no reply."))
            return
        if sum(map(len, self._texts)) < KEPT_TEXT:
            self._texts.append(line[4 : 4 + KEPT_TEXT])
        if mark_of_more == b"-":
            if len(self._texts) > LONGEST_REPLY // 64:
                self.drop(mark("The server answered something that is no reply."))
            return
        self.lines, self._texts = self._texts, []
        text = self.lines[0] if len(self.lines) == 1 else b" ".join(self.lines)
        reply = Reply(int(code), printable(text))
        if len(self.lines) == 1 and len(line) < 80 and len(_known) < 1000:
            _known[line] = reply
        self._replies.append(reply)

    def eof_received(self) -> bool:
        self._gone(mark("The server closed the connection."))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone(mark("The server closed the connection."))

    def _gone(self, why: str) -> None:
        self._why = self._why or why
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def drop(self, why: str) -> None:
        """Close at once, without a word: the server must discard an open transaction (RFC 5321 §4.1.1.10)."""
        if self.transport is not None:
            self.transport.abort()
        self._gone(why)

    def write(self, data: bytes) -> None:
        """Send bytes; nothing happens when the connection is gone, the next wait says so."""
        if self.transport is not None and not self._why:
            self.transport.write(data)

    async def reply(self, seconds: float) -> Reply:
        """The next reply.

        Raises:
            Lost: the connection ended first, or nothing came in that time.
        """
        while not self._replies:
            await self._wait(seconds)
        return self._replies.popleft()

    async def drained(self, seconds: float) -> None:
        """Wait until the kernel has taken everything that was written.

        Raises:
            Lost: the connection ended first, or the server did not read in that time.
        """
        until = self._loop.time() + seconds
        while self._full and self.transport is not None:
            if not self.transport.get_write_buffer_size():
                self._full = False
            elif self.transport.get_extra_info("sslcontext") is None:
                await self._wait(seconds)
            else:
                # Through TLS nobody tells when the last byte is gone; one has to look.
                await asyncio.sleep(0.005)
                if self._loop.time() > until:
                    self.drop(mark("The server did not answer in time."))
            if self._why:
                break
        if self._why:
            raise Lost(self._why)

    async def _wait(self, seconds: float) -> None:
        if self._why:
            raise Lost(self._why)
        self._deadline = self._loop.time() + seconds
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def look_at_the_time(self) -> None:
        """Called now and then: give up a wait that took too long."""
        if self._waiter is not None and not self._waiter.done() and self._loop.time() > self._deadline:
            self.drop(mark("The server did not answer in time."))
