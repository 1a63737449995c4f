"""What a process holds: settings, engine, tokens, clock, doorbell. Made once, by a composition root."""

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, sessionmaker

from newsletter.clock import Clock, utc_now
from newsletter.fetching import Web
from newsletter.links import Links
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
    web: Web = field(default_factory=Web, repr=False)
    stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    _sessions: sessionmaker[Session] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sessions", sessionmaker(self.engine, expire_on_commit=False))

    @property
    def links(self) -> Links:
        """The public addresses of this installation."""
        return Links(self.settings.base_url, self.tokens.sign)

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


def new_process(settings: Settings, clock: Clock | None = None) -> Process:
    """A process from its settings. Without a clock it has the database's, which all machines share (I13)."""
    engine = new_engine(settings.database_url)
    return Process(settings, engine, Tokens(settings.secret_keys), clock or clock_of(engine))


def clock_of(engine: Engine) -> Clock:
    """The clock that leases and appointments go by.

    SQLite lives on this machine, so it has this machine's clock. PostgreSQL is asked now and then; in between a
    stopwatch runs that nobody can set, so that a machine whose clock is wrong, or is put right, does no harm.
    """
    return utc_now if engine.dialect.name == "sqlite" else _DatabaseClock(engine)


class _DatabaseClock:
    """PostgreSQL's time, asked for every half minute."""

    def __init__(self, engine: Engine) -> None:
        # Not from the pool: whoever asks may hold the last connection of it, and would wait for itself.
        self._engine = create_engine(engine.url, poolclass=NullPool)
        self._lock = threading.Lock()
        self._asked = time.monotonic() - ASK_EVERY
        self._moment = utc_now() - timedelta(seconds=ASK_EVERY)

    def __call__(self) -> datetime:
        with self._lock:
            now = time.monotonic()
            if now - self._asked >= ASK_EVERY:
                self._ask(now)
            return self._moment + timedelta(seconds=time.monotonic() - self._asked)

    def _ask(self, now: float) -> None:
        # While the database is away the stopwatch goes on; nothing can be written down in that time anyway.
        with contextlib.suppress(DatabaseError), self._engine.connect() as connection:
            self._moment = connection.execute(text("SELECT clock_timestamp()")).scalar_one().astimezone(UTC)
            self._asked = (now + time.monotonic()) / 2


ASK_EVERY = 30.0


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
