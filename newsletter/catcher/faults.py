"""An SMTP server that goes wrong where a plan says so, and writes down what it took: the witness of tests and soaks.

A mail counts as taken when its line is in the journal and on disk (fsync), and only then the server says 250. So the
journal is the truth about what a receiver has, whatever happens to either side.

A plan maps a phase to what happens there: a reply such as ``550 5.1.1 no``, or ``close``, ``reset``, ``silent``,
``garbage``, ``long`` (a reply line of 100 KB), ``lines`` (a reply of many lines), ``latin`` (text that is not UTF-8) or ``wait 2`` (two seconds,
then the usual answer). What is not planned goes well.
"""

import io
import json
import os
import random
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from newsletter.errors import SettingsError

PHASES = ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "after")


@dataclass(frozen=True)
class Rule:
    """What happens, and how often: each time, every so many times, or by chance."""

    action: str
    every: int = 1
    chance: float = 1.0


Plan = dict[str, "str | list[str] | Rule"]


def read_plan(text: str) -> Plan:
    """A plan from one line: ``rcpt=450 4.2.1 later@every:50; dot=close@chance:0.01``.

    Raises:
        SettingsError: a phase or a number cannot be understood.
    """
    plan: Plan = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        found = re.fullmatch(r"(\w+)=(.+?)(?:@(every|chance):([\d.]+))?", part)
        if not found or found.group(1) not in PHASES:
            raise SettingsError(f"“{part}” is no fault: PHASE=ACTION, with @every:N or @chance:P after it. Phases are {', '.join(PHASES)}.")
        phase, action, kind, number = found.groups()
        plan[phase] = Rule(action, int(float(number)) if kind == "every" else 1, float(number) if kind == "chance" else 1.0)
    return plan


@dataclass
class FaultyServer:
    """Use as a context manager; ``url`` is its SMTP_URL.

    Args:
        on_dot: called when a whole mail is there, before the answer.
        on_phase: called with the phase that begins, before its answer.
        journal: a file that every mail that is taken gets a line in.
        deaf: throws away what was sent ahead of an answer, though it offers PIPELINING.
        certificate: PEM file with certificate and key, for TLS.
        login: user and password that AUTH takes.
    """

    plan: Plan = field(default_factory=dict)
    on_dot: Callable[[], None] | None = None
    on_phase: Callable[[str], None] | None = None
    accepted: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    offers: tuple[str, ...] = ("SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")
    journal: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    deaf: bool = False
    certificate: Path | None = None
    implicit_tls: bool = False
    login: tuple[str, str] | None = None
    keep: bool = True
    seed: int = 1

    def __enter__(self) -> Self:
        self._socket = socket.create_server((self.host, self.port), backlog=500)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._seen = dict.fromkeys(PHASES, 0)
        self._random = random.Random(self.seed)  # noqa: S311 -- planned chance, so that a run can be repeated
        self._file = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if self.journal else -1
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if self.certificate else None
        if self._tls and self.certificate:
            self._tls.load_cert_chain(self.certificate)
        threading.Thread(target=self._accept, daemon=True, name="faults").start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stopped.set()
        self._socket.close()
        if self._file >= 0:
            os.close(self._file)

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
            threading.Thread(target=_Session(self, connection).serve, daemon=True).start()

    def step(self, phase: str) -> str:
        """What the plan says for this phase now; empty when it goes well."""
        if self.on_phase:
            self.on_phase(phase)
        with self._lock:
            planned = self.plan.get(phase, "")
            self._seen[phase] += 1
            if isinstance(planned, list):
                return planned.pop(0) if planned else ""
            if isinstance(planned, Rule):
                hit = self._seen[phase] % planned.every == 0 and self._random.random() < planned.chance
                return planned.action if hit else ""
            return planned

    def take(self, sender: str, recipient: str, body: bytes) -> None:
        """A mail is taken: on disk before anybody hears of it."""
        with self._lock:
            if self._file >= 0:
                found = re.search(rb"(?im)^message-id: (\S+)", body)
                line = {"at": time.time(), "message_id": found.group(1).decode() if found else "", "sender": sender, "recipient": recipient, "size": len(body)}
                os.write(self._file, (json.dumps(line) + "\n").encode())
                os.fsync(self._file)
            self.moments.append(time.monotonic())
            self.recipients.append(recipient)
            if self.keep:
                self.accepted.append(body)

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._stopped.wait(seconds)

    def secure(self, connection: socket.socket) -> socket.socket:
        """The connection, encrypted."""
        if self._tls is None:
            raise _Closed
        return self._tls.wrap_socket(connection, server_side=True)


class _Closed(Exception):
    """The plan closed the connection."""


