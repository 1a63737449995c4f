"""Sign-ups: how many a second are taken, and how long one waits, by whole processes over real sockets."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newsletter import process as processes
from newsletter import schema
from newsletter.bench.importing import PUBLICATION
from newsletter.forms.actions import add_form
from newsletter.publications.actions import add_publication
from newsletter.publications.models import Publication
from newsletter.settings import load

SLUG = "mess"
CONNECTIONS = 64


def run(seconds: float, postgres: str = "", workers: int = 2) -> dict[str, Any]:
    """Take sign-ups for some seconds as quickly as it goes, then at half that rate.

    Args:
        postgres: the address of an empty database; then gunicorn serves, as in a larger installation, otherwise ``brieftaube web``.
    """
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), postgres, workers) as port:
        asyncio.run(_flood(port, 2.0, None))
        full = asyncio.run(_flood(port, seconds, None))
        rate = len(full) / seconds
        half = asyncio.run(_flood(port, seconds, rate / 2))
    cuts = statistics.quantiles(half, n=20)
    return {
        "database": "postgres" if postgres else "sqlite", "server": "gunicorn" if postgres else "waitress", "per_second": round(rate),
        "p50_ms_at_half": round(cuts[9] * 1000, 1), "p95_ms_at_half": round(cuts[18] * 1000, 1), "seconds": seconds,
    }  # fmt: skip


@contextlib.contextmanager
def server(folder: Path, postgres: str, workers: int) -> Iterator[int]:
    """A whole server with a publication and its form, on a port of its own; ends it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = {
        "BRIEFTAUBE_DATA_DIR": str(folder), "BRIEFTAUBE_CONFIG": "/nowhere", "BRIEFTAUBE_PORT": str(port), "BRIEFTAUBE_TRUSTED_PROXIES": "1",
        "BRIEFTAUBE_SIGN_UPS_CALM": "10000000", "BRIEFTAUBE_SIGN_UPS_PER_HOUR": "100000000",
    }  # fmt: skip
    if postgres:
        settings["BRIEFTAUBE_DATABASE_URL"] = postgres
    _found(folder, postgres)
    command = [sys.executable, "-m", "newsletter", "web"]
    if postgres:
        gunicorn = shutil.which("gunicorn") or str(Path(sys.executable).parent / "gunicorn")
        command = [gunicorn, "app:app", "-b", f"127.0.0.1:{port}", "-w", str(workers), "--threads", "32", "--log-level", "warning"]
    running = subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2])  # noqa: S603 -- our own
    try:
        _wait(port)
        yield port
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(20)


def _found(folder: Path, postgres: str) -> None:
    more = {"database_url": postgres} if postgres else {}
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=folder, **more))
    schema.upgrade(process.engine)
    with process.writing() as session:
        if postgres:
            session.connection().exec_driver_sql("TRUNCATE publications, subscribers, throttles CASCADE")
        publication = session.get_one(Publication, add_publication(session, values=PUBLICATION, slug=SLUG, now=process.clock()))
        add_form(session, publication=publication, name="Form", headline="Ein Brief", lead="", now=process.clock())
    process.engine.dispose()


def _wait(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            if b"200" in connection.recv(200):
                return
        time.sleep(0.1)
    raise RuntimeError("The server did not start.")


async def _flood(port: int, seconds: float, rate: float | None) -> list[float]:
    """Seconds that each sign-up took; every one is another person from another network."""
    until = time.perf_counter() + seconds
    spent: list[float] = []
    numbers = iter(range(time.time_ns() // 1000 % 10**12, 10**15))
    await asyncio.gather(*(_caller(port, until, numbers, spent, CONNECTIONS / rate if rate else 0.0, index) for index in range(CONNECTIONS)))
    return spent


async def _caller(port: int, until: float, numbers: Iterator[int], spent: list[float], pause: float, index: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = time.perf_counter() + pause * index / CONNECTIONS
    while time.perf_counter() < until:
        if pause:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        began = due if pause else time.perf_counter()
        due += pause
        number = next(numbers)
        body = f"email=leser{number}%40post{number % 40}.example&name=".encode()
        network = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
        head = f"POST /p/{SLUG}/subscribe HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {number % 199 + 11}{network[2:]}\r\n"
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await _answer(reader)
        spent.append(time.perf_counter() - began)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(head.split(b"\r\n", 1)[0].decode())
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
