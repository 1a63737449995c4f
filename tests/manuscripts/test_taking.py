"""Manuscripts become issues; nobody gets a mail by it."""

import io
import os
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from newsletter.archive.models import Build
from newsletter.deliveries.models import Mailing
from newsletter.errors import Refused
from newsletter.federation.models import Ping
from newsletter.fetching import Answer, Unreachable, Web
from newsletter.issues.models import Issue
from newsletter.manuscripts.reading import read
from newsletter.manuscripts.taking import gather, take
from newsletter.media.models import Image
from newsletter.process import Process
from newsletter.publications.models import Publication
from tests.conftest import Browser
from tests.manuscripts.test_reading import packed
from tests.media.test_images import picture
from tests.support import cast

OLD = "---\ntitle: Die Bohne\ndate: 2024-03-01\nslug: die-bohne\nurl: https://alt.example/p/die-bohne\n---\n\n![Eine Bohne](bilder/bohne.png)\n\nText.\n"
OLDER = "---\ntitle: Der Kohl\ndate: 2023-03-01\n---\n\nText.\n"
DRAFT = "---\ntitle: Angefangen\n---\n\n![weg](https://bilder.example/weg.png)\n"
FILES = {"a.md": OLD, "b.md": OLDER, "c.md": DRAFT, "bilder/bohne.png": picture("PNG", (40, 20))}


class Gone(Web):
    """A net in which one picture is there."""

    def get(self, address: str, headers: object = None) -> Answer:
        if address.endswith("da.png"):
            return Answer(200, {}, picture("PNG", (30, 30)), address)
        raise Unreachable("weg")


def bring(process: Process, data: bytes, *, publish: bool) -> object:
    bundle = read("x.zip", data)
    pictures = gather(Gone(), bundle)
    with process.writing() as session:
        return take(session, process, session.get_one(Publication, 1), bundle, pictures, author_id=None, publish=publish)


@pytest.fixture
def house(process: Process) -> None:
    cast.publication(process)


@pytest.mark.usefixtures("house")
def test_letters_with_a_day_stand_in_the_archive_in_their_order(process: Process) -> None:
    outcome = bring(process, packed(FILES), publish=True)
    assert (outcome.published, len(outcome.issues), outcome.pictures) == (2, 3, 1)
    assert outcome.moved[1] == ("https://alt.example/p/die-bohne", "http://localhost/archive/saatbrief/die-bohne/")
    with process.reading() as session:
        rows = session.execute(select(Issue.number, Issue.subject, Issue.state, Issue.slug).order_by(Issue.number)).all()
        assert [tuple(row) for row in rows if row.number] == [(1, "Der Kohl", "published", "der-kohl"), (2, "Die Bohne", "published", "die-bohne")]
        bean = session.scalar(select(Issue).where(Issue.slug == "die-bohne"))
        assert bean.markdown.startswith("![Eine Bohne](/media/")
        assert bean.published_at.year == 2024
        assert session.scalar(select(func.count()).select_from(Mailing)) == 0
        assert session.scalar(select(func.count()).select_from(Ping)) == 0
        assert session.scalar(select(func.count()).select_from(Build)) == 1


@pytest.mark.usefixtures("house")
def test_drafts_are_drafts_and_a_picture_that_is_gone_is_named(process: Process) -> None:
    outcome = bring(process, packed(FILES), publish=False)
    assert outcome.published == 0
    assert ("c.md", "The picture https://bilder.example/weg.png could not be fetched.") in outcome.problems


@pytest.mark.usefixtures("house")
def test_pictures_are_fetched_and_kept_here(process: Process) -> None:
    bring(process, packed({"a.md": "---\ntitle: A\n---\n![x](https://bilder.example/da.png)"}), publish=False)
    with process.reading() as session:
        assert session.query(Image).one().original == "da.png"


def test_c7_nobody_fetches_from_a_network_of_ours(process: Process) -> None:
    bundle = read("a.md", b"---\ntitle: A\n---\n![x](http://127.0.0.1/x.png) ![y](http://169.254.169.254/y.png)")
    assert gather(Web(), bundle) == {}


@pytest.mark.usefixtures("house")
def test_what_is_there_already_is_not_doubled(process: Process) -> None:
    bring(process, packed(FILES), publish=True)
    outcome = bring(process, packed({"a.md": OLD}), publish=True)
    assert (outcome.published, outcome.problems) == (0, [("a.md", "It is in the archive already.")])


def test_the_page_brings_them_along(mira: Browser, process: Process) -> None:
    data = {"file": (io.BytesIO(packed(FILES)), "export.zip"), "goal": "archive"}
    page = mira.post("/admin/saatbrief/issues/import", data, content_type="multipart/form-data")
    assert page.status_code == 200
    assert "3 Briefe sind mitgekommen." in page.get_data(as_text=True)
    assert mira.client.get("/admin/saatbrief/issues/1/mailing").headers["Location"].endswith("/archive")
    wrong = {"file": (io.BytesIO(b"\0\1"), "x.bin")}
    assert mira.post("/admin/saatbrief/issues/import", wrong, content_type="multipart/form-data").status_code == 422
    assert mira.post("/admin/saatbrief/issues/import", {}, content_type="multipart/form-data").status_code == 422


@pytest.mark.usefixtures("house")
def test_a_head_that_is_too_long_stops_one_letter_and_not_the_others(process: Process) -> None:
    outcome = bring(process, packed({"a.md": "---\ntitle: A\n---\n" + os.urandom(2_600_000).hex(), "b.md": OLDER}), publish=False)
    assert len(outcome.issues) == 1
    assert len(outcome.problems) == 1


def test_refusals_carry_the_field() -> None:
    with pytest.raises(Refused) as caught:
        read("x", b"\0")
    assert caught.value.field == "file"
    assert replace(Web(), largest=5).largest == 5
