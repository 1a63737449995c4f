"""The same mailing by way of a broker server: Valkey and RabbitMQ, with SQLite's place taken by PostgreSQL."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from newsletter.catcher.store import Store
from newsletter.settings import load
from tests.support import cast
from tests.support.services import free_port
from tests.test_run import BRIEFTAUBE, call, environment


@pytest.mark.postgres
@pytest.mark.parametrize("broker", [pytest.param("redis_url", marks=pytest.mark.redis), pytest.param("amqp_url", marks=pytest.mark.rabbitmq)])
@pytest.mark.xdist_group("brokers")
def test_two_workers_share_a_mailing_by_way_of_a_broker(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str, broker: str) -> None:
    from newsletter import process as processes
    from newsletter import schema

    port = free_port()
    more = {"broker_url": request.getfixturevalue(broker), "database_url": postgres_url, "catcher_port": port, "secret_key": "the same for all"}
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=tmp_path, **more))
    schema.upgrade(process.engine)
    publication_id = cast.publication(process)
    for number in range(60):
        cast.reader(process, publication_id, f"leser{number}@example.org")
    issue_id = cast.issue(process, publication_id)
    parts = [subprocess.Popen([*BRIEFTAUBE, name], env=environment(tmp_path, **more)) for name in ("smtpd", "worker", "worker")]
    try:
        Store(tmp_path).prepare()
        sent = call(tmp_path, "issue", "send", str(issue_id), "--wait", "--json", **more)
        shown = json.loads(call(tmp_path, "mailing", "show", str(json.loads(sent.stdout)["mailing"]), "--json", **more).stdout)
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            part.wait(30)
        process.engine.dispose()
    assert (shown["state"], shown["counts"]["accepted"]) == ("finished", 60)
    ids = Store(tmp_path).message_ids()
    assert len(ids) == len(set(ids)) == 60


@pytest.mark.parametrize("broker", [pytest.param("redis_url", marks=pytest.mark.redis), pytest.param("amqp_url", marks=pytest.mark.rabbitmq)])
@pytest.mark.xdist_group("brokers")
def test_check_tells_a_broker_that_answers_from_one_that_is_away(request: pytest.FixtureRequest, tmp_path: Path, broker: str) -> None:
    url = request.getfixturevalue(broker)
    away = re.sub(r":\d+", f":{free_port()}", url)
    for address, there in ((url, True), (away, False)):
        done = call(tmp_path, "check", "--json", check=False, broker_url=address)
        (found,) = [row for row in json.loads(done.stdout)["findings"] if row["what"] == "broker"]
        assert found["ok"] is there, found


def test_n2_a_broker_that_is_away_does_not_keep_a_mailing_from_starting(tmp_path: Path) -> None:
    """The button succeeds; the worker's own look at the database does the rest."""
    code = (
        "from newsletter.broker import connect, ring\n"
        "from newsletter.deliveries.actors import send_mailing\n"
        f"connect('redis://127.0.0.1:{free_port()}/0')\n"
        "ring(send_mailing, 1)\n"
        "print('rang')\n"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "rang"
    assert time.monotonic() - began < 30  # a person waits for the page; not a measure of speed
