"""Migrations: up, down, with data, on both databases, and never apart from the models."""

from datetime import timedelta

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
    with schema.migrating(any_process.engine) as connection:
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


def test_what_was_in_hands_during_an_upgrade_is_planned_or_uncertain(any_process: Process) -> None:
    from newsletter.deliveries import actions, queries
    from newsletter.deliveries.models import Mailing
    from newsletter.issues.models import Issue
    from newsletter.publications.queries import get

    publication_id = cast.publication(any_process)
    for number in range(3):
        cast.reader(any_process, publication_id, f"leser{number}@example.org")
    issue_id = cast.issue(any_process, publication_id)
    with any_process.writing() as session:
        publication, issue = get(session, publication_id), session.get_one(Issue, issue_id)
        mailing_id = actions.start(session, cast.links(any_process), publication=publication, issue=issue, undo=timedelta(0), now=any_process.clock())
    with schema.migrating(any_process.engine) as connection:
        command.downgrade(schema.configuration(connection), "0001")
        connection.execute(text("UPDATE deliveries SET state = 'claimed', token = 'x' WHERE id = 1"))
        connection.execute(text("UPDATE deliveries SET state = 'handing_over', token = 'x' WHERE id = 2"))
    schema.upgrade(any_process.engine)
    with any_process.reading() as session:
        counts = queries.counts(session, mailing_id)
        assert (counts["planned"], counts["uncertain"], sum(counts.values())) == (2, 1, session.get_one(Mailing, mailing_id).audience)


def test_consents_keep_their_seals_when_their_words_move_to_a_table_of_their_own(any_process: Process) -> None:
    from newsletter.growth.queries import total
    from newsletter.subscriptions.consents import intact
    from newsletter.subscriptions.queries import consents_of, wordings_of

    publication_id = cast.publication(any_process)
    subscription_id = cast.reader(any_process, publication_id)
    with schema.migrating(any_process.engine) as connection:
        command.downgrade(schema.configuration(connection), "0003")
        assert connection.execute(text("SELECT count(DISTINCT wording) FROM consents")).scalar() == 1
    schema.upgrade(any_process.engine)
    with any_process.reading() as session:
        chain = consents_of(session, subscription_id)
        assert len(chain) == 1
        assert intact(chain, wordings_of(session, chain))
        assert total(session, publication_id, "joined", any_process.clock() - timedelta(days=1)) == 1
