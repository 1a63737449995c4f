"""The pictures of a publication: searched, described, aimed, used, thrown away (C6)."""

import io
from pathlib import Path

import pytest
from PIL import Image as Pillow

from newsletter.issues.models import Issue
from newsletter.media.models import Image
from newsletter.process import Process
from tests.conftest import Browser
from tests.support import cast


@pytest.fixture
def image(mira: Browser, process: Process) -> Image:
    data = {"file": (io.BytesIO(half()), "Bohnen im Beet.png")}
    assert mira.post("/admin/saatbrief/pictures", data, content_type="multipart/form-data").status_code == 303
    with process.reading() as session:
        return session.query(Image).one()


def half() -> bytes:
    """Red on the left, blue on the right, four times as wide as high."""
    out = io.BytesIO()
    canvas = Pillow.new("RGB", (1600, 400), "red")
    canvas.paste("blue", (800, 0, 1600, 400))
    canvas.save(out, "PNG")
    return out.getvalue()


def page(mira: Browser, query: str = "") -> str:
    return str(mira.client.get(f"/admin/saatbrief/pictures{query}").get_data(as_text=True))


def test_a_picture_is_found_by_its_file_and_by_what_it_shows(mira: Browser, image: Image) -> None:
    assert image.name in page(mira, "?q=beet")
    assert image.name not in page(mira, "?q=kohl")
    mira.post(f"/admin/saatbrief/pictures/{image.id}", {"alt": "Rosenkohl im <Reif>"})
    assert image.name in page(mira, "?q=kohl reif")
    assert "Rosenkohl im &lt;Reif&gt;" in page(mira)


def test_a_crop_keeps_the_point_in_sight(mira: Browser, process: Process, image: Image) -> None:
    folder: Path = process.settings.data_dir / "media"

    def middle(name: str) -> tuple[int, int, int]:
        with Pillow.open(folder / name) as shown:
            assert shown.size == (1104, 552)
            return shown.getpixel((552, 276))

    mira.post(f"/admin/saatbrief/pictures/{image.id}", {"focus_x": "100", "focus_y": "50"})
    with process.reading() as session:
        crop = session.get_one(Image, image.id).crop
    assert crop != image.crop
    assert middle(crop)[2] > 200  # blue
    mira.post(f"/admin/saatbrief/pictures/{image.id}", {"focus_x": "-50", "focus_y": "500"})
    with process.reading() as session:
        row = session.get_one(Image, image.id)
    assert (row.focus_x, row.focus_y) == (0, 100)
    assert middle(row.crop)[0] > 200  # red
    assert (folder / image.crop).exists()
    with mira.client.get(f"/media/{row.crop}") as response:
        assert response.status_code == 200


def test_where_a_picture_is_used_is_shown_and_only_an_unused_one_can_be_deleted(mira: Browser, process: Process, image: Image) -> None:
    issue_id = cast.issue(process, 1, markdown=f"![a](/media/{image.name})")
    assert "Die erste Bohne" in page(mira)
    assert image.name not in page(mira, "?unused=1")
    assert mira.post(f"/admin/saatbrief/pictures/{image.id}/delete").status_code == 409
    with process.writing() as session:
        session.get_one(Issue, issue_id).markdown = "ohne"
    assert image.name in page(mira, "?unused=1")
    # The version from before still shows it.
    assert mira.post(f"/admin/saatbrief/pictures/{image.id}/delete").status_code == 409


def test_an_unused_picture_goes_with_everything_that_was_made_of_it(mira: Browser, process: Process, image: Image) -> None:
    assert mira.post(f"/admin/saatbrief/pictures/{image.id}/delete").status_code == 303
    assert list((process.settings.data_dir / "media").iterdir()) == []


@pytest.mark.parametrize("data", [b"<svg onload=alert(1)>", b"", b"\x89PNG\r\n\x1a\nkaputt"])
def test_what_is_no_picture_is_refused_with_a_sentence(mira: Browser, data: bytes) -> None:
    response = mira.post("/admin/saatbrief/pictures", {"file": (io.BytesIO(data), "x.png")}, content_type="multipart/form-data")
    assert response.status_code == 422
    assert 'role="alert"' in response.get_data(as_text=True)


def test_a_picture_of_another_publication_cannot_be_touched(mira: Browser, process: Process, image: Image) -> None:
    cast.publication(process, "anderer")
    with process.writing() as session:
        session.get_one(Image, image.id).publication_id = 2
    assert mira.post(f"/admin/saatbrief/pictures/{image.id}", {"alt": "x"}).status_code == 404
