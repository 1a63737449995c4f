"""Every model, and the migrations that bring a database to them.

Alembic is imported only when there is something to migrate: it is slow to load, and every process starts here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.exc import OperationalError

from newsletter.accounts import models as accounts
from newsletter.announcements import models as announcements
from newsletter.archive import models as archive
from newsletter.bounces import models as bounces
from newsletter.channels import models as channels
from newsletter.conversations import models as conversations
from newsletter.deliveries import models as deliveries
from newsletter.drills import models as drills
from newsletter.errors import DatabaseTooNew, SettingsError
from newsletter.federation import models as federation
from newsletter.forms import models as forms
from newsletter.growth import models as growth
from newsletter.imports import models as imports
from newsletter.inbound import models as inbound
from newsletter.issues import models as issues
from newsletter.media import models as media
from newsletter.notices import models as notices
from newsletter.orm import Base
from newsletter.people import models as people
from newsletter.publications import models as publications
from newsletter.resources import directory
from newsletter.segments import models as segments
from newsletter.shield import models as shield
from newsletter.sms import models as sms
from newsletter.subscriptions import models as subscriptions
from newsletter.transports import models as transports

if TYPE_CHECKING:
    from alembic.config import Config

MODELS = (
    accounts, transports, publications, channels, notices, forms, growth, shield, subscriptions, segments, media, issues, federation, archive, deliveries,
    imports, bounces, conversations, inbound, people, announcements, sms, drills,
)  # fmt: skip


def metadata() -> MetaData:
    """The metadata with every table in it."""
    return Base.metadata


def head() -> str:
    """The revision that this version of the program wants: the last of the numbered migrations."""
    return max(_known())


def _known() -> set[str]:
    return {file.name.partition("_")[0] for file in Path(directory("migrations") / "versions").glob("[0-9]*_*.py")}


def current(engine: Engine) -> str:
    """The revision that the database is at; empty for a new one.

    Raises:
        SettingsError: the database cannot be reached.
    """
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
    except OperationalError as error:
        raise SettingsError(f"The database cannot be opened: {_first_line(error)}") from error


def upgrade(engine: Engine) -> str:
    """Bring the database to :func:`head`; give back the revision it had before.

    Raises:
        DatabaseTooNew: a newer version of the program wrote it. Nothing was changed.
        SettingsError: the database cannot be reached or written.
    """
    before = current(engine)
    if before == head():
        return before
    if before and before not in _known():
        raise DatabaseTooNew(f"The database is at {before}, which this version does not know. Install the newer version again, or restore a backup.")
    from alembic import command

    try:
        with migrating(engine) as connection:
            command.upgrade(configuration(connection), "head")
    except OperationalError as error:
        raise SettingsError(f"The database cannot be written: {_first_line(error)}") from error
    return before


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A connection on which tables may be rebuilt, in one transaction.

    SQLite changes a table by making a new one and dropping the old one, and dropping deletes its rows first, with
    everything that hangs on them. So foreign keys are off meanwhile, and looked at before the commit.
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(sqlite_begin="IMMEDIATE") as connection:
        # Inside a transaction the pragma would do nothing, without a word.
        driver: Any = connection.connection.driver_connection
        if sqlite:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not sqlite:
                    # Two processes that start at the same moment: the second one waits and finds nothing to do.
                    connection.execute(text("SELECT pg_advisory_xact_lock(7264833)"))
                yield connection
                if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise SettingsError("The migration would leave rows that point nowhere. Nothing was changed.")
        finally:
            if sqlite:
                driver.execute("PRAGMA foreign_keys=ON")


def configuration(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, made in code; ``env.py`` takes the connection from it."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(directory("migrations")))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata()
    return config


def _first_line(error: OperationalError) -> str:
    return str(error.orig or error).splitlines()[0]
