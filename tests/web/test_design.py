"""How letters look: chosen on a page, seen while choosing, said when it cannot be read."""

import gzip

import pytest

from newsletter.process import Process
from newsletter.publications.models import Publication
from tests.conftest import Browser
from tests.support import cast

VALUES = {
    "mail_layout": "magazine", "mail_accent": "#884400", "mail_paper": "#ffffff", "mail_font": "sans", "mail_logo": "", "mail_logo_width": "120",
    "mail_footer": "Bis bald.",
}  # fmt: skip


def test_a_look_is_chosen_and_the_next_letter_has_it(mira: Browser, process: Process) -> None:
    issue_id = cast.issue(process, 1)
    assert mira.post("/admin/saatbrief/design", VALUES).status_code == 303
    html = mira.client.get(f"/admin/saatbrief/issues/{issue_id}/preview/mail").get_data(as_text=True)
    assert "#884400" in html
    assert "Bis bald." in html
    assert "font-size:44px" in html


def test_it_is_seen_before_it_is_saved(mira: Browser, process: Process) -> None:
    state = mira.post("/admin/saatbrief/design/look", VALUES | {"mail_layout": "digest"}).get_json()
    assert "font-size:28px" in state["html"]
    assert "gut lesen" in state["words"][0]
    with process.reading() as session:
        assert session.get_one(Publication, 1).mail_layout == "letter"


@pytest.mark.parametrize(("more", "words"), [({"mail_paper": "#404040"}, "zu blass"), ({"mail_accent": "#ffee66"}, "bekommen Links")])
def test_what_cannot_be_read_is_said(mira: Browser, more: dict[str, str], words: str) -> None:
    assert any(words in line for line in mira.post("/admin/saatbrief/design/look", VALUES | more).get_json()["words"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail_layout": "../x"}, {"mail_font": "comic"}, {"mail_accent": "red"}, {"mail_paper": "url(x)"}, {"mail_logo": "x.png"},
        {"mail_logo_width": "9999"}, {"mail_footer": "x" * 700},
    ],
)  # fmt: skip
def test_what_cannot_stand_is_refused_with_its_field(mira: Browser, process: Process, wrong: dict[str, str]) -> None:
    assert mira.post("/admin/saatbrief/design", VALUES | wrong).status_code == 422
    assert "problem" in mira.post("/admin/saatbrief/design/look", VALUES | wrong).get_json()
    with process.reading() as session:
        assert session.get_one(Publication, 1).mail_layout == "letter"


def test_static_files_are_packed_for_browsers_that_take_it(mira: Browser) -> None:
    with mira.client.get("/static/vendor/codemirror.js", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = response.get_data()
    with mira.client.get("/static/vendor/codemirror.js") as response:
        assert "Content-Encoding" not in response.headers
        assert gzip.decompress(packed) == response.get_data()
