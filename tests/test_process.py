"""The time that leases go by (I13, N9)."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from newsletter import process as processes
from newsletter.clock import utc_now
from newsletter.orm import new_engine
from newsletter.settings import load


def test_i13_with_sqlite_it_is_the_machines_own_clock() -> None:
    assert processes.clock_of(new_engine("sqlite://")) is utc_now


@pytest.mark.postgres
def test_i13_with_postgresql_it_is_the_databases_clock(postgres_url: str) -> None:
    engine = new_engine(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, database_url=postgres_url).database_url)
    clock = processes.clock_of(engine)
    with engine.connect() as connection:
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert abs(clock() - theirs) < timedelta(seconds=1)
    first, second = clock(), clock()
    assert first <= second
    engine.dispose()


@pytest.mark.postgres
def test_n9_a_machine_whose_clock_is_an_hour_wrong_keeps_the_databases_time(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = new_engine(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, database_url=postgres_url).database_url)
    monkeypatch.setattr(processes, "utc_now", lambda: utc_now() + timedelta(hours=1))
    assert abs(processes.clock_of(engine)() - utc_now()) < timedelta(seconds=5)
    engine.dispose()


def test_n9_a_database_that_is_away_stops_no_clock() -> None:
    clock = processes.clock_of(new_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere"))
    assert abs(clock() - utc_now()) < timedelta(seconds=40)


@pytest.mark.postgres
def test_several_processes_may_state_a_fact_at_the_same_moment(postgres_url: str) -> None:
    import threading

    from newsletter import schema
    from newsletter.accounts.actions import state_fact
    from newsletter.accounts.queries import fact

    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, database_url=postgres_url))
    schema.upgrade(process.engine)
    ready, failed = threading.Barrier(6), []

    def state(number: int) -> None:
        ready.wait()
        try:
            with process.writing() as session:
                state_fact(session, name="worker", value=str(number), now=utc_now())
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=state, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with process.reading() as session:
        assert fact(session, "worker").isdigit()
    process.engine.dispose()
