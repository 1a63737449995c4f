"""What a process holds: settings, engine, tokens, clock, doorbell. Made once, by a composition root."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from newsletter.clock import Clock, utc_now
from newsletter.orm import begin_writing, new_engine
from newsletter.resolver import Resolver, SystemResolver
from newsletter.settings import Settings
from newsletter.tokens import Tokens


@dataclass(frozen=True)
class Process:
    """Everything that outlives a request or a job."""

    settings: Settings
    engine: Engine
    tokens: Tokens
    clock: Clock = utc_now
    resolver: Resolver = field(default_factory=SystemResolver, repr=False)
    stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    _sessions: sessionmaker[Session] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sessions", sessionmaker(self.engine, expire_on_commit=False))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock, commits at the end and rolls back on an error."""
        with self._sessions() as session:
            begin_writing(session)
            yield session
            session.commit()


def new_process(settings: Settings, clock: Clock = utc_now) -> Process:
    """A process from its settings."""
    return Process(settings, new_engine(settings.database_url), Tokens(settings.secret_keys), clock)


_current: list[Process] = []


def use(process: Process) -> Process:
    """Make this the process that actors find with :func:`current`."""
    _current[:] = [process]
    return process


def current() -> Process:
    """The process an actor runs in. Actors get ids only, so they need a way to the database."""
    if not _current:
        raise RuntimeError("No process was started: call newsletter.process.use() first.")
    return _current[0]
