"""The studio: what is typed as it will be seen, what is pasted, two who write at once, comments, snippets, polls."""

import time

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from newsletter.issues import queries
from newsletter.issues.models import Comment, Issue
from newsletter.notices.models import Notice
from newsletter.process import Process
from tests.conftest import Browser
from tests.rendering.test_document import XSS
from tests.support import cast
from tests.support.clock import Clock

JSON = {"Accept": "application/json"}


@pytest.fixture
def issue(mira: Browser, process: Process) -> int:
    return cast.issue(process, 1, markdown="Eins.\n\nZwei.\n\nDrei.")


def look(mira: Browser, issue: int, **values: str) -> dict[str, object]:
    typed = {"subject": "Ein Betreff", "preheader": "Vorschau", "markdown": "Hallo {{ vorname|du }}"} | values
    return mira.post(f"/admin/saatbrief/issues/{issue}/look", typed).get_json()


@pytest.mark.parametrize(
    ("medium", "shown"),
    [
        ("mail", "Hallo Mira"), ("dark", "@media all"), ("inverted", "invert(1)"), ("bare", "no-picture"), ("text", "<pre>Der Saatbrief"), ("web", "Hallo du"),
        ("feed", "Hallo du"), ("card", "data:image/png;base64,"), ("inbox", "GMX, WEB.DE"),
    ],
)  # fmt: skip
def test_what_is_typed_is_seen_in_every_medium_and_nothing_is_saved(mira: Browser, process: Process, issue: int, medium: str, shown: str) -> None:
    assert shown in look(mira, issue, medium=medium)["html"]
    with process.reading() as session:
        assert session.get_one(Issue, issue).markdown.startswith("Eins.")


def test_a_letter_is_read_as_somebody_else(mira: Browser, process: Process, issue: int) -> None:
    cast.reader(process, 1, "ada@example.org", "Ada Lorenzen")
    assert "Hallo Ada" in look(mira, issue, reader="ada@example.org")["html"]
    assert "Hallo du" in look(mira, issue, reader="-")["html"]
    state = look(mira, issue, reader="niemand@example.org")
    assert "niemand@example.org" in state["reader"]
    assert mira.client.get("/admin/saatbrief/readers.json").get_json() == ["ada@example.org"]


@pytest.mark.parametrize("vector", XSS)
def test_c1_nothing_that_is_typed_acts_in_any_field(mira: Browser, issue: int, vector: str) -> None:
    fields = {"subject": vector, "preheader": vector, "markdown": f"## {vector}\n\n::: hinweis {vector}\n{vector}\n:::"}
    for medium in ("mail", "feed", "card", "inbox", "web"):
        ours = {"form", "script"} if medium == "web" else set()
        for node in BeautifulSoup(str(look(mira, issue, medium=medium, **fields)["html"]), "html.parser").find_all(True):
            assert node.name not in {"script", "iframe", "object", "svg", "form", "base"} - ours, (medium, node)
            assert not [name for name in node.attrs if name.startswith("on")], (medium, node)
            assert not str(node.get("href", node.get("src", ""))).lower().startswith(("javascript:", "vbscript:", "data:text")), (medium, node)


def test_rich_text_and_tables_become_markdown(mira: Browser) -> None:
    assert mira.post("/admin/saatbrief/paste", {"html": "<h2>Titel</h2><p>Ein <b>Wort</b></p>"}).get_json()["markdown"] == "## Titel\n\nEin **Wort**"
    assert mira.post("/admin/saatbrief/paste", {"table": "a\tb\n1\t2"}).get_json()["markdown"] == "| a | b |\n|---|---|\n| 1 | 2 |"
    assert "Bilder" in mira.post("/admin/saatbrief/paste", {"html": '<p>x</p><img src="https://a.example/x.png" alt="a">'}).get_json()["said"]


def save(browser: Browser, issue: int, revision: int, markdown: str, base: str | None = None) -> object:
    data = {"revision": str(revision), "subject": "Ein Betreff", "preheader": "", "markdown": markdown, "tags": ""}
    if base is not None:
        data |= {"base_subject": "Ein Betreff", "base_preheader": "", "base_markdown": base}
    return browser.post(f"/admin/saatbrief/issues/{issue}", data, headers=JSON)


