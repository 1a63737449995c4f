"""Pages with a million people behind them."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from newsletter import process as processes
from newsletter import schema
from newsletter.accounts.actions import add_editor, open_session
from newsletter.bench import importing
from newsletter.channels.actions import add_first_channels
from newsletter.deliveries import actions as deliveries
from newsletter.issues.actions import add_issue
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.segments import actions as segments
from newsletter.segments import queries
from newsletter.settings import load
from newsletter.subscriptions.actions import tag

PAGES = {
    "list": "/admin/{slug}/subscribers/",
    "list, active": "/admin/{slug}/subscribers/?state=active",
    "list, far down": "/admin/{slug}/subscribers/?before={middle}",
    "list, by tag": "/admin/{slug}/subscribers/?tag=1",
    "list, by a rare tag": "/admin/{slug}/subscribers/?tag=2",
    "list, by channel": "/admin/{slug}/subscribers/?channel=1",
    "search, part of an address": "/admin/{slug}/subscribers/?q=leser77",
    "search, whole address": "/admin/{slug}/subscribers/?q={email}",
    "search, name": "/admin/{slug}/subscribers/?q=vor77+nach77",
    "search, nobody": "/admin/{slug}/subscribers/?q=zzzzqq",
    "search, domain": "/admin/{slug}/subscribers/?q=@post7.example",
    "one person": "/admin/{slug}/subscribers/{middle}",
    "growth": "/admin/{slug}/growth",
    "dashboard": "/admin/{slug}/",
}
SEGMENTS: dict[str, list[dict[str, str]]] = {
    "tag": [{"about": "tag", "how": "is", "value": "1"}],
    "not a tag": [{"about": "tag", "how": "is not", "value": "1"}],
    "an answer": [{"about": "field:city", "how": "is", "value": "Ort 7"}],
    "part of an answer": [{"about": "field:city", "how": "contains", "value": "4"}],
    "joined before": [{"about": "joined", "how": "before", "value": "2023-01-01"}],
    "three rules": [
        {"about": "tag", "how": "is", "value": "1"}, {"about": "joined", "how": "before", "value": "2023-01-01"},
        {"about": "field:city", "how": "is not", "value": "Ort 7"},
    ],
    "provider": [{"about": "domain", "how": "is", "value": "post7.example"}],
    "got a letter": [{"about": "got", "how": "is", "value": "1"}],
}  # fmt: skip


def run(number: int, postgres: str = "") -> dict[str, Any]:
    """Milliseconds for each page and count: the 95th of a hundred in between."""
    with with_people(number, postgres) as process:
        return {"database": "postgres" if postgres else "sqlite", "people": number} | _measure(process, number)


@contextmanager
def with_people(number: int, postgres: str = "") -> Iterator[Process]:
    """A process with so many people in its list, brought along as a list would be; in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        more = {"database_url": postgres} if postgres else {}
        process = processes.use(processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=Path(folder), undo_seconds=0, **more)))
        schema.upgrade(process.engine)
        if postgres:
            with process.writing() as session:
                session.execute(text("TRUNCATE publications, subscribers, wordings, editors, mailings, issues RESTART IDENTITY CASCADE"))
        importing.write_list(Path(folder) / "list.csv", number)
        importing.ours(process, Path(folder) / "list.csv")
        yield process


def _measure(process: Process, number: int) -> dict[str, Any]:
    slug = furnish(process)
    analyse(process)
    audience = _audience(process)
    analyse(process)  # or PostgreSQL tidies up after two million new rows while pages are measured
    client, middle, email = client_of(process)
    found: dict[str, float] = {}
    for name, address in PAGES.items():
        path = address.format(slug=slug, middle=middle, email=email)
        found[name] = p95(lambda path=path: open_page(client, path))  # type: ignore[misc]
    counts = {}
    with process.reading() as session:
        publication = session.get_one(Publication, 1)
        for name, rules in SEGMENTS.items():
            counts[name] = p95(lambda rules=rules: queries.count(session, publication, rules, True, process.clock()), 12)  # type: ignore[misc]
    return {"pages_ms": found, "counts_ms": counts, "audience_s": audience}


def furnish(process: Process) -> str:
    """Tags for a fifth and for one in a hundred thousand, channels, and somebody who may look."""
    now = process.clock()
    with process.writing() as session:
        publication = session.get_one(Publication, 1)
        add_first_channels(session, publication_id=1, language="de", now=now)
        tag(session, 1, "a fifth")
        tag(session, 1, "rare")
        session.execute(text("UPDATE subscriptions SET tags = ',1,', channel_id = 1 WHERE id % 5 = 0"))
        session.execute(text("UPDATE subscriptions SET tags = ',2,' WHERE id % 100000 = 1"))
        session.execute(text("UPDATE subscriptions SET state = 'unsubscribed' WHERE id % 11 = 0"))
        add_editor(session, email="mira@saatgarten.example", name="Mira", password="vier kleine gelbe bohnen", now=now)  # noqa: S106 -- nobody else gets in
        segments.save(session, publication_id=1, segment=None, name="three rules", every=True, rules=SEGMENTS["three rules"], now=now)
        return publication.slug


def analyse(process: Process) -> None:
    """Let the database look at what it holds, as it does by itself after a while."""
    with process.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if process.engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def _audience(process: Process) -> dict[str, float]:
    """Seconds to freeze everybody, and a segment."""
    found = {}
    for name, segment_id in (("segment", 1), ("everybody", None)):
        with process.writing() as session:
            publication = session.get_one(Publication, 1)
            publication.imprint_person, publication.imprint_street, publication.imprint_place, publication.imprint_email = "M", "A 1", "1 B", "m@x.example"
            markdown = "Hallo,\n\nein Brief.\n"
            issue = session.get_one(Issue, add_issue(session, publication_id=1, subject=f"Für {name}", markdown=markdown, now=process.clock()))
            issue.segment_id = segment_id
            session.flush()
            began = time.perf_counter()
            deliveries.start(session, Links("http://localhost"), publication=publication, issue=issue, undo=timedelta(0), now=process.clock())
            session.commit()
            found[name] = round(time.perf_counter() - began, 2)
        with process.writing() as session:
            session.execute(text("UPDATE deliveries SET state = 'accepted'"))
            session.execute(text("UPDATE mailings SET state = 'finished'"))
    return found


def client_of(process: Process) -> tuple[Any, int, str]:
    """A browser of somebody who may look; somebody in the list, by number and address."""
    from newsletter.web.app import create_app

    client = create_app(process).test_client()
    with process.writing() as session:
        secret = open_session(session, editor_id=1, now=process.clock())
        row = "SELECT p.id, s.email FROM subscriptions p JOIN subscribers s ON s.id = p.subscriber_id ORDER BY p.id LIMIT 1 OFFSET 777"
        middle, email = session.execute(text(row)).one()
    with client.session_transaction() as cookie:
        cookie["who"] = secret
    return client, int(middle), str(email)


def open_page(client: Any, path: str) -> None:
    """Open a page, which has to be there."""
    response = client.get(path)
    assert response.status_code == 200, (path, response.status_code)
    response.close()


def p95(act: Callable[[], object], rounds: int = 20) -> float:
    """Milliseconds that something takes, the 95th of a hundred."""
    act()
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        spent.append((time.perf_counter() - began) * 1000)
    return round(statistics.quantiles(spent, n=20)[-1], 1)
