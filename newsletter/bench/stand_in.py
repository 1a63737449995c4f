"""Small programs for machines without Postfix: a sink, a source, and a wire that takes its time.

python -m newsletter.bench.stand_in sink PORT | source PORT SIZE NUMBER | far PORT TO SECONDS
"""

import asyncio
import sys
from collections import deque


class Sink(asyncio.Protocol):
    """Answers and forgets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = transport
        self._buffer, self._in_body = b"", False
        self._answer(b"220 sink ESMTP\r\n")

    def _answer(self, words: bytes) -> None:
        assert isinstance(self._out, asyncio.Transport)
        self._out.write(words)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = b"\r\n.\r\n" if self._in_body else b"\r\n"
            head, found, rest = self._buffer.partition(end)
            if not found:
                # Of a body only its last bytes can matter.
                self._buffer = self._buffer[-4:] if self._in_body else self._buffer
                return
            self._buffer = rest
            if self._in_body:
                self._in_body = False
                self._answer(b"250 2.0.0 Ok\r\n")
                continue
            verb = head[:4].upper()
            if verb == b"EHLO":
                self._answer(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"DATA":
                self._in_body = True
                self._buffer = b"\r\n" + self._buffer
                self._answer(b"354 End data with <CR><LF>.<CR><LF>\r\n")
            else:
                self._answer(b"221 Bye\r\n" if verb == b"QUIT" else b"250 2.1.0 Ok\r\n")


async def _sink(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


async def _source(port: int, size: int, number: int) -> None:
    body = (b"x" * 78 + b"\r\n") * (size // 80 + 1) + b".\r\n"
    left = [number]

    async def session() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        for words in (b"EHLO source\r\n",):
            writer.write(words)
            while (await reader.readline())[3:4] == b"-":
                pass
        while left[0] > 0:
            left[0] -= 1
            for words in (b"MAIL FROM:<a@example.com>\r\n", b"RCPT TO:<b@example.com>\r\n", b"DATA\r\n", body):
                writer.write(words)
                await reader.readline()
        writer.close()

    await asyncio.gather(*(session() for _ in range(8)))


class Far(asyncio.Protocol):
    """One side of a wire: what comes in goes out on the other side a while later, in order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._held: deque[tuple[float, bytes]] = deque()
        self.other: Far | None = None
        self.out: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.out = transport

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._pass_on, data)

    def eof_received(self) -> bool:
        asyncio.get_running_loop().call_later(self._seconds, self._pass_on, b"")
        return True

    def _pass_on(self, data: bytes) -> None:
        if self.other and self.other.out:
            self.other.out.write(data) if data else self.other.out.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof_received()


async def _far(port: int, to: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()

    class Near(Far):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._waiting: list[bytes] = []
            self._task = loop.create_task(self._join())

        async def _join(self) -> None:
            _, other = await loop.create_connection(lambda: Far(seconds / 2), "127.0.0.1", to)
            self.other, other.other = other, self

    server = await loop.create_server(lambda: Near(seconds / 2), "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    """From the command line."""
    kind, *numbers = sys.argv[1:]
    if kind == "sink":
        asyncio.run(_sink(int(numbers[0])))
    elif kind == "source":
        asyncio.run(_source(*map(int, numbers)))
    else:
        asyncio.run(_far(int(numbers[0]), int(numbers[1]), float(numbers[2])))


if __name__ == "__main__":
    main()
