"""The pages on which an editor sees to the archive."""

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from newsletter.accounts.models import Membership
from newsletter.archive import building
from newsletter.archive.models import Build, Target
from newsletter.federation.models import Mention
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.models import Publication
from tests.archive.test_building import publish
from tests.conftest import Browser
from tests.support import cast
from tests.support.clock import Clock

LOOKS = {"theme": "poster", "visibility": "delayed", "delay_days": "5", "ai_crawlers": "refuse", "archive_base": "https://briefe.example", "hub": ""}


@pytest.fixture
def letter(mira: Browser, process: Process, clock: Clock) -> int:
    cast.reader(process, 1, "ben@example.org")
    return publish(process, clock)


def test_the_looks_are_chosen_and_the_archive_follows(mira: Browser, process: Process) -> None:
    answer = mira.post("/admin/saatbrief/archive/looks", LOOKS | {"own_accent": "yes", "accent": "#8a2b2b"})
    assert answer.status_code == 303
    with process.reading() as session:
        row = session.get_one(Publication, 1)
        assert (row.theme, row.accent, row.visibility, row.delay_days, row.archive_base) == ("poster", "#8a2b2b", "delayed", 5, "https://briefe.example/")
        build = session.scalars(select(Build).where(Build.state == "queued")).one()
    building.run(process, build.id)
    assert list((process.settings.archive_dir / "saatbrief" / "assets").glob("poster-*.css"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("theme", "../x"), ("visibility", "x"), ("delay_days", "-1"), ("delay_days", "bald"), ("ai_crawlers", "x"), ("archive_base", "ftp://x"), ("hub", "x")],
)
def test_looks_that_cannot_be_are_told_beside_the_field(mira: Browser, process: Process, field: str, value: str) -> None:
    answer = mira.post("/admin/saatbrief/archive/looks", LOOKS | {field: value})
    assert answer.status_code == 422
    assert 'class="error"' in answer.get_data(as_text=True)
    with process.reading() as session:
        assert session.get_one(Publication, 1).theme == "calm"


def test_a_target_is_added_shown_and_forgotten(mira: Browser, process: Process, tmp_path: Path) -> None:
    assert mira.post("/admin/saatbrief/archive/targets", {"kind": "folder", "place": str(tmp_path), "secret": ""}).status_code == 303
    assert str(tmp_path).rpartition("/")[2] in mira.get("/admin/saatbrief/archive").get_data(as_text=True)
    assert mira.post("/admin/saatbrief/archive/targets", {"kind": "folder", "place": str(tmp_path), "secret": ""}).status_code == 409
    for act in ("check", "pause", "send", "forget"):
        assert mira.post(f"/admin/saatbrief/archive/targets/1/{act}").status_code == 303
    with process.reading() as session:
        assert session.scalars(select(Target)).all() == []


@pytest.mark.parametrize(("kind", "place"), [("folder", "relative"), ("x", "/a"), ("rsync", "host:/x"), ("git", "ext::sh -c reboot"), ("s3", "s3://a")])
def test_a_target_that_cannot_be_is_refused_and_what_was_typed_stays(mira: Browser, kind: str, place: str) -> None:
    answer = mira.post("/admin/saatbrief/archive/targets", {"kind": kind, "place": place, "secret": ""})
    assert answer.status_code == 422
    assert f'value="{place}"' in answer.get_data(as_text=True)


def test_the_last_publish_is_taken_back(mira: Browser, process: Process, clock: Clock, letter: int) -> None:
    building.build_publication(process, 1)
    publish(process, clock, subject="Zweiter")
    building.build_publication(process, 1)
    assert mira.post("/admin/saatbrief/archive/back").status_code == 303
    assert not (process.settings.archive_dir / "saatbrief" / "zweiter").exists()
    assert (process.settings.archive_dir / "saatbrief" / "die-erste-bohne").exists()


def test_how_a_letter_appears_is_changed_on_its_page(mira: Browser, process: Process, letter: int) -> None:
    page = mira.get("/admin/saatbrief/issues/1/archive").get_data(as_text=True)
    assert "Diesen Brief können alle lesen." in page
    values = {"slug": "neu", "visibility": "subscribers", "series": "Kaffee", "tags": "Anbau, Öl", "authors": "Jost Brandt", "language": "", "listed_from": ""}
    assert mira.post("/admin/saatbrief/issues/1/archive", values | {"cover": "", "cover_alt": "", "counterpart_id": ""}).status_code == 303
    with process.reading() as session:
        row = session.get_one(Issue, 1)
        assert (row.slug, row.old_slugs, row.visibility, row.series, row.tags, row.authors) == (
            "neu", ["die-erste-bohne"], "subscribers", "Kaffee", ["Anbau", "Öl"], ["Jost Brandt"],
        )  # fmt: skip
    assert "Diesen Brief können nur Abonnenten lesen." in mira.get("/admin/saatbrief/issues/1/archive").get_data(as_text=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": "tags"},
        {"visibility": "x"},
        {"language": "fr"},
        {"listed_from": "morgen"},
        {"cover": "a.jpg"},
        {"counterpart_id": "99"},
        {"counterpart_id": "x"},
    ],
)
def test_what_cannot_be_is_told_and_nothing_changes(mira: Browser, process: Process, letter: int, wrong: dict[str, str]) -> None:
    values = {"slug": "die-erste-bohne", "visibility": "", "series": "neu", "tags": "", "authors": "", "language": "", "listed_from": "", "cover": ""}
    assert mira.post("/admin/saatbrief/issues/1/archive", values | wrong).status_code == 422
    with process.reading() as session:
        assert session.get_one(Issue, 1).series == ""


def test_mentions_are_decided_on(mira: Browser, process: Process, clock: Clock, letter: int) -> None:
    with process.writing() as session:
        row = {"publication_id": 1, "issue_id": 1, "target": "x", "state": "waiting", "created_at": clock(), "author": "Ben <b>", "words": "Schön & gut"}
        session.add_all([Mention(**row, source="https://a.example/1"), Mention(**row, source="https://a.example/2")])
    page = mira.get("/admin/saatbrief/mentions").get_data(as_text=True)
    assert "2 Seiten erwähnen dich und warten auf dein Wort." in page
    assert "Ben &lt;b&gt;" in page
    assert mira.post("/admin/saatbrief/mentions/1/show").status_code == 303
    assert mira.post("/admin/saatbrief/mentions/2/refuse").status_code == 303
    with process.reading() as session:
        assert list(session.scalars(select(Mention.state).order_by(Mention.id))) == ["shown", "refused"]
    assert mira.post("/admin/saatbrief/mentions/1/x").status_code == 404


def test_p4_a_letter_of_somebody_elses_publication_is_neither_shown_nor_taken(mira: Browser, process: Process, clock: Clock, letter: int) -> None:
    cast.publication(process, "fremd", name="Ein fremder Brief")
    with process.writing() as session:
        session.execute(delete(Membership).where(Membership.publication_id == 2))
    other = cast.issue(process, 2, "Ein fremdes Geheimnis")
    with process.writing() as session:
        row = session.get_one(Issue, other)
        row.state, row.number, row.published_at = "published", 1, clock()
    assert "fremdes Geheimnis" not in mira.get("/admin/saatbrief/issues/1/archive").get_data(as_text=True)
    values = {"slug": "die-erste-bohne", "counterpart_id": str(other)}
    assert mira.post("/admin/saatbrief/issues/1/archive", values).status_code == 422
    with process.reading() as session:
        assert session.get_one(Issue, other).counterpart_id is None