def test_two_who_write_at_once_find_both_changes_in_the_text(mira: Browser, process: Process, issue: int) -> None:
    assert save(mira, issue, 1, "Eins!\n\nZwei.\n\nDrei.").status_code == 200
    assert save(mira, issue, 1, "Eins.\n\nZwei.\n\nDrei!").get_json()["merge"] is True
    answer = save(mira, issue, 1, "Eins.\n\nZwei.\n\nDrei!", base="Eins.\n\nZwei.\n\nDrei.").get_json()
    assert answer["text"]["markdown"] == "Eins!\n\nZwei.\n\nDrei!"
    assert "beide Änderungen" in answer["said"]
    with process.reading() as session:
        assert session.get_one(Issue, issue).markdown == "Eins!\n\nZwei.\n\nDrei!"


def test_at_the_same_place_both_stay_and_each_is_a_version_of_its_own(mira: Browser, process: Process, issue: int) -> None:
    save(mira, issue, 1, "Eins.\n\nZwei A.\n\nDrei.")
    answer = save(mira, issue, 1, "Eins.\n\nZwei B.\n\nDrei.", base="Eins.\n\nZwei.\n\nDrei.").get_json()
    assert "Zwei A." in answer["text"]["markdown"]
    assert "Zwei B." in answer["text"]["markdown"]
    assert "Zeile 3" in answer["said"]
    with process.reading() as session:
        kept = {queries.revision(session, issue, one.revision).markdown for one in queries.versions(session, issue)}
    assert {"Eins.\n\nZwei A.\n\nDrei.", "Eins.\n\nZwei B.\n\nDrei."} <= kept


def test_what_comes_too_late_for_the_letter_is_kept_as_a_version(mira: Browser, process: Process, issue: int) -> None:
    with process.writing() as session:
        session.get_one(Issue, issue).state = "published"
        session.get_one(Issue, issue).number = 1
    answer = save(mira, issue, 1, "zu spät")
    assert (answer.status_code, answer.get_json()["merge"]) == (409, False)


def test_versions_are_compared_and_brought_back(mira: Browser, process: Process, clock: Clock, issue: int) -> None:
    clock.forward(minutes=10)
    save(mira, issue, 1, "Eins.\n\nZwei ganz anders.\n\nDrei.")
    page = mira.client.get(f"/admin/saatbrief/issues/{issue}/versions/2").get_data(as_text=True)
    assert "<ins>" in page
    assert "ganz" in BeautifulSoup(page, "html.parser").find("ins").get_text()
    assert "<ins>" in mira.client.get(f"/admin/saatbrief/issues/{issue}/versions/1?against=now").get_data(as_text=True)
    assert mira.post(f"/admin/saatbrief/issues/{issue}/versions/1").status_code == 303
    with process.reading() as session:
        assert session.get_one(Issue, issue).markdown == "Eins.\n\nZwei.\n\nDrei."
        assert queries.versions(session, issue)[0].note == "back"


def test_a_comment_is_left_at_a_passage_and_done_with(mira: Browser, process: Process, issue: int) -> None:
    mira.post(f"/admin/saatbrief/issues/{issue}/comments", {"quote": "Zwei.", "words": "<b>Wirklich?</b>"})
    page = mira.client.get(f"/admin/saatbrief/issues/{issue}").get_data(as_text=True)
    assert "&lt;b&gt;Wirklich?" in page
    with process.reading() as session:
        comment = session.query(Comment).one().id
    mira.post(f"/admin/saatbrief/issues/{issue}/comments", {"done": str(comment)})
    assert "Wirklich" not in mira.client.get(f"/admin/saatbrief/issues/{issue}").get_data(as_text=True)
    assert mira.post(f"/admin/saatbrief/issues/{issue}/comments", {"words": " "}).status_code == 422


def test_ready_for_review_tells_those_who_may_send(mira: Browser, process: Process, app: object, issue: int) -> None:
    cast.editor(process, "anna@example.org", "author")
    cast.editor(process, "erik@example.org", "editor")
    anna = Browser(app.test_client())
    anna.log_in("anna@example.org")
    assert anna.post(f"/admin/saatbrief/issues/{issue}/ready", {"ready": "yes"}).status_code == 303
    with process.reading() as session:
        assert {notice.recipient for notice in session.query(Notice).filter_by(kind="ready")} == {"erik@example.org", "mira@saatgarten.example"}
        assert session.get_one(Issue, issue).ready_at is not None
    anna.post(f"/admin/saatbrief/issues/{issue}/ready", {})
    with process.reading() as session:
        assert session.get_one(Issue, issue).ready_at is None


