"""Migrations: up, down, with data, on both databases, and never apart from the models."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from newsletter import schema
from newsletter.errors import DatabaseTooNew, SettingsError
from newsletter.orm import new_engine
from newsletter.process import Process
from tests.support import cast


def test_the_schema_is_what_the_models_say(any_process: Process) -> None:
    with any_process.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), schema.metadata()) == []


def test_every_migration_goes_down_and_up_again_with_data(any_process: Process) -> None:
    publication_id = cast.publication(any_process)
    cast.reader(any_process, publication_id)
    cast.issue(any_process, publication_id)
    with any_process.engine.begin() as connection:
        command.downgrade(schema.configuration(connection), "base")
    assert set(inspect(any_process.engine).get_table_names()) <= {"alembic_version"}
    assert schema.upgrade(any_process.engine) == ""
    cast.publication(any_process)


def test_upgrading_twice_is_upgrading_once(any_process: Process) -> None:
    assert schema.upgrade(any_process.engine) == schema.head()


def test_a_database_of_a_newer_version_is_left_alone(any_process: Process) -> None:
    with any_process.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="9999"):
        schema.upgrade(any_process.engine)


def test_a_database_that_cannot_be_reached_is_one_sentence() -> None:
    with pytest.raises(SettingsError):
        schema.upgrade(new_engine("sqlite:////nowhere/at/all.db"))
