"""What editors do on the pages, without a browser."""

import io
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from newsletter.deliveries.models import Delivery, Mailing
from newsletter.issues import queries
from newsletter.issues.models import Issue
from newsletter.media.models import Image
from newsletter.process import Process
from newsletter.transports.actions import choose
from tests.conftest import Browser
from tests.media.test_images import picture
from tests.support import cast
from tests.support.clock import Clock
from tests.support.faults import FaultyServer


@pytest.fixture
def faults(process: Process, mira: Browser) -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        with process.writing() as session:
            choose(session, process.tokens, address=server.url, now=process.clock())
        yield server


def write(mira: Browser, **text: str) -> object:
    data = {"revision": "1", "subject": "Ein Betreff", "preheader": "Vorschau", "markdown": "Text", "tags": "Anbau, Öl"} | text
    return mira.post("/admin/saatbrief/issues/1", data, headers={"Accept": "application/json"})


def test_a_letter_is_begun_written_and_saved(mira: Browser, process: Process) -> None:
    assert mira.post("/admin/saatbrief/issues/").headers["Location"] == "/admin/saatbrief/issues/1"
    state = write(mira).get_json()
    assert (state["revision"], state["versions"]) == (2, "eine Fassung")
    with process.reading() as session:
        assert session.get_one(Issue, 1).tags == ["Anbau", "Öl"]
    response = write(mira, markdown="anders")
    assert (response.status_code, response.get_json()["merge"]) == (409, True)


def test_what_is_wrong_is_said_while_writing(mira: Browser) -> None:
    mira.post("/admin/saatbrief/issues/")
    state = mira.post("/admin/saatbrief/issues/1/look", {"subject": "Ein Betreff", "preheader": "V", "markdown": "Hallo {{ vorame }}"}).get_json()
    assert state["errors"] == 1
    assert "vorame" in state["first"]


def test_line_breaks_of_the_browser_are_not_changes(mira: Browser, process: Process) -> None:
    mira.post("/admin/saatbrief/issues/")
    write(mira, markdown="eins\r\nzwei")
    with process.reading() as session:
        assert session.get_one(Issue, 1).markdown == "eins\nzwei"


def test_without_script_the_button_saves_and_a_conflict_keeps_what_was_typed(mira: Browser, process: Process) -> None:
    cast.issue(process, 1)
    data = {"revision": "1", "subject": "A", "preheader": "", "markdown": "mein Text", "tags": ""}
    assert mira.post("/admin/saatbrief/issues/1", data).status_code == 303
    response = mira.post("/admin/saatbrief/issues/1", data | {"markdown": "mein zweiter Text"})
    assert response.headers["Location"] == "/admin/saatbrief/issues/1/versions"
    with process.reading() as session:
        assert session.get_one(Issue, 1).markdown == "mein Text"
        (aside,) = (one for one in queries.versions(session, 1) if one.note == "aside")
        assert queries.revision(session, 1, aside.revision).markdown == "mein zweiter Text"


def test_two_megabytes_typed_are_saved_and_refused_for_sending(mira: Browser, process: Process) -> None:
    mira.post("/admin/saatbrief/issues/")
    assert write(mira, markdown="Zeile\n" * 350_000).status_code == 200
    assert mira.post("/admin/saatbrief/issues/1/look", {"markdown": "Zeile\n" * 350_000}).get_json()["errors"] >= 1
    with process.reading() as session:
        assert len(session.get_one(Issue, 1).markdown) == 2_100_000


def test_an_image_is_taken_and_shown_to_everybody(mira: Browser, process: Process) -> None:
    answer = mira.post("/admin/saatbrief/media", {"file": (io.BytesIO(picture("JPEG")), "../../böse.php")}, content_type="multipart/form-data").get_json()
    response = mira.client.application.test_client().get(answer["path"])
    response.close()
    assert response.status_code == 200
    assert response.mimetype in ("image/jpeg", "image/png")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    with process.reading() as session:
        assert session.scalars(select(Image.original)).one() == "böse.php"


def test_c6_svg_is_refused_with_the_reason(mira: Browser) -> None:
    response = mira.post("/admin/saatbrief/media", {"file": (io.BytesIO(b"<svg onload=alert(1)>"), "a.svg")}, content_type="multipart/form-data")
    assert response.status_code == 422
    assert "SVG" in response.get_json()["problem"]


