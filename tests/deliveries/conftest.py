"""A mailing that is ready to be sent through a server with planned faults."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter.deliveries import actions, queries, sending
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.issues.models import Issue
from newsletter.mail.smtp import Timeouts
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.transports.actions import choose
from tests.support import cast
from tests.support.faults import FaultyServer

# Ten minutes are right for the post and wrong for a test.
QUICK = Timeouts(connect=2, command=1, data=1, dot=1)


class Post:
    """One publication with readers, a server, and a mailing under way."""

    def __init__(self, process: Process, faults: FaultyServer, readers: int) -> None:
        self.process, self.faults = process, faults
        self.publication_id = cast.publication(process)
        self.subscriptions = [cast.reader(process, self.publication_id, f"leser{number}@example.org", f"Leser {number}") for number in range(readers)]
        self.issue_id = cast.issue(process, self.publication_id)
        with process.writing() as session:
            choose(session, process.tokens, address=faults.url, now=process.clock())
        self.mailing_id = self.start()

    def start(self, undo: float = 0) -> int:
        process = self.process
        with process.writing() as session:
            issue = session.get_one(Issue, self.issue_id)
            publication = get(session, self.publication_id)
            mailing_id = actions.start(session, cast.links(process), publication=publication, issue=issue, undo=timedelta(seconds=undo), now=process.clock())
        with process.writing() as session:
            actions.begin(session, mailing_id, now=process.clock())
        return mailing_id

    def send(self) -> None:
        sending.send(self.process, self.mailing_id, QUICK)
        self.check()

    def check(self) -> None:
        """I1: the sum of all states is the audience, whatever happened."""
        with self.process.reading() as session:
            assert sum(queries.counts(session, self.mailing_id).values()) == session.get_one(Mailing, self.mailing_id).audience

    @property
    def counts(self) -> dict[str, int]:
        with self.process.reading() as session:
            return {state: number for state, number in queries.counts(session, self.mailing_id).items() if number}

    @property
    def mailing(self) -> Mailing:
        with self.process.reading() as session:
            return session.get_one(Mailing, self.mailing_id)

    def rows(self) -> list[Delivery]:
        with self.process.reading() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.id)))

    def number_of(self, model: type) -> int:
        with self.process.reading() as session:
            return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def new_post(new_process: Callable[..., Process]) -> Iterator[Callable[..., Post]]:
    servers: list[FaultyServer] = []

    def make(plan: dict[str, object] | None = None, readers: int = 1, settings: dict[str, object] | None = None, **more: object) -> Post:
        faults = FaultyServer(plan or {}, **more).__enter__()
        servers.append(faults)
        return Post(new_process(**(settings or {})), faults, readers)

    yield make
    for server in servers:
        server.__exit__()
