"""SpamAssassin is asked where its socket is there, and nothing waits for it where it is not."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, Sender, compose
from newsletter.mail.spamd import Report, ask, read
from tests.rendering.golden import mail
from tests.support.required import missing
from tests.support.services import free_port

GTUBE = b"Subject: x\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


@contextmanager
def daemon(answer: bytes, path: Path | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A daemon that says one thing."""
    heard: list[bytes] = []
    server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    server.bind(str(path) if path else ("127.0.0.1", 0))
    server.listen()

    def serve() -> None:
        line, _ = server.accept()
        with line:
            data = b""
            while part := line.recv(65536):
                data += part
            heard.append(data)
            line.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield (str(path) if path else f"127.0.0.1:{server.getsockname()[1]}"), heard
    thread.join(5)
    server.close()


ANSWER = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 24\r\nSpam: True ; 7.2 / 5.0\r\n\r\nMIME_HTML_ONLY,GTUBE\r\n"


def test_the_daemon_is_asked_in_its_own_words() -> None:
    with daemon(ANSWER) as (address, heard):
        assert ask(address, b"Subject: x\r\n\r\ny") == Report(7.2, ("MIME_HTML_ONLY", "GTUBE"))
    assert heard == [b"SYMBOLS SPAMC/1.5\r\nContent-length: 15\r\n\r\nSubject: x\r\n\r\ny"]


def test_a_socket_in_the_file_system_will_do(tmp_path: Path) -> None:
    with daemon(ANSWER, tmp_path / "spamd.sock") as (address, _):
        assert ask(address, b"x") == Report(7.2, ("MIME_HTML_ONLY", "GTUBE"))


@pytest.mark.parametrize("address", ["", "127.0.0.1:1", "/nowhere/spamd.sock", "unsinn", "127.0.0.1:x"])
def test_where_nobody_listens_nobody_waits(address: str) -> None:
    began = time.monotonic()
    assert ask(address, b"x") is None
    assert time.monotonic() - began < 3  # a guard against waiting, not a measure of speed


@pytest.mark.parametrize("answer", ["", "HTTP/1.1 200 OK\r\n\r\n", "SPAMD/1.1 76 Bad header\r\n\r\n", "SPAMD/1.1 0 EX_OK\r\n\r\n"])
def test_an_answer_without_sense_is_no_answer(answer: str) -> None:
    assert read(answer) is None


@pytest.fixture(scope="module")
def spamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real one, with the rules that come along and without the net."""
    program = shutil.which("spamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        missing("spamassassin", "spamd is not installed")
    address = f"127.0.0.1:{free_port()}"
    command = [str(program), "-L", "-x", "-p", address.partition(":")[2], "-i", "127.0.0.1", "-r", str(tmp_path_factory.mktemp("spamd") / "pid")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            if ask(address, GTUBE):
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def test_the_real_one_knows_the_test_mail(spamd: str) -> None:
    report = ask(spamd, GTUBE)
    assert report
    assert report.score >= 1000
    assert "GTUBE" in report.rules


def test_a_letter_of_ours_is_none_to_the_real_one(spamd: str) -> None:
    parts = mail("letter")
    sender = Sender("Mira Lindner", parse("mira@saatgarten.example"), None, "saatbrief.saatgarten.example", "Der Saatbrief")
    letter = Letter(
        sender=sender, recipient=parse("ada@example.org"),
        subject="Einundneunzig Kilo Bohnen", text=parts.text, html=parts.html, reference="x", leave_url="https://briefe.example/u/abcdefgh",
        archive_url="https://briefe.example/archive/saatbrief/",
    )  # fmt: skip
    report = ask(spamd, compose(letter, datetime.now(UTC)))
    assert report
    assert report.score < 2, report.rules
