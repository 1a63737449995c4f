"""The plain SQLAlchemy base of every model, and engines that are safe to write through."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, Engine, MetaData, collate, create_engine, event, func, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Session, registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware moment. SQLite keeps no zone, so it is stored as UTC and given back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone is no moment.")
        value = value.astimezone(UTC)
        return value if dialect.name != "sqlite" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every model inherits from this; Flask-SQLAlchemy shares its metadata."""

    # A registry and not a type_annotation_map: Flask-SQLAlchemy copies the class body, and SQLAlchemy
    # refuses a copy that has both.
    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: Moment, dict[str, Any]: JSON, list[str]: JSON},
    )


def new_engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL, prepared by :func:`prepare`."""
    # A web process has up to sixteen threads, and each may hold one connection for reading and one for writing.
    more = {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 40} if url.startswith("postgresql") else {}
    engine = create_engine(url, **more)
    prepare(engine)
    return engine


def prepare(engine: Engine) -> None:
    """Make SQLite keep its promises; PostgreSQL needs nothing.

    The driver's own transaction handling loses updates under concurrency, so it is switched off and
    BEGIN is ours: IMMEDIATE for everything that writes, which queues writers instead of failing them.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)


@contextmanager
def in_bulk(engine: Engine) -> Iterator[Callable[[], AbstractContextManager[Session]]]:
    """Transactions for very many rows. Gives a function that opens one, which commits at its end.

    SQLite keeps more pages at hand and writes them back less often; what such a transaction promises is promised as ever.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            for pragma in ("cache_size=-16000", "wal_autocheckpoint=8000"):
                driver.execute(f"PRAGMA {pragma}")

        @contextmanager
        def transaction() -> Iterator[Session]:
            with Session(connection, expire_on_commit=False) as session:
                begin_writing(session)
                yield session
                session.commit()

        try:
            yield transaction
        finally:
            # The pool must not hand out a connection that behaves differently from all others.
            connection.invalidate()


@contextmanager
def roomy(session: Session) -> Iterator[None]:
    """More memory for one large statement: SQLite keeps the pages of its indexes at hand instead of writing them out and reading them again."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    connection = session.connection()
    if sqlite:
        connection.exec_driver_sql("PRAGMA cache_size=-64000")
    try:
        yield
    finally:
        if sqlite:
            connection.exec_driver_sql("PRAGMA cache_size=-2000")


def begin_writing(session: Session) -> None:
    """Take the write lock before the first read, so that what was read is still true on commit."""
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})


def take_turns(session: Session, number: int) -> None:
    """Wait until no other transaction has this turn, and keep it until the end of ours. SQLite has one writer anyway.

    Args:
        number: what is done in turns; the same wherever it is done.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def insert_into(session: Session, model: type[Base]) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT that knows ON CONFLICT, which both databases have, each with a class of its own."""
    return sqlite.insert(model) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(model)


def escaped(text: str) -> str:
    """A text in a LIKE pattern that is meant letter for letter; the escape character is a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def holds(place: Any, part: str, *, sqlite: bool, small: bool = False) -> ColumnElement[bool]:
    """Whether a column contains a text, large letters and small ones being the same.

    SQLite's LIKE does that for ASCII by itself; PostgreSQL compares three times as fast without a language's rules.

    Args:
        small: the column has small letters only.
    """
    text = part if sqlite else part.lower()
    column = place if sqlite else collate(place, "C")
    column = column if sqlite or small else func.lower(column)
    found: ColumnElement[bool] = column.like(f"%{escaped(text)}%", escape=None if escaped(text) == text else "\\")
    return found


def unindexed(number: Any, *, sqlite: bool) -> Any:
    """A column of numbers that SQLite must not look up in an index, where walking along the rows themselves is quicker."""
    return number + 0 if sqlite else number


def wave(session: Session, sql: str, columns: str, rows: Sequence[Sequence[object]], **values: object) -> CursorResult[Any]:
    """One statement for many rows, which stand in it as the table ``{v}``.

    The rows travel as one JSON array that SQLite and PostgreSQL unpack in their own words, past the query builder,
    whose work for each wave would cost more than the wave.

    Args:
        sql: the statement, with ``:name`` for values.
        columns: name and type (as PostgreSQL says it) of each place of a row, separated by commas.
        values: what stands for the names; moments are aware.
    """
    connection = session.connection()
    dialect = connection.dialect
    given: dict[str, Any] = {name: stamp(value, dialect) if isinstance(value, datetime) else value for name, value in values.items()}
    given["rows"] = json.dumps([[stamp(value, dialect) if isinstance(value, datetime) else value for value in row] for row in rows])
    return connection.exec_driver_sql(_unpacking(dialect.name, sql, columns), given)


def insert_many(session: Session, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Insert very many rows by the shortest way that each database has: executemany, or COPY.

    Args:
        rows: values as the database writes them; moments by :func:`stamp`.
    """
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", list(map(tuple, rows)))  # noqa: S608 -- names of our own
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        copy.write("".join([_copied(row) for row in rows]))


def _copied(row: Sequence[object]) -> str:
    """A row in COPY's text format. Hardly any cell has a character that must be escaped, so one look at the whole row is enough."""
    line = "\t".join(["\\N" if cell is None else cell if type(cell) is str else str(cell) for cell in row])
    if line.count("\t") == len(row) - 1 and line.count("\\") == row.count(None) and "\n" not in line and "\r" not in line:
        return line + "\n"
    return "\t".join(["\\N" if cell is None else str(cell).translate(_COPY) for cell in row]) + "\n"


_COPY = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def new_ids(session: Session, table: str, number: int) -> Sequence[int]:
    """Numbers for rows that are about to be inserted into a table, in order. The write lock must be held on SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        first = session.connection().exec_driver_sql(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").scalar_one()  # noqa: S608 -- a name of our own
        return range(first, first + number)
    query = "SELECT array_agg(nextval(pg_get_serial_sequence(%(table)s, 'id'))) FROM generate_series(1, %(number)s)"
    return session.connection().exec_driver_sql(query, {"table": table, "number": number}).scalar_one() or []


def stamp(moment: datetime, dialect: Dialect) -> str:
    """A moment as the database writes it."""
    return _stamp(moment, dialect.name)


@lru_cache(maxsize=4096)  # of a million people, most joined in a moment that somebody else joined in, too
def _stamp(moment: datetime, dialect: str) -> str:
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect == "sqlite" else moment.isoformat()


@cache
def _unpacking(dialect: str, sql: str, columns: str) -> str:
    named = [column.split() for column in columns.split(", ")]
    if dialect == "sqlite":
        parts = ", ".join(f"json_extract(value, '$[{index}]') AS {name}" for index, (name, _) in enumerate(named))
        # In front of the statement, as WITH, it would keep the driver from counting the rows that are changed.
        return sql.replace("{v}", f"(SELECT {parts} FROM json_each(:rows)) AS v")  # noqa: S608 -- names of columns from our own code
    parts = ", ".join(f"CAST(e->>{index} AS {kind}) AS {name}" for index, (name, kind) in enumerate(named))
    unpacked = f"(SELECT {parts} FROM json_array_elements(CAST(:rows AS json)) AS e) AS v"  # noqa: S608 -- the same
    # psycopg names its places in another way than SQLite.
    return re.sub(r"(?<![:\w]):(\w+)", r"%(\1)s", sql.replace("{v}", unpacked))


def _set_pragmas(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    for pragma in ("busy_timeout=20000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
