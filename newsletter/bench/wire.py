"""The limit: how fast mail can go at all on this machine, and a wire as long as one likes.

Postfix brings ``smtp-source`` and ``smtp-sink``; where they are not installed, two small Python programs that do the same
stand in for them, and are named in every result.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

SOURCE, SINK = ("smtp-source", "smtp-sink")
PATHS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def found(program: str) -> str | None:
    """Where a program of Postfix is."""
    return shutil.which(program, path=PATHS)


def limit_name() -> str:
    """What the limit is measured with."""
    return "smtp-source -d -s 8 to smtp-sink" if found(SOURCE) and found(SINK) else "a Python source with 8 sessions to a Python sink"


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """A server that takes everything and keeps nothing; gives its port."""
    port = _free_port()
    program = found(SINK) if found(SOURCE) else None
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [program, *user, f"127.0.0.1:{port}", "1000"] if program else [sys.executable, "-m", "newsletter.bench.stand_in", "sink", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own command
    try:
        _wait_for(port)
        yield port
    finally:
        running.terminate()
        running.wait()


def source(port: int, size: int, number: int) -> float:
    """Send so many mails of that size with eight sessions; gives back mails a second."""
    program = found(SOURCE) if found(SINK) else None
    if program:
        command = [program, "-d", "-s", "8", "-l", str(size), "-m", str(number), "-f", "a@example.com", "-t", "b@example.com", f"127.0.0.1:{port}"]
    else:
        command = [sys.executable, "-m", "newsletter.bench.stand_in", "source", str(port), str(size), str(number)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own command
    return number / (time.perf_counter() - began)


@contextlib.contextmanager
def far(port: int, round_trip: float) -> Iterator[int]:
    """A wire that takes its time, in front of a port: a process of its own. Gives the port to use instead.

    Args:
        round_trip: seconds.
    """
    if not round_trip:
        yield port
        return
    near = _free_port()
    command = [sys.executable, "-m", "newsletter.bench.stand_in", "far", str(near), str(port), str(round_trip)]
    running = subprocess.Popen(command)  # noqa: S603 -- our own command
    try:
        _wait_for(near)
        yield near
    finally:
        running.terminate()
        running.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
