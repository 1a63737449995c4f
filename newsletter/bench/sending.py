"""How fast a mailing leaves: rows in the database, a real issue, the real ledger, the gate; beside the limit."""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from newsletter import process as processes
from newsletter import schema
from newsletter.bench import wire
from newsletter.deliveries import actions, queries, sending
from newsletter.deliveries.models import Mailing
from newsletter.forms.actions import wording
from newsletter.issues.actions import add_issue
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.process import Process
from newsletter.publications import keys
from newsletter.publications.actions import add_publication
from newsletter.publications.models import Publication, SigningKey
from newsletter.settings import Settings, load
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Subscriber, Subscription

PUBLICATION = {
    "name": "Messbrief", "from_name": "Mira Lindner", "from_address": "mira@saatgarten.example", "language": "de", "timezone": "Europe/Berlin",
    "imprint_person": "Mira Lindner", "imprint_street": "Am Anger 4", "imprint_place": "02625 Bautzen", "imprint_email": "mira@saatgarten.example",
}  # fmt: skip
PARAGRAPH = (
    "Im Garten hinter der alten Mühle wächst eine Bohne, die niemand mehr kennt. Sie ist klein und gefleckt, und wer sie kocht, "
    "riecht für einen Augenblick den Sommer. Wir haben sie gezählt, getrocknet und in Tüten gefüllt; eine davon ist für dich.\n\n"
)


@dataclass(frozen=True)
class Case:
    """One line of the table. ``size`` in KB, ``round_trip`` in milliseconds, ``signed`` none, ed25519 or rsa."""

    size: int
    signed: str = "none"
    database: str = "sqlite"
    round_trip: int = 0
    processes: int = 1
    connections: int = 16

    @property
    def name(self) -> str:
        parts = [f"{self.size} KB", "no DKIM" if self.signed == "none" else self.signed, self.database, f"{self.round_trip} ms"]
        return ", ".join([*parts, f"{self.processes} processes"] if self.processes > 1 else parts)


@dataclass(frozen=True)
class Outcome:
    """``ratio`` is the median of the rounds; ``ours`` and ``limit`` are mails a second, round by round."""

    case: Case
    ratio: float
    ours: list[float]
    limit: list[float]
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        rates = {"ours": [round(rate) for rate in self.ours], "limit": [round(rate) for rate in self.limit]}
        return {"case": self.case.name, "ratio": round(self.ratio, 3), "rounds": len(self.ours), "bytes": self.bytes, **rates}


