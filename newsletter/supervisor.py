"""``brieftaube run``: web, worker and mail catcher as three processes under one.

What crashes is started again. One Ctrl-C stops all. A pipe is the lifeline: when the supervisor is killed,
its end closes, and the children leave by themselves.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

LIFELINE = "BRIEFTAUBE_LIFELINE"
PATIENCE = 20.0


@dataclass
class _Child:
    """One process and how often it fell over lately."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    falls: int = field(default=0)
    wait_until: float = 0.0


class Supervisor:
    """Keeps some commands running.

    Args:
        commands: by name; the first one that ends with status 1 right after its start ends everything,
            because it has said why it cannot work.
        first: the name of the one that starts before all others, and a function that says when it is still not ready.
    """

    def __init__(self, commands: dict[str, list[str]], environment: dict[str, str], first: tuple[str, Callable[[], bool]]) -> None:
        self._first, self._not_ready = first
        self._ready = False
        self._children = [_Child(name, command) for name, command in commands.items()]
        self._environment = environment
        self._stopping = threading.Event()
        self._lifeline, self._our_end = os.pipe()

    def run(self) -> int:
        """Run until a signal or a child that cannot work; give back the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        status = 0
        try:
            while not self._stopping.is_set():
                status = self._look_after_all()
                if status:
                    break
                self._stopping.wait(0.05 if not self._ready else 0.2)
        finally:
            self._end_all()
        return status

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _look_after_all(self) -> int:
        for child in self._children:
            if child.name != self._first and not self._is_ready():
                continue
            if child.process is None:
                if time.monotonic() >= child.wait_until:
                    self._start(child)
                continue
            status = child.process.poll()
            if status is None:
                continue
            child.process = None
            if status == 1 and time.monotonic() - child.started < 10 and not child.falls:
                return 1
            self._restart_soon(child, status)
        return 0

    def _is_ready(self) -> bool:
        self._ready = self._ready or not self._not_ready()
        return self._ready

    def _start(self, child: _Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(  # noqa: S603 -- our own commands
            child.command,
            env=self._environment | {LIFELINE: str(self._lifeline)},
            pass_fds=(self._lifeline,),
            # A session of its own: Ctrl-C reaches only the supervisor, which ends the others in order.
            start_new_session=True,
        )

    def _restart_soon(self, child: _Child, status: int) -> None:
        child.falls = child.falls + 1 if time.monotonic() - child.started < 60 else 1
        pause = min(30.0, 0.2 * 2 ** (child.falls - 1))
        child.wait_until = time.monotonic() + pause
        print(f"{child.name} ended with status {status} and starts again in {pause:.1f} s", file=sys.stderr, flush=True)

    def _end_all(self) -> None:
        os.close(self._our_end)
        running = [child.process for child in self._children if child.process and child.process.poll() is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.close(self._lifeline)


def follow_lifeline(stop: Callable[[], None]) -> None:
    """In a child: call ``stop`` when the supervisor is gone, and be gone soon after in any case."""
    number = os.environ.get(LIFELINE)
    if not number:
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(int(number), 1):
                pass
        stop()
        time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()


def free_port(besides: int = 0) -> int:
    """A port of 127.0.0.1 that nobody uses, and not the one that is spoken for already."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = int(sock.getsockname()[1])
        if port != besides:
            return port


def port_problem(host: str, port: int) -> str:
    """Why one cannot listen there; empty when one can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            return f"Port {port} on {host} cannot be used: {error.strerror or error}."
    return ""