class _Session:
    """One connection."""

    def __init__(self, server: FaultyServer, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._stream: io.BufferedReader | None = None
        self._sender = self._recipient = ""

    def serve(self) -> None:
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._server.implicit_tls:
                self._socket = self._server.secure(self._socket)
            self._stream = self._socket.makefile("rb")
            self._answer("greeting", "220 faults ready")
            while line := self._reader.readline():
                self._obey(line)
        except (OSError, ValueError, _Closed):
            pass  # either side has hung up
        finally:
            if self._stream is not None:
                self._stream.close()
            self._socket.close()

    def _obey(self, line: bytes) -> None:
        word = line.decode("utf-8", "replace").strip()
        self._server.commands.append(word)
        verb = word[:4].upper()
        if self._server.deaf and verb == "MAIL":
            # What came along is gone, as with a server that reads one command at a time and clears its input.
            self._server.wait(0.05)
            self._reader.close()
            self._stream = self._socket.makefile("rb")
        if verb == "EHLO":
            lines = ["faults", *self._server.offers]
            self._answer("ehlo", "\r\n".join(f"250{'-' if index < len(lines) - 1 else ' '}{text}" for index, text in enumerate(lines)))
        elif verb == "STAR":
            if self._answer("starttls", "220 go ahead").startswith("220"):
                self._socket = self._server.secure(self._socket)
                self._stream = self._socket.makefile("rb")
        elif verb == "AUTH":
            self._authenticate(word)
        elif verb == "MAIL":
            self._sender = word
            self._server.senders.append(word)
            self._answer("mail", "250 2.1.0 ok")
        elif verb == "RCPT":
            answer = self._answer("rcpt", "250 2.1.5 ok")
            self._recipient = word.partition("<")[2].rpartition(">")[0] if answer.startswith("25") else ""
        elif verb == "DATA":
            usual = "354 go on" if self._recipient else "503 5.5.1 no recipient"
            if self._answer("data", usual).startswith("354"):
                self._take()
        else:
            self._socket.sendall(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")
            if verb == "QUIT":
                raise _Closed

    @property
    def _reader(self) -> io.BufferedReader:
        assert self._stream is not None
        return self._stream

    def _authenticate(self, word: str) -> None:
        import base64

        usual = "535 5.7.8 wrong"
        if word.upper().startswith("AUTH PLAIN ") and self._server.login:
            given = base64.b64decode(word.split(" ")[2]).decode().split("\0")[1:]
            usual = "235 2.7.0 ok" if tuple(given) == self._server.login else usual
        elif word.upper() == "AUTH LOGIN" and self._server.login:
            answers = []
            for question in (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"):
                self._socket.sendall(question)
                answers.append(base64.b64decode(self._reader.readline()).decode())
            usual = "235 2.7.0 ok" if tuple(answers) == self._server.login else usual
        self._answer("auth", usual)

    def _answer(self, phase: str, usual: str) -> str:
        """Say what the plan wants, or the usual."""
        return self._tell(self._server.step(phase), usual)

    def _tell(self, step: str, usual: str) -> str:
        step = step or usual
        if step == "close":
            self._socket.shutdown(socket.SHUT_RDWR)
            raise _Closed
        if step == "reset":
            self._reset()
        if step == "silent":
            self._server.wait(30)
            raise _Closed
        if step.startswith("wait "):
            self._server.wait(float(step.split()[1]))
            step = usual
        self._socket.sendall(_BYTES[step](usual) if step in _BYTES else step.encode("utf-8") + b"\r\n")
        if step.startswith("421"):
            self._socket.shutdown(socket.SHUT_RDWR)
            raise _Closed
        return usual if step in ("lines", "latin", "long") else step

    def _reset(self) -> None:
        # With no time to linger, close() sends RST in place of FIN.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        raise _Closed

    def _take(self) -> None:
        body = []
        if self._server.step("body") == "close":
            self._reader.readline()
            self._socket.shutdown(socket.SHUT_RDWR)
            raise _Closed
        while (line := self._reader.readline()) != b".\r\n":
            if not line:
                raise _Closed
            body.append(line[1:] if line.startswith(b"..") else line)
        if self._server.on_dot:
            self._server.on_dot()
        step = self._server.step("dot")
        sender, recipient, self._recipient = self._sender, self._recipient, ""
        if not step or step.startswith(("250", "wait ", "lines", "latin", "long", "taken ")):
            self._server.take(sender, recipient, b"".join(body))
        # „taken close“: the mail is on disk, and the answer never comes (RFC 1047).
        self._tell(step.removeprefix("taken "), "250 2.0.0 taken")
        after = self._server.step("after")
        if after == "reset":
            self._reset()
        if after == "close":
            raise _Closed


_BYTES: dict[str, Callable[[str], bytes]] = {
    "garbage": lambda _: b"\x00\xffwhat?\r\n",
    "long": lambda usual: usual[:4].encode() + b"x" * 100_000 + b"\r\n",
    "lines": lambda usual: b"".join(usual[:3].encode() + b"-line %d\r\n" % number for number in range(50)) + usual.encode() + b"\r\n",
    "latin": lambda usual: usual[:4].encode() + "Größe".encode("latin-1") + b"\r\n",
}
