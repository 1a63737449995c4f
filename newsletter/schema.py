"""Every model, and the migrations that bring a database to them."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import OperationalError

from newsletter.accounts import models as accounts
from newsletter.archive import models as archive
from newsletter.channels import models as channels
from newsletter.deliveries import models as deliveries
from newsletter.errors import DatabaseTooNew, SettingsError
from newsletter.issues import models as issues
from newsletter.media import models as media
from newsletter.notices import models as notices
from newsletter.orm import Base
from newsletter.publications import models as publications
from newsletter.resources import directory
from newsletter.subscriptions import models as subscriptions
from newsletter.transports import models as transports

MODELS = (accounts, transports, publications, channels, notices, subscriptions, media, issues, archive, deliveries)


def metadata() -> MetaData:
    """The metadata with every table in it."""
    return Base.metadata


def head() -> str:
    """The revision that this version of the program wants."""
    return str(_scripts().get_current_head())


def current(engine: Engine) -> str:
    """The revision that the database is at; empty for a new one.

    Raises:
        SettingsError: the database cannot be reached.
    """
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or ""
    except OperationalError as error:
        raise SettingsError(f"The database cannot be opened: {_first_line(error)}") from error


def upgrade(engine: Engine) -> str:
    """Bring the database to :func:`head`; give back the revision it had before.

    Raises:
        DatabaseTooNew: a newer version of the program wrote it. Nothing was changed.
        SettingsError: the database cannot be reached or written.
    """
    before = current(engine)
    if before and before not in {script.revision for script in _scripts().walk_revisions()}:
        raise DatabaseTooNew(f"The database is at {before}, which this version does not know. Install the newer version again, or restore a backup.")
    if before != head():
        try:
            with engine.begin() as connection:
                command.upgrade(configuration(connection), "head")
        except OperationalError as error:
            raise SettingsError(f"The database cannot be written: {_first_line(error)}") from error
    return before


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, made in code; ``env.py`` takes the connection from it."""
    config = Config()
    config.set_main_option("script_location", str(directory("migrations")))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata()
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def _first_line(error: OperationalError) -> str:
    return str(error.orig or error).splitlines()[0]
