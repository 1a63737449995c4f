"""``brieftaube run`` and its kin as real processes: start, crash, stop, and one sentence when it cannot be."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.catcher.store import Store
from tests.support.services import free_port, new_database

BRIEFTAUBE = [sys.executable, "-W", "error", "-m", "newsletter"]


def environment(data_dir: Path, **more: object) -> dict[str, str]:
    return (
        os.environ
        | {"BRIEFTAUBE_DATA_DIR": str(data_dir), "BRIEFTAUBE_CONFIG": "/nowhere", "BRIEFTAUBE_UNDO_SECONDS": "0"}
        | {f"BRIEFTAUBE_{name.upper()}": str(value) for name, value in more.items()}
    )


def call(data_dir: Path, *words: str, check: bool = True, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BRIEFTAUBE, *words], env=environment(data_dir, **more), capture_output=True, text=True, check=check, timeout=120)


class Running:
    """``brieftaube run`` and what it says."""

    def __init__(self, data_dir: Path, **more: object) -> None:
        self.data_dir, self.port = data_dir, free_port()
        data_dir.mkdir(parents=True, exist_ok=True)
        with (data_dir / "log").open("w") as log:
            command = [*BRIEFTAUBE, "run", "--port", str(self.port)]
            self.process = subprocess.Popen(command, env=environment(data_dir, **more), stderr=log, start_new_session=True)
        self.wait()

    def wait(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                    if answer.status == 200 and "worker is ready" in self.said:
                        return
            except OSError:
                pass
            assert self.process.poll() is None, self.said
            time.sleep(0.1)
        raise AssertionError(self.said)

    @property
    def said(self) -> str:
        return (self.data_dir / "log").read_text()

    def children(self) -> dict[str, int]:
        """The names and numbers of our processes."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    found[(folder / "cmdline").read_bytes().split(b"\0")[-2].decode()] = int(folder.name)
            except (OSError, IndexError, ValueError):
                continue
        return found

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path / "data")
    yield found
    found.stop()


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@needs_proc
def test_what_crashes_starts_again_and_one_interrupt_stops_all(running: Running) -> None:
    before = running.children()
    assert set(before) == {"smtpd", "web", "worker"}
    os.kill(before["web"], signal.SIGKILL)
    time.sleep(0.5)
    running.wait()
    assert running.children()["web"] != before["web"]
    assert running.children()["worker"] == before["worker"]
    children = running.children()
    running.stop()
    assert running.process.returncode == 0
    for number in children.values():
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


@needs_proc
def test_a_killed_supervisor_leaves_no_orphan(running: Running) -> None:
    children = running.children()
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(5)
    deadline = time.monotonic() + 10
    alive = list(children.values())
    while alive and time.monotonic() < deadline:
        time.sleep(0.1)
        alive = [number for number in alive if Path(f"/proc/{number}").exists()]
    assert not alive


def test_the_set_up_address_is_printed_while_nobody_has_an_account(running: Running) -> None:
    assert re.search(rf"http://127\.0\.0\.1:{running.port}/setup/[\w-]{{32}}", running.said)