def run(case: Case, *, rounds: int, number: int, postgres: str = "") -> Outcome:
    """Measure one case.

    Args:
        number: recipients in each round.
        postgres: the address of an empty database, for cases on PostgreSQL.
    """
    ours, limits = [], []
    with tempfile.TemporaryDirectory() as folder, wire.sink() as near, wire.far(near, case.round_trip / 1000) as port:
        process = _process(Path(folder), port, case, postgres)
        publication_id = prepare(process, number, case.signed)
        size = _size(process, publication_id, case.size)
        for _ in range(rounds):
            limits.append(wire.source(port, size[1], number if not case.round_trip else max(100, min(number, 20_000 // case.round_trip))))
            ours.append(_ours(process, publication_id, size[0], case))
        process.engine.dispose()
    ratio = statistics.median(our / limit for our, limit in zip(ours, limits, strict=True))
    return Outcome(case, ratio, ours, limits, size[1])


def _process(folder: Path, port: int, case: Case, postgres: str) -> Process:
    more = {"database_url": postgres} if case.database == "postgres" else {}
    settings = load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=folder, smtp_url=f"smtp://127.0.0.1:{port}", undo_seconds=0, **more)
    settings = replace(settings, smtp_connections=case.connections)
    process = processes.new_process(settings)
    schema.upgrade(process.engine)
    return process


def prepare(process: Process, number: int, signed: str = "none") -> int:
    """A publication with so many subscribers, written the short way; gives back its id."""
    now = process.clock()
    with process.writing() as session:
        publication = session.get_one(Publication, add_publication(session, values=PUBLICATION, slug=f"mess{now:%H%M%S%f}", now=now))
        first = session.scalar(text("SELECT coalesce(max(id), 0) FROM subscribers")) or 0
        people = ({"id": first + n, "email": f"leser{first + n}@example{n % 50}.org", "canonical": f"leser{first + n}@example{n % 50}.org",
                   "name": f"Leser {n % 500}", "created_at": now} for n in range(1, number + 1))  # fmt: skip
        _in_pieces(session, Subscriber, people)
        consent_id = _consent(session, publication.id, first + 1)
        subscriptions = ({"subscriber_id": first + n, "publication_id": publication.id, "state": "active", "consent_id": consent_id,
                          "asked_at": now, "confirmed_at": now} for n in range(2, number + 1))  # fmt: skip
        _in_pieces(session, Subscription, subscriptions)
        if signed != "none":
            keys.add_keys(session, process.tokens, domain="saatgarten.example", now=now)
            keys.use_keys(session, domain="saatgarten.example", now=now)
            session.execute(delete(SigningKey).where(SigningKey.algorithm != signed))
        return publication.id


def _consent(session: Session, publication_id: int, subscriber_id: int) -> int:
    now = session.get_one(Subscriber, subscriber_id).created_at
    row = Subscription(subscriber_id=subscriber_id, publication_id=publication_id, asked_at=now)
    session.add(row)
    session.flush()
    row.consent_id = record(session, row, kind="confirmed", email="x", how="bench", wording_id=wording(session, "x"), language="de", at=now)
    row.state, row.confirmed_at = "active", now
    session.flush()
    return row.consent_id


def _in_pieces(session: Session, model: type, rows: Iterator[dict[str, Any]]) -> None:
    from itertools import islice

    while piece := list(islice(rows, 10_000)):
        session.execute(insert(model), piece)


def _size(process: Process, publication_id: int, kilobytes: int) -> tuple[str, int]:
    """A letter whose mail has about that size, and the size in bytes."""
    markdown = "{{ anrede }},\n\n" + PARAGRAPH
    for _ in range(12):
        with process.reading() as session:
            from newsletter.deliveries.sample import sample
            from newsletter.issues.composition import compose

            links = Links("http://localhost")
            publication = session.get_one(Publication, publication_id)
            issue = Issue(publication_id=publication_id, subject="Messung", preheader="", markdown=markdown, slug="x", tags=[])
            raw = sample(publication, compose(session, publication, issue, links, process.clock()), links, process.clock())
        if len(raw) >= kilobytes * 1024 * 0.97:
            break
        markdown += PARAGRAPH * max(1, (kilobytes * 1024 - len(raw)) // 900)
    return markdown, len(raw)


def _ours(process: Process, publication_id: int, markdown: str, case: Case) -> float:
    mailing_id = start(process, publication_id, markdown)
    if case.processes == 1:
        began = time.perf_counter()
        sending.send(process, mailing_id)
        spent = time.perf_counter() - began
    else:
        spent = _side_by_side(process.settings, mailing_id, case.processes)
    with process.reading() as session:
        counts = queries.counts(session, mailing_id)
        if counts["accepted"] != session.get_one(Mailing, mailing_id).audience:
            raise RuntimeError(f"not everybody got it: {counts}")
    return counts["accepted"] / spent


def start(process: Process, publication_id: int, markdown: str) -> int:
    """Freeze a mailing of such a letter; gives back its id."""
    now = process.clock()
    with process.writing() as session:
        publication = session.get_one(Publication, publication_id)
        issue_id = add_issue(session, publication_id=publication_id, subject="Messung", preheader="", markdown=markdown, now=now)
        issue = session.get_one(Issue, issue_id)
        mailing_id = actions.start(session, process.links, publication=publication, issue=issue, undo=timedelta(0), now=now)
    with process.writing() as session:
        actions.begin(session, mailing_id, now=process.clock())
    return mailing_id


def audience(number: int, postgres: str = "") -> dict[str, Any]:
    """How long it takes to freeze an audience."""
    with tempfile.TemporaryDirectory() as folder:
        process = _process(Path(folder), 1, Case(10, database="postgres" if postgres else "sqlite"), postgres)
        publication_id = prepare(process, number)
        began = time.perf_counter()
        start(process, publication_id, "{{ anrede }}")
        spent = time.perf_counter() - began
        process.engine.dispose()
    return {"people": number, "seconds": round(spent, 2), "database": "postgres" if postgres else "sqlite"}


def _side_by_side(settings: Settings, mailing_id: int, number: int) -> float:
    """Several processes at once, measured from the moment when all of them are there; gives back the seconds."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(number + 1)
    workers = [context.Process(target=_worker, args=(settings, mailing_id, ready)) for _ in range(number)]
    for worker in workers:
        worker.start()
    ready.wait()
    began = time.perf_counter()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def _worker(settings: Settings, mailing_id: int, ready: Any) -> None:
    process = processes.new_process(settings)
    # Two processes know the database's time to the millisecond only; the mailing must have begun for both.
    time.sleep(0.2)
    ready.wait()
    sending.send(process, mailing_id)
