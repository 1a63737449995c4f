"""A real SMTP server on loopback that does what a plan says, and remembers what it accepted.

A plan maps a phase to what happens there: a reply such as ``"550 5.1.1 no"``, ``"close"``, ``"silent"``
or ``"garbage"``. A list is used up one transaction after the other; what is not planned goes well.
"""

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

PHASES = ("greeting", "ehlo", "mail", "rcpt", "data", "body", "dot", "after")


@dataclass
class FaultyServer:
    """Use as a context manager; ``url`` is its SMTP_URL."""

    plan: dict[str, str | list[str]] = field(default_factory=dict)
    on_dot: Callable[[], None] | None = None
    accepted: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    connections: int = 0
    offers: tuple[str, ...] = ("SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")

    def __enter__(self) -> "FaultyServer":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stopped.set()
        self._socket.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def message_ids(self) -> list[str]:
        found = [re.search(rb"(?im)^message-id: (\S+)", raw) for raw in self.accepted]
        return [match.group(1).decode() for match in found if match]

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _step(self, phase: str) -> str:
        planned = self.plan.get(phase, "")
        if isinstance(planned, list):
            return planned.pop(0) if planned else ""
        return planned

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            try:
                self._converse(connection, stream)
            except (OSError, ValueError, _Closed):
                return

    def _say(self, connection: socket.socket, stream: object, phase: str, usual: str) -> str:
        step = self._step(phase) or usual
        if step == "close":
            connection.shutdown(socket.SHUT_RDWR)
            raise _Closed
        if step == "silent":
            self._stopped.wait(30)
            raise _Closed
        text = "\x00\xffwhat?" if step == "garbage" else step
        stream.write(text.encode("latin-1") + b"\r\n")
        stream.flush()
        if text.startswith("421"):
            connection.shutdown(socket.SHUT_RDWR)
            raise _Closed
        return step

    def _converse(self, connection: socket.socket, stream: object) -> None:
        self._say(connection, stream, "greeting", "220 faults ready")
        while line := stream.readline():
            word = line.decode("utf-8", "replace").strip()
            verb = word[:4].upper()
            if verb == "EHLO":
                lines = ["faults", *self.offers]
                usual = "\r\n".join(f"250{'-' if index < len(lines) - 1 else ' '}{text}" for index, text in enumerate(lines))
                self._say(connection, stream, "ehlo", usual)
            elif verb == "MAIL":
                self.senders.append(word)
                self._say(connection, stream, "mail", "250 2.1.0 ok")
            elif verb == "RCPT":
                recipient = word.partition("<")[2].rpartition(">")[0]
                self._say(connection, stream, "rcpt", "250 2.1.5 ok")
            elif verb == "DATA":
                if self._say(connection, stream, "data", "354 go on").startswith("354"):
                    self._take(connection, stream, recipient)
            elif verb == "QUIT":
                stream.write(b"221 bye\r\n")
                stream.flush()
                return
            else:
                stream.write(b"250 ok\r\n")
                stream.flush()

    def _take(self, connection: socket.socket, stream: object, recipient: str) -> None:
        body = b""
        if self._step("body") == "close":
            stream.readline()
            connection.shutdown(socket.SHUT_RDWR)
            raise _Closed
        while True:
            line = stream.readline()
            if not line:
                raise _Closed
            if line == b".\r\n":
                break
            body += line.removeprefix(b".") if line.startswith(b"..") else line
        if self.on_dot:
            self.on_dot()
        step = self._say(connection, stream, "dot", "250 2.0.0 taken")
        if step.startswith("250"):
            self.accepted.append(body)
            self.recipients.append(recipient)
        if self._step("after") == "close":
            raise _Closed


class _Closed(Exception):
    """The plan closed the connection."""
