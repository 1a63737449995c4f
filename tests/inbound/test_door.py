"""The door for mail servers, by real conversations (RFC 5321, RFC 2033, RFC 1870)."""

import asyncio
import resource
import smtplib
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from newsletter import process as processes
from newsletter.inbound import queries
from newsletter.inbound.door import server_for
from newsletter.inbound.models import Arrival
from newsletter.process import Process
from newsletter.settings import load
from tests.inbound.conftest import Inbox, dsn
from tests.test_run import BRIEFTAUBE, environment

MAIL = b"From: ada@example.org\r\nTo: mira@saatgarten.example\r\nSubject: Hallo\r\nMessage-ID: <1@x>\r\n\r\nHallo\r\n"


@dataclass
class Door:
    host: str
    port: int


@pytest.fixture(params=["smtp", "lmtp"])
def door(inbox: Inbox, request: pytest.FixtureRequest) -> Iterator[tuple[Door, str]]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(server_for(inbox.process, request.param, loop), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield Door("127.0.0.1", server.sockets[0].getsockname()[1]), request.param
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def talk(door: tuple[Door, str]) -> smtplib.SMTP:
    where, kind = door
    return (smtplib.LMTP if kind == "lmtp" else smtplib.SMTP)(where.host, where.port, timeout=10)


def stored(process: Process) -> list[Arrival]:
    with process.reading() as session:
        return list(session.scalars(select(Arrival).order_by(Arrival.id)))


def test_what_the_door_takes_is_in_the_database(inbox: Inbox, door: tuple[Door, str]) -> None:
    raw = dsn("leser0@example.org", to=inbox.verp)
    with talk(door) as client:
        client.sendmail("", [inbox.verp], raw)
    row = stored(inbox.process)[0]
    assert (row.door, row.envelope_from, row.envelope_to, row.state) == (door[1], "", [inbox.verp], "new")
    with inbox.process.reading() as session:
        assert queries.raw_of(session, row.id) == raw


def test_each_recipient_has_an_answer(inbox: Inbox, door: tuple[Door, str]) -> None:
    recipients = ["mira@saatgarten.example", inbox.verp, "postmaster@bounces.saatgarten.example"]
    with talk(door) as client:
        client.ehlo_or_helo_if_needed()
        client.mail("ada@example.org")
        assert [client.rcpt(one)[0] for one in recipients] == [250, 250, 250]
        # LMTP answers once for each of them after the dot (RFC 2033 §4.2), SMTP once for all.
        answers = [client.data(MAIL)[0], *(client.getreply()[0] for _ in recipients[1:] if door[1] == "lmtp")]
        assert answers == [250] * (3 if door[1] == "lmtp" else 1)
        assert client.noop()[0] == 250
    assert len(stored(inbox.process)) == 1


@pytest.mark.parametrize("address", ["anna@example.org", "b+1@elsewhere.example", "root@bounces.saatgarten.example", "mira@saatgarten.example.evil.example"])
def test_this_is_no_relay(inbox: Inbox, door: tuple[Door, str], address: str) -> None:
    with talk(door) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("ada@example.org", [address], MAIL)
    assert refused.value.recipients[address][0] == 550


def test_b4_a_database_that_fails_makes_the_other_side_keep_the_mail(inbox: Inbox, door: tuple[Door, str]) -> None:
    with inbox.process.writing() as session:
        session.execute(text("ALTER TABLE arrival_bytes RENAME TO away"))
    with talk(door) as client, pytest.raises(smtplib.SMTPException) as refused:
        client.sendmail("ada@example.org", ["mira@saatgarten.example"], MAIL)
        raise smtplib.SMTPDataError(0, b"")
    assert "451" in str(refused.value)
    assert stored(inbox.process) == []


def test_a_mail_that_says_it_is_too_large_is_refused_before_its_first_byte(inbox: Inbox, door: tuple[Door, str]) -> None:
    with talk(door) as client:
        client.ehlo_or_helo_if_needed()
        assert client.docmd("MAIL", "FROM:<ada@example.org> SIZE=52428800")[0] == 552


def test_50_mb_are_refused_without_being_held_in_memory(inbox: Inbox, door: tuple[Door, str]) -> None:
    with talk(door) as client:
        client.ehlo_or_helo_if_needed()
        client.docmd("MAIL", "FROM:<ada@example.org>")
        client.docmd("RCPT", "TO:<mira@saatgarten.example>")
        assert client.docmd("DATA")[0] == 354
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        line = b"x" * 998 + b"\r\n"
        for _ in range(50 * 1024):
            client.sock.sendall(line)
        client.sock.sendall(b".\r\n")
        assert client.getreply()[0] == 552
        # Up to the limit it is held, and then dropped: never the whole of it.
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 45 * 1024
    assert stored(inbox.process) == []


@contextmanager
def opened(tmp_path: Path) -> Iterator[Session]:
    """What a program has left behind in its DATA_DIR."""
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=tmp_path))
    with process.reading() as session:
        yield session
    process.engine.dispose()


def deliver(tmp_path: Path, raw: bytes, *words: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*BRIEFTAUBE, "inbound", "deliver", *words], env=environment(tmp_path, **more), input=raw, capture_output=True, timeout=120, check=False
    )


def test_deliver_stores_a_mail_from_a_pipe(tmp_path: Path) -> None:
    done = deliver(tmp_path, MAIL, "--from", "ada@example.org", "--to", "mira@saatgarten.example")
    assert (done.returncode, done.stdout) == (0, b"")
    assert deliver(tmp_path, MAIL).returncode == 0
    with opened(tmp_path) as session:
        assert session.scalar(select(func.count()).select_from(Arrival)) == 1
        assert session.scalars(select(Arrival)).one().envelope_to == ["mira@saatgarten.example"]


def test_deliver_ends_with_75_when_nothing_could_be_stored(tmp_path: Path) -> None:
    done = deliver(tmp_path, MAIL, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 75
    assert b"could not be stored" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("raw", [b"", b"\n\n"])
def test_deliver_of_nothing_is_refused(tmp_path: Path, raw: bytes) -> None:
    assert deliver(tmp_path, raw).returncode == 65


def test_smtpd_opens_the_door_where_the_settings_say_so(tmp_path: Path) -> None:
    from tests.support.services import free_port

    port = free_port()
    more = {"inbound": f"lmtp://127.0.0.1:{port}", "bounce_domain": "b.example", "smtp_url": "smtp://127.0.0.1:1"}
    program = subprocess.Popen([*BRIEFTAUBE, "smtpd"], env=environment(tmp_path, **more), stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                threading.Event().wait(0.05)
        with smtplib.LMTP("127.0.0.1", port, timeout=10) as client:
            client.sendmail("", ["b+1-aaaaaaaaaaaaaaaa@b.example"], MAIL)
    finally:
        program.terminate()
        assert program.wait(20) == 0
    with opened(tmp_path) as session:
        assert session.scalars(select(Arrival.door)).all() == ["lmtp"]


@pytest.mark.parametrize("inbound", ["http://x:1", "lmtp://", "lmtp://host", "smtp://h:99999999", "somewhere"])
def test_a_door_that_makes_no_sense_is_said_so(tmp_path: Path, inbound: str) -> None:
    done = subprocess.run([*BRIEFTAUBE, "smtpd"], env=environment(tmp_path, inbound=inbound), capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"INBOUND" in done.stderr
