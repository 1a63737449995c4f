"""How issues appear: who may read them, under which name, and what happens when the program is away."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from archive_site.state import State
from newsletter.archive import actions, building, publishing, queries
from newsletter.archive.models import Build, Target
from newsletter.deliveries.models import Mailing
from newsletter.errors import Conflict, Refused
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.models import Publication
from tests.archive.test_building import publish
from tests.conftest import Browser
from tests.support import cast, hosts
from tests.support.clock import Clock
from tests.support.services import free_port


@pytest.fixture
def out(process: Process, clock: Clock) -> Path:
    cast.publication(process)
    cast.reader(process, 1)
    return process.settings.archive_dir / "saatbrief"


def build(process: Process, issue_id: int | None = None) -> Build:
    with process.writing() as session:
        build_id = actions.request_build(session, publication_id=1, issue_id=issue_id, now=process.clock())
    building.run(process, build_id)
    with process.reading() as session:
        return session.get_one(Build, build_id)


def appear(process: Process, issue_id: int, slug: str = "", **values: object) -> None:
    with process.writing() as session:
        actions.appear(session, session.get_one(Issue, issue_id), values=values, slug=slug, now=process.clock())


def test_a_new_letter_touches_few_files_and_reads_no_other(process: Process, clock: Clock, out: Path) -> None:
    for _ in range(4):
        build(process, publish(process, clock))
    first = build(process)
    assert (first.written, first.problem) == (0, "")
    row = build(process, publish(process, clock))
    assert 0 < row.written <= 40
    # Found out and told come to the same.
    assert build(process).written == 0


def test_a_renamed_letter_leaves_a_way(process: Process, clock: Clock, out: Path) -> None:
    issue_id = publish(process, clock)
    build(process)
    appear(process, issue_id, "neu")
    build(process, issue_id)
    assert 'url=../neu/"' in (out / "die-erste-bohne" / "index.html").read_text()
    appear(process, issue_id, "die-erste-bohne")
    build(process, issue_id)
    assert "Herzlich" in (out / "die-erste-bohne" / "index.html").read_text()
    assert 'url=../die-erste-bohne/"' in (out / "neu" / "index.html").read_text()


@pytest.mark.parametrize("slug", ["tags", "2026", "..", "Ä", "a b", "x" * 200, "feed"])
def test_a_name_that_cannot_be_an_address_is_refused(process: Process, clock: Clock, out: Path, slug: str) -> None:
    with pytest.raises(Refused):
        appear(process, publish(process, clock), slug)


def test_a_name_that_another_letter_had_is_refused(process: Process, clock: Clock, out: Path) -> None:
    first, second = publish(process, clock), publish(process, clock, subject="Zweiter")
    appear(process, first, "neu")
    for slug in ("neu", "die-erste-bohne"):
        with pytest.raises(Conflict):
            appear(process, second, slug)


def test_the_two_languages_of_a_letter_point_at_each_other_across_publications(process: Process, clock: Clock, out: Path) -> None:
    cast.publication(process, "seedletter", language="en", name="Seed Letter")
    german = publish(process, clock)
    english = cast.issue(process, 2, "The first bean")
    with process.writing() as session:
        row = session.get_one(Issue, english)
        row.state, row.number, row.published_at = "published", 1, clock() - timedelta(minutes=1)
    appear(process, german, counterpart_id=english)
    for publication_id in (1, 2):
        building.build_publication(process, publication_id)
    assert 'hreflang="en" href="http://localhost/archive/seedletter/the-first-bean/"' in (out / "die-erste-bohne" / "index.html").read_text()
    page = (out.parent / "seedletter" / "the-first-bean" / "index.html").read_text()
    assert 'hreflang="de" href="http://localhost/archive/saatbrief/die-erste-bohne/"' in page
    appear(process, english, counterpart_id=None)
    building.build_publication(process, 1)
    assert "hreflang" not in (out / "die-erste-bohne" / "index.html").read_text()


def web_address(process: Process) -> str:
    with process.reading() as session:
        html = session.scalars(select(Mailing).order_by(Mailing.id.desc())).first().content["html"]
    return re.search(r'href="(http://localhost/(?:read|archive)/[^"]+)"', html).group(1)


@pytest.mark.parametrize("visibility", ["subscribers", "delayed"])
def test_subscribers_read_by_the_signed_address_in_their_mail(process: Process, clock: Clock, mira: Browser, visibility: str) -> None:
    cast.reader(process, 1, "ben@example.org")
    out = process.settings.archive_dir / "saatbrief"
    with process.writing() as session:
        session.get_one(Publication, 1).visibility = visibility
    publish(process, clock)
    build(process)
    address = web_address(process)
    assert address.startswith("http://localhost/read/")
    assert not (out / "die-erste-bohne").exists()
    answer = mira.get(address.removeprefix("http://localhost"))
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Herzlich" in page) == (200, True)
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert 'content="noindex"' in page
    stylesheet = re.search(r'rel="stylesheet" href="([^"]+)"', page).group(1)
    with mira.get(stylesheet) as found:
        assert found.status_code == 200
    assert mira.get(address.removeprefix("http://localhost")[:-2]).status_code == 404


def test_the_mail_of_a_public_letter_names_its_place_in_the_archive(process: Process, clock: Clock, out: Path) -> None:
    publish(process, clock)
    assert web_address(process) == "http://localhost/archive/saatbrief/die-erste-bohne/"
    with process.writing() as session:
        session.get_one(Publication, 1).archive_base = "https://briefe.example/"
    issue_id = publish(process, clock, subject="Zweiter")
    build(process)
    assert '<link rel="canonical" href="https://briefe.example/zweiter/">' in (out / "zweiter" / "index.html").read_text()
    assert issue_id == 2


def test_a_delayed_letter_appears_by_an_appointment_that_survives_a_clock_going_back(process: Process, clock: Clock, out: Path) -> None:
    with process.writing() as session:
        session.get_one(Publication, 1).visibility = "delayed"
    issue_id = publish(process, clock)
    build(process, issue_id)
    with process.reading() as session:
        row = session.scalars(select(Build).where(Build.state == "queued")).one()
        issue = session.get_one(Issue, issue_id)
        assert row.next_attempt_at == issue.published_at + timedelta(days=3)
    clock.forward(days=3)
    building.run(process, row.id)
    assert (out / "die-erste-bohne" / "index.html").exists()
    clock.forward(days=-10)
    build(process)
    assert (out / "die-erste-bohne" / "index.html").exists()


def test_an_issue_that_rendering_refuses_is_named_and_the_rest_is_built(process: Process, clock: Clock, out: Path) -> None:
    issue_id = publish(process, clock)
    build(process)
    with process.writing() as session:
        row = session.get_one(Issue, issue_id)
        row.markdown, row.appearance = "> " * 2000 + "tief", row.appearance + 1
    other = publish(process, clock, subject="Zweiter")
    row = build(process)
    assert "die-erste-bohne" in row.problem
    assert "Herzlich" in (out / "die-erste-bohne" / "index.html").read_text()
    assert (out / "zweiter" / "index.html").exists()
    assert other == 2


def target(process: Process, **values: str) -> int:
    with process.writing() as session:
        home = process.settings.data_dir / "targets"
        return actions.add_target(session, process.tokens, publication_id=1, home=home, now=process.clock(), **values)


def serve(process: Process, target_id: int) -> Target:
    publishing.run(process, target_id)
    with process.reading() as session:
        return session.get_one(Target, target_id)


def test_a_target_follows_every_build_and_its_secret_is_stored_encrypted(process: Process, clock: Clock, out: Path, tmp_path: Path) -> None:
    publish(process, clock)
    build(process)
    with hosts.webdav(tmp_path / "dav") as host:
        target_id = target(process, kind="webdav", place=host.place, secret=host.secret)
        row = serve(process, target_id)
        assert (row.problem, row.wish, "geheim" in row.secret) == ("", "check", False)
        assert row.files == len([path for path in out.rglob("*") if path.is_file()])
        build(process, publish(process, clock, subject="Zweiter"))
        serve(process, target_id)
        assert (host.folder / "zweiter" / "index.html").read_bytes() == (out / "zweiter" / "index.html").read_bytes()


def test_a_target_that_is_away_is_tried_again_and_keeps_its_last_good_state(process: Process, clock: Clock, out: Path, tmp_path: Path) -> None:
    publish(process, clock)
    build(process)
    (tmp_path / "disk").mkdir()
    target_id = target(process, kind="folder", place=str(tmp_path / "disk" / "www"), secret="")
    good = serve(process, target_id).good_at
    (tmp_path / "disk").rename(tmp_path / "away")
    clock.forward(minutes=1)
    build(process, publish(process, clock, subject="Zweiter"))
    row = serve(process, target_id)
    assert (row.good_at, row.attempts, "disk" in row.problem) == (good, 1, True)
    assert row.next_attempt_at > clock()
    (tmp_path / "away").rename(tmp_path / "disk")
    clock.forward(hours=1)
    row = serve(process, target_id)
    assert (row.problem, row.attempts) == ("", 0)
    assert (tmp_path / "disk" / "www" / "zweiter" / "index.html").exists()


def test_what_somebody_changed_by_hand_is_found_and_mended(process: Process, clock: Clock, out: Path, tmp_path: Path) -> None:
    publish(process, clock)
    build(process)
    target_id = target(process, kind="folder", place=str(tmp_path / "www"), secret="")
    serve(process, target_id)
    (tmp_path / "www" / "index.html").write_text("by hand")
    (tmp_path / "www" / "atom.xml").unlink()
    clock.forward(days=8)
    row = serve(process, target_id)
    assert (row.wrong, row.checked_at) == (2, clock())
    assert (tmp_path / "www" / "index.html").read_bytes() == (out / "index.html").read_bytes()


def test_a_new_target_with_an_old_number_gets_everything(process: Process, clock: Clock, out: Path, tmp_path: Path) -> None:
    publish(process, clock)
    build(process)
    first = target(process, kind="folder", place=str(tmp_path / "one"), secret="")
    serve(process, first)
    with process.writing() as session:
        actions.wish(session, session.get_one(Target, first), what="forget", now=clock())
    clock.forward(minutes=1)
    second = target(process, kind="folder", place=str(tmp_path / "two"), secret="")
    serve(process, second)
    assert (tmp_path / "two" / "index.html").exists()


@pytest.fixture
def program(process: Process, clock: Clock, out: Path, tmp_path: Path) -> Iterator[Callable[[], int]]:
    """The real program with a web server that keeps the archive elsewhere."""
    publish(process, clock)
    build(process)
    target_id = target(process, kind="folder", place=str(tmp_path / "www" / "archive" / "saatbrief"), secret="")
    (tmp_path / "www" / "archive").mkdir(parents=True)
    assert serve(process, target_id).problem == ""
    process.engine.dispose()
    port = free_port()
    environment = {
        "BRIEFTAUBE_DATA_DIR": str(process.settings.data_dir),
        "BRIEFTAUBE_PORT": str(port),
        "BRIEFTAUBE_CONFIG": "/nowhere",
        "PATH": "/usr/bin:/bin",
    }
    child = subprocess.Popen([sys.executable, "-m", "newsletter", "run"], env=os.environ | environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def stop() -> int:
        child.terminate()
        return child.wait(60)

    for _ in range(200):
        try:
            if urllib.request.urlopen(f"http://127.0.0.1:{port}/archive/saatbrief/", timeout=2).status == 200:
                break
        except OSError:
            time.sleep(0.1)
    stop.port = port  # type: ignore[attr-defined]
    try:
        yield stop
    finally:
        child.kill()
        child.wait()


def test_the_archive_stays_up_and_whole_while_the_program_is_down(program: Callable[[], int], process: Process, tmp_path: Path) -> None:
    here = f"http://127.0.0.1:{program.port}/archive/saatbrief/"  # type: ignore[attr-defined]
    assert urllib.request.urlopen(here).status == 200
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *arguments: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path / "www")))
    Thread(target=server.serve_forever, daemon=True).start()
    assert program() == 0
    shutil.rmtree(process.settings.data_dir)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(here)
    elsewhere, seen, waiting = f"http://127.0.0.1:{server.server_port}/archive/saatbrief/", set(), [""]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = urllib.request.urlopen(elsewhere + path)
        assert answer.status == 200
        if answer.headers["Content-Type"].startswith("text/html"):
            text = answer.read().decode()
            for address in re.findall(r'(?:href|src)="([^"#:?]+)"', text):
                goal = urllib.parse.urljoin(elsewhere + path, address)
                if goal.startswith(elsewhere):
                    waiting.append(goal.removeprefix(elsewhere))
    assert {"die-erste-bohne/", "feeds/", "atom.xml", "tags/", "imprint/", "search/"} <= seen
    server.shutdown()
    server.server_close()


def test_the_memory_of_the_archive_holds_no_person(process: Process, clock: Clock, out: Path) -> None:
    publish(process, clock)
    build(process)
    state = State(out.parent / ".saatbrief.releases" / "state.db")
    try:
        assert not any("ada@" in line or "Ada Lorenzen" in line for line in state.db.iterdump())
    finally:
        state.close()


def test_what_is_public_can_be_taken_along_and_built_without_us(process: Process, clock: Clock, out: Path, tmp_path: Path) -> None:
    publish(process, clock)
    secret = publish(process, clock, subject="Geheim")
    appear(process, secret, visibility="subscribers")
    build(process)
    with process.reading() as session:
        assert building.export(session, process, session.get_one(Publication, 1), tmp_path / "taken") == 1
    subprocess.run([sys.executable, "-m", "archive_site", str(tmp_path / "taken"), str(tmp_path / "built")], check=True, capture_output=True)
    ours = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    theirs = {path.relative_to(tmp_path / "built"): path.read_bytes() for path in (tmp_path / "built").rglob("*") if path.is_file()}
    assert theirs == ours
    assert not any("geheim" in str(path) for path in (tmp_path / "taken").rglob("*"))


@pytest.mark.parametrize("subject", ["About", "Search", "2026", "Feeds", "Series", "日本"])
def test_a_letter_that_is_called_as_a_page_of_the_archive_gets_another_name(process: Process, clock: Clock, out: Path, subject: str) -> None:
    row = build(process, publish(process, clock, subject=subject))
    assert row.problem == ""
    with process.reading() as session:
        assert (out / session.get_one(Issue, 1).slug / "index.html").exists()


def test_what_changes_while_a_build_is_on_its_way_is_built_by_the_next(process: Process, clock: Clock, out: Path) -> None:
    with process.writing() as session:
        build_id = actions.request_build(session, publication_id=1, now=clock())
    with process.reading() as session:
        touched = queries.touched(session, 1)
    report = building.build_publication(process, 1)
    # The build has read what there was, and is not yet settled.
    issue_id = publish(process, clock)
    with process.writing() as session:
        assert actions.request_build(session, publication_id=1, issue_id=issue_id, now=clock()) == build_id
        actions.settle(session, build_id, report, touched=touched, now=clock())
    with process.reading() as session:
        again = session.scalars(select(Build.id).where(Build.state == "queued")).one()
    building.run(process, again)
    assert (out / "die-erste-bohne" / "index.html").exists()
