"""The radar with a million readers and five million visits behind it, and how quickly a link leads on."""

import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from newsletter import process as processes
from newsletter.bench import people, signing_up
from newsletter.channels.actions import add_usual
from newsletter.channels.catalogue import USUAL
from newsletter.channels.models import Figure, Link, Visit
from newsletter.growth.models import Tally
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.radar.queries import measure
from newsletter.settings import load

PAGES = ("/admin/{slug}/reach", "/admin/{slug}/reach/report", "/admin/{slug}/channels", "/admin/{slug}/reach/drills", "/admin/{slug}/reach/announcements")
DAYS = 730
AGENT = b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\nAccept-Language: de\r\n"


def run(number: int, visits: int, postgres: str = "") -> dict[str, Any]:
    """Milliseconds for every figure of the radar, and for its pages: the 95th of a hundred."""
    with people.with_people(number, postgres) as process:
        slug = people.furnish(process)
        rows = _furnish(process, visits)
        people.analyse(process)
        client, _, _ = people.client_of(process)
        found = {path.format(slug="…"): people.p95(lambda path=path: people.open_page(client, path.format(slug=slug))) for path in PAGES}  # type: ignore[misc]
        figures = people.p95(lambda: _measure(process))
    return {"database": "postgres" if postgres else "sqlite", "people": number} | rows | {"figures_ms": figures, "pages_ms": found}


def _measure(process: Process) -> None:
    with process.reading() as session:
        measure(session, session.get_one(Publication, 1), process.clock())


def _furnish(process: Process, visits: int) -> dict[str, int]:
    """Every channel of the catalogue with three links, two years of figures, tallies and visits."""
    now = process.clock()
    today = now.astimezone(UTC).date()
    chance = random.Random(1)  # noqa: S311 -- a benchmark needs no secrets
    with process.writing() as session:
        ids = [add_usual(session, publication_id=1, kind=kind, language="de", name=f"{kind} 2", now=now) for kind in USUAL]
        links = list(session.scalars(select(Link.id)))
        session.add_all(
            [Figure(channel_id=one, day=today - timedelta(days=30 * back), number=chance.randrange(100, 900_000)) for one in ids for back in range(24)]
        )
        kinds = ("joined", "left", "asked", "short", "answered", "heard")
        days = [today - timedelta(days=back) for back in range(DAYS)]
        # Channels added just now have no tallies yet; the days of the import are those of channel 0.
        session.add_all(
            [Tally(publication_id=1, kind=kind, day=day, channel_id=one, number=chance.randrange(1, 60)) for one in ids for kind in kinds for day in days]
        )
        each = max(1, visits // (len(links) * DAYS * 2))
        session.add_all([Visit(link_id=link, day=day, kind=kind, number=each) for link in links for day in days for kind in ("person", "machine")])
        session.flush()
        total = int(session.scalar(select(func.sum(Visit.number))) or 0)
        return {"visits": total, "rows_of_visits": len(links) * DAYS * 2, "rows_of_tallies": len(ids) * len(kinds) * DAYS}


def link(seconds: float, rate: float) -> dict[str, Any]:
    """Follow a link so many times a second, by a whole ``brieftaube web`` over real sockets; then look whether all were counted."""
    with tempfile.TemporaryDirectory() as folder:
        with signing_up.server(Path(folder), "", 1) as port:
            process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=Path(folder)))
            with process.writing() as session:
                publication = session.scalars(select(Publication)).one()
                add_usual(session, publication_id=publication.id, kind="instagram", language="de", now=process.clock())
                code = session.scalars(select(Link.code)).one()
            asyncio.run(_flood(port, code, 2.0, rate))
            time.sleep(1.5)
            before = _counted(process)
            spent = asyncio.run(_flood(port, code, seconds, rate))
            time.sleep(1.5)
            counted = _counted(process) - before
        process.engine.dispose()
    cuts = statistics.quantiles(spent, n=100)
    return {
        "a_second": round(len(spent) / seconds), "p50_ms": round(cuts[49] * 1000, 2), "p95_ms": round(cuts[94] * 1000, 2), "p99_ms": round(cuts[98] * 1000, 2),
        "asked": len(spent), "counted": counted,
    }  # fmt: skip


def _counted(process: Process) -> int:
    with process.reading() as session:
        return int(session.scalar(select(func.sum(Visit.number))) or 0)


async def _flood(port: int, code: str, seconds: float, rate: float) -> list[float]:
    spent: list[float] = []
    until = time.perf_counter() + seconds
    connections = 16
    await asyncio.gather(*(_caller(port, code, until, spent, connections / rate, index / connections) for index in range(connections)))
    return spent


async def _caller(port: int, code: str, until: float, spent: list[float], pause: float, offset: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = time.perf_counter() + pause * offset
    request = b"GET /l/" + code.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + AGENT + b"\r\n"
    while due < until:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 302 " in head.split(b"\r\n", 1)[0], head
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
        # Counted from when it was due, so that a pile-up shows.
        spent.append(time.perf_counter() - due)
        due += pause
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