def test_a_snippet_is_written_used_and_frozen_when_the_letter_leaves(mira: Browser, process: Process, issue: int) -> None:
    cast.reader(process, 1)
    assert mira.post("/admin/saatbrief/snippets", {"name": "Gruß & Kuss", "markdown": "Herzlich\nMira"}).status_code == 303
    save(mira, issue, 1, "Hallo\n\n::: baustein gruss-kuss")
    assert "Herzlich" in look(mira, issue, markdown="::: baustein gruss-kuss")["html"]
    assert mira.post(f"/admin/saatbrief/issues/{issue}/send", {"when": "now"}).status_code == 303
    mira.post("/admin/saatbrief/snippets", {"name": "gruss-kuss", "markdown": "Anders"})
    assert "Herzlich" in mira.client.get(f"/admin/saatbrief/issues/{issue}/preview/mail").get_data(as_text=True)
    assert mira.post("/admin/saatbrief/snippets", {"name": "!!", "markdown": "x"}).status_code == 422
    with process.reading() as session:
        number = queries.snippets(session, 1)[0].id
    mira.post("/admin/saatbrief/snippets", {"drop": str(number)})
    assert "Herzlich" in mira.client.get(f"/admin/saatbrief/issues/{issue}/preview/mail").get_data(as_text=True)


POLL = "Hallo\n\n::: umfrage Welche Bohne?\n- Hedwig\n- Die Gute\n:::"


@pytest.fixture
def answers(mira: Browser, process: Process, issue: int) -> list[str]:
    """The addresses of the answers of a letter that has left."""
    cast.reader(process, 1)
    save(mira, issue, 1, POLL)
    mira.post(f"/admin/saatbrief/issues/{issue}/send", {"when": "now"})
    # In the mail they lie below the reader's own page; on the web nobody is known.
    soup = BeautifulSoup(mira.client.get(f"/admin/saatbrief/issues/{issue}/preview/web").get_data(as_text=True), "html.parser")
    return [str(link["href"]).removeprefix("http://localhost") for link in soup.find_all("a") if "/v/" in str(link.get("href"))]


def test_an_answer_counts_when_its_button_is_pressed_and_not_before(client: FlaskClient, process: Process, issue: int, answers: list[str]) -> None:
    stranger = client.application.test_client()
    page = stranger.get(answers[1])
    assert "Die Gute" in page.get_data(as_text=True)
    assert "Set-Cookie" not in page.headers
    proof = BeautifulSoup(page.get_data(as_text=True), "html.parser").find("input", {"name": "shown"})["value"]
    with process.reading() as session:
        assert queries.votes(session, issue) == {}
    assert stranger.post(answers[1], data={"shown": "nichts"}).status_code == 422
    assert stranger.post(answers[1], data={"shown": proof}).status_code == 422  # quicker than anybody reads
    time.sleep(2.1)
    assert "Danke" in stranger.post(answers[1], data={"shown": proof}).get_data(as_text=True)
    with process.reading() as session:
        assert queries.votes(session, issue) == {(1, 2): 1}
    # The same page, sent twice, is one answer.
    stranger.post(answers[1], data={"shown": proof})
    with process.reading() as session:
        assert queries.votes(session, issue) == {(1, 2): 1}


def test_an_address_of_an_answer_cannot_be_made_up(client: FlaskClient, answers: list[str]) -> None:
    assert client.get("/v/1-1-2").status_code == 404
    assert client.get(answers[0][:-2] + "xx").status_code == 404


def test_every_block_is_shown_on_the_help_page(mira: Browser) -> None:
    soup = BeautifulSoup(mira.client.get("/admin/saatbrief/help/writing").get_data(as_text=True), "html.parser")
    for frame in soup.find_all("iframe"):
        with mira.client.get(str(frame["src"])) as response:
            assert response.status_code == 200
            assert response.headers["Content-Security-Policy"].startswith("sandbox;")