def test_sending_taking_back_and_sending_again(mira: Browser, process: Process, clock: Clock, new_process: object) -> None:
    cast.reader(process, 1)
    cast.issue(process, 1)
    assert "Nr.\u00a01 geht an einen Menschen" in mira.client.get("/admin/saatbrief/issues/1/send").get_data(as_text=True).replace("Nr. 1", "Nr.\u00a01")
    location = mira.post("/admin/saatbrief/issues/1/send", {"when": "now"}).headers["Location"]
    assert re.fullmatch(r"/admin/saatbrief/mailings/\d+", location)
    assert mira.client.get(location).status_code == 200
    assert mira.client.get(f"{location}?part=1").get_data(as_text=True).count("<html") == 0
    assert mira.post("/admin/saatbrief/issues/1/send", {"when": "now"}).status_code in (303, 422)
    with process.reading() as session:
        assert len(list(session.scalars(select(Mailing)))) == 1


def test_a_letter_is_planned_in_the_time_of_its_publication(mira: Browser, process: Process) -> None:
    cast.reader(process, 1)
    cast.issue(process, 1)
    response = mira.post("/admin/saatbrief/issues/1/send", {"when": "later", "day": "2026-12-01", "time": "09:00"})
    assert response.status_code == 303
    with process.reading() as session:
        issue = session.get_one(Issue, 1)
        assert (issue.state, issue.scheduled_at.hour, issue.scheduled_zone) == ("scheduled", 8, "Europe/Berlin")
    assert "1. Dezember 2026, 9:00" in mira.client.get("/admin/saatbrief/").get_data(as_text=True)
    assert mira.post("/admin/saatbrief/issues/1/unschedule").status_code == 303


def test_a_moment_that_is_over_is_refused_on_the_page(mira: Browser, process: Process) -> None:
    cast.reader(process, 1)
    cast.issue(process, 1)
    response = mira.post("/admin/saatbrief/issues/1/send", {"when": "later", "day": "2020-01-01", "time": "09:00"})
    assert response.status_code == 422
    assert "Dieser Zeitpunkt ist vorbei" in response.get_data(as_text=True)


def test_u10_a_test_mail_goes_out_and_changes_nothing(mira: Browser, process: Process, faults: FaultyServer) -> None:
    cast.issue(process, 1)
    response = mira.post("/admin/saatbrief/issues/1/test", {"email": "probe@example.org"})
    assert "wurde angenommen" in response.get_data(as_text=True)
    assert faults.recipients == ["probe@example.org"]
    with process.reading() as session:
        assert not list(session.scalars(select(Delivery)))
        assert session.get_one(Issue, 1).state == "draft"


def test_a_server_that_refuses_the_test_mail_is_quoted(mira: Browser, process: Process, faults: FaultyServer) -> None:
    faults.plan["rcpt"] = "550 5.7.1 nicht von hier"
    cast.issue(process, 1)
    response = mira.post("/admin/saatbrief/issues/1/test", {"email": "probe@example.org"})
    assert response.status_code == 422
    assert "nicht von hier" in response.get_data(as_text=True)


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_page_is_shown_empty_and_full_in_both_languages(mira: Browser, process: Process, language: str) -> None:
    mira.post("/admin/account/language", {"language": language})
    pages = ["", "issues/", "subscribers/", "channels", "channels/1", "links/1", "reach", "reach/report", "reach/drills"]
    pages += ["calendar", "pictures", "design", "snippets", "issues/import", "help/writing"]
    pages += ["reach/announcements", "reach/sms", "archive", "settings"]
    for full in (False, True):
        if full:
            cast.reader(process, 1)
            cast.issue(process, 1)
            pages += ["issues/1", "issues/1/send", "issues/1/versions", "issues/1/versions/1", "subscribers/1", "subscribers/?q=ada&state=active&channel=1"]
        for path in pages:
            response = mira.client.get(f"/admin/saatbrief/{path}")
            assert response.status_code == 200, path
            assert f'<html lang="{language}">' in response.get_data(as_text=True)


def test_settings_keep_what_was_typed_when_something_is_wrong(mira: Browser) -> None:
    response = mira.post("/admin/saatbrief/settings", cast.VALUES | {"imprint_street": "Postfach 12"})
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert "Ein Postfach genügt dem Gesetz nicht" in page
    assert 'value="Postfach 12"' in page
    assert mira.post("/admin/saatbrief/settings", cast.VALUES | {"greeting": "Moin"}).status_code == 303


def test_f6_a_new_name_does_not_change_the_list_id(mira: Browser, process: Process) -> None:
    from newsletter.publications.queries import by_slug

    mira.post("/admin/saatbrief/settings", cast.VALUES | {"name": "Anders"})
    with process.reading() as session:
        found = by_slug(session, "saatbrief")
        assert (found.name, found.list_id) == ("Anders", "saatbrief.saatgarten.example")
