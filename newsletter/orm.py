"""The plain SQLAlchemy base of every model, and engines that are safe to write through."""

import sqlite3
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, create_engine, event
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
    engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"))
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


def begin_writing(session: Session) -> None:
    """Take the write lock before the first read, so that what was read is still true on commit."""
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})


def _set_pragmas(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    for pragma in ("busy_timeout=20000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