def test_a_taken_port_is_one_sentence(running: Running, tmp_path: Path) -> None:
    done = call(tmp_path / "other", "run", "--port", str(running.port), check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(running.port) in done.stderr


def test_a_second_worker_without_a_broker_is_refused(running: Running) -> None:
    done = call(running.data_dir, "worker", check=False)
    assert done.returncode == 1
    assert "Another worker" in done.stderr


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call(tmp_path / "file" / "data", "run", check=False)
    assert done.returncode == 1
    assert "DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_a_newer_version_is_one_sentence(tmp_path: Path) -> None:
    import sqlite3

    call(tmp_path, "db", "upgrade")
    with sqlite3.connect(tmp_path / "brieftaube.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    done = call(tmp_path, "run", "--port", str(free_port()), check=False)
    assert done.returncode == 1
    assert "9999" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    """The limit on file sizes stands in for a full disk: both end a write in the middle."""
    import resource

    call(tmp_path, "db", "upgrade")
    limit = (tmp_path / "brieftaube.db").stat().st_size + 4096

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run([*BRIEFTAUBE, "demo"], env=environment(tmp_path), capture_output=True, text=True, check=False, preexec_fn=small, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert call(tmp_path, "publication", "list", "--json").stdout.strip() == "[]"


def test_the_contract_of_the_commands(running: Running, tmp_path: Path) -> None:
    """A publication, a letter, a mailing and an archive by commands alone, while the program runs."""
    data = running.data_dir
    imprint = ("--imprint-person", "Mira", "--imprint-street", "Am Anger 4", "--imprint-place", "02625 Bautzen", "--imprint-email", "mira@saat.example")
    made = json.loads(call(data, "publication", "add", "--slug", "brief", "--name", "Der Brief", "--from", "mira@saat.example", "--json").stdout)
    assert made["slug"] == "brief"
    assert call(data, "publication", "add", "--slug", "brief", "--name", "x", "--from", "mira@saat.example", check=False).returncode == 1
    assert json.loads(call(data, "publication", "list", "--json").stdout)[0]["name"] == "Der Brief"
    (tmp_path / "a.md").write_text("---\nsubject: Ein Betreff\npreheader: Vorschau\ntags: eins, zwei\n---\n\n{{ anrede }},\n\nText.\n")
    issue = json.loads(call(data, "issue", "add", str(tmp_path / "a.md"), "--publication", "brief", "--json").stdout)
    assert issue["slug"] == "ein-betreff"
    checked = call(data, "issue", "check", str(issue["id"]), "--json", check=False)
    assert (checked.returncode, [row["id"] for row in json.loads(checked.stdout)["findings"]]) == (1, ["imprint-missing"])
    call(data, "issue", "render", str(issue["id"]), "--to", str(tmp_path / "out"), check=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"mail.eml", "mail.html", "mail.txt", "web.html"}
    unlawful = call(data, "issue", "send", str(issue["id"]), check=False)
    assert unlawful.returncode == 1
    assert unlawful.stderr.startswith("The imprint is not complete. Name, street")
    assert json.loads(call(data, "publication", "change", "brief", *imprint, "--json").stdout)["imprint_complete"] is True
    nobody = call(data, "issue", "send", str(issue["id"]), check=False)
    assert nobody.returncode == 1
    assert "no active subscriber" in nobody.stderr
    _subscribe(running, "ada@example.org")
    mailing = json.loads(call(data, "issue", "send", str(issue["id"]), "--wait", "--json").stdout)["mailing"]
    shown = json.loads(call(data, "mailing", "show", str(mailing), "--json").stdout)
    assert (shown["state"], shown["audience"], shown["counts"]["accepted"]) == ("finished", 1, 1)
    assert set(shown["counts"]) == {"planned", "claimed", "handing_over", "accepted", "deferred", "refused", "uncertain", "skipped", "expired", "cancelled"}
    person = json.loads(call(data, "subscribers", "show", "ada@example.org", "--publication", "brief", "--json").stdout)
    assert (person["state"], person["channel"]) == ("active", "Instagram")
    assert [row["kind"] for row in person["consents"]] == ["asked", "confirmed"]
    assert person["deliveries"][0]["state"] == "accepted"
    built = json.loads(call(data, "archive", "build", "--json").stdout)
    assert {"written", "unchanged", "removed", "seconds"} <= set(built)
    assert (data / "archive" / "brief" / "ein-betreff" / "index.html").exists()
    assert call(data, "mailing", "pause", str(mailing), check=False).returncode == 1
    assert json.loads(call(data, "check", "--json", check=False, catcher_port=1).stdout)["findings"]
    assert call(data, "mailing", "show", "999", check=False).stderr == "There is no such mailing.\n"
    assert call(data, "nonsense", check=False).returncode == 2


def _subscribe(running: Running, email: str) -> None:
    """As a person would: form, mail, page, button."""
    import urllib.parse

    base = f"http://127.0.0.1:{running.port}"

    def post(path: str, **fields: str) -> str:
        with urllib.request.urlopen(base + path, urllib.parse.urlencode(fields).encode(), timeout=10) as answer:
            return answer.read().decode()

    post("/p/brief/subscribe", email=email, via="instagram")
    store = Store(running.data_dir)
    deadline = time.monotonic() + 15
    while not store.latest(recipient=email):
        assert time.monotonic() < deadline, running.said
        time.sleep(0.1)
    text = store.get(store.latest(recipient=email)[0].id).body("plain")
    path = re.search(r"http://[^/]+(/confirm/\S+)", text).group(1)
    with urllib.request.urlopen(base + path, timeout=10) as answer:
        pressed = re.search(r'name="pressed" value="([^"]+)"', answer.read().decode()).group(1)
    time.sleep(2.1)
    post(path, pressed=pressed)


@pytest.mark.parametrize("head", ["subject: x\n---\n", "nonsense: y\n---\nsubject: x\n"])
def test_a_broken_head_names_its_line(tmp_path: Path, head: str) -> None:
    file = tmp_path / "a.md"
    file.write_text(f"---\n{head}" if "nonsense" in head else "---\nsubject x\n---\n")
    done = call(tmp_path / "data", "issue", "add", str(file), "--publication", "x", check=False)
    assert done.returncode == 1
    assert "Line 2" in done.stderr


@pytest.mark.xdist_group("soak")
def test_two_thousand_letters_while_the_worker_is_killed_again_and_again(tmp_path: Path) -> None:
    """The promise: the sum is the audience, nobody twice, nobody lost, and the mail server's journal settles the rest."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from benchmarks.soak import Trial, soak

    result = soak(tmp_path / "data", Trial(readers=2000, rate=400))
    assert result.kills >= 2
    assert result.uncertain <= 4 * result.kills
    assert not result.broken, result


@pytest.mark.postgres
def test_the_program_runs_on_postgresql(tmp_path: Path, postgres_server: str) -> None:
    found = Running(tmp_path / "data", database_url=new_database(postgres_server))
    try:
        assert "ok postgresql" in urllib.request.urlopen(f"http://127.0.0.1:{found.port}/readyz", timeout=5).read().decode()
    finally:
        found.stop()
