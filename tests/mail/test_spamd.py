"""SpamAssassin is asked where its socket is there, and nothing waits for it where it is not."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.mail.spamd import Report, ask, read
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


@pytest.mark.skipif(shutil.which("spamd") is None, reason="SpamAssassin is not installed here")
def test_the_real_one_knows_the_test_mail(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [str(shutil.which("spamd")), "-L", "-x", "-p", str(port), "-i", "127.0.0.1", "-r", str(tmp_path / "pid")], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(150):
            report = ask(f"127.0.0.1:{port}", GTUBE)
            if report:
                break
            time.sleep(0.2)
        assert report
        assert report.score >= 1000
        assert "GTUBE" in report.rules
    finally:
        process.terminate()
        process.wait(20)
