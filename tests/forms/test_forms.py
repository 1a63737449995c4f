"""Forms: fields, versions of the consent, other sites (A1, L2, L11, L13)."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.errors import Refused
from newsletter.forms import actions, policy, queries
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.subscriptions.models import Confirmation, Consent
from tests.conftest import Browser
from tests.support import cast

CITY = {"key": "ort", "kind": "choice", "label": "Wo?", "required": True, "choices": ["Kiel", "Bonn"]}
BORN = {"key": "geboren", "kind": "date", "label": "Geboren", "required": False}
NEWS = {"key": "messe", "kind": "yes", "label": "Zur Messe?", "required": False}


def change(process: Process, **values: object) -> None:
    with process.writing() as session:
        actions.change_form(session, queries.first_form(session, 1), values=values, now=process.clock())


@pytest.mark.parametrize(
    ("given", "found", "wrong"),
    [
        ({"ort": "Kiel"}, {"ort": "Kiel"}, set()),
        ({}, {}, {"ort"}),
        ({"ort": "Rom"}, {}, {"ort"}),
        ({"ort": "Kiel", "geboren": "24.12.1980"}, {"ort": "Kiel", "geboren": "1980-12-24"}, set()),
        ({"ort": "Kiel", "geboren": "gestern"}, {"ort": "Kiel"}, {"geboren"}),
        ({"ort": "Kiel", "geboren": "0001-01-01"}, {"ort": "Kiel"}, {"geboren"}),
        ({"ort": "Kiel", "messe": "ja"}, {"ort": "Kiel", "messe": "yes"}, set()),
        ({"ort": "Kiel", "messe": "nein"}, {"ort": "Kiel"}, set()),
        ({"ort": "Kiel", "fremd": "x"}, {"ort": "Kiel"}, set()),
    ],
)
def test_answers_are_typed_and_optional_by_default(given: dict[str, str], found: dict[str, str], wrong: set[str]) -> None:
    answers, errors = policy.answers([CITY, BORN, NEWS], given)
    assert (answers, set(errors)) == (found, wrong)


def test_a_question_keeps_its_key_and_keys_are_never_shared() -> None:
    first = policy.field("text", "Straße und Nr.")
    assert first == {"key": "strasse_und_nr", "kind": "text", "label": "Straße und Nr.", "required": False}
    assert policy.field("text", "Straße und Nr.", taken=[first["key"]])["key"] == "strasse_und_nr_2"
    assert policy.field("text", "Anders", key="strasse_und_nr")["key"] == "strasse_und_nr"
    for kind, label, choices in (("file", "x", ()), ("text", " ", ()), ("choice", "x", ("eins", "eins"))):
        with pytest.raises(Refused):
            policy.field(kind, label, choices=choices)


def test_l2_other_words_are_another_version_and_old_consents_keep_theirs(process: Process, client: FlaskClient) -> None:
    publication_id = cast.publication(process)
    with process.reading() as session:
        shown = queries.versions(session, 1)[0][1].id
    change(process, consent="Ich möchte den Saatbrief und Angebote bekommen.")
    change(process, headline="Andere Überschrift")
    with process.reading() as session:
        assert [version.number for version, _ in queries.versions(session, 1)] == [2, 1]
    # Somebody had the page open while the words were changed: what counts is what she saw.
    client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org", "wording": str(shown)})
    client.post("/p/saatbrief/subscribe", data={"email": "ben@example.org"})
    client.post("/p/saatbrief/subscribe", data={"email": "cleo@example.org", "wording": "999"})
    with process.reading() as session:
        newest = queries.versions(session, 1)[0][1].id
        found = dict(session.execute(select(Consent.email, Consent.wording_id)).all())
        assert get(session, publication_id)
    assert found == {"ada@example.org": shown, "ben@example.org": newest, "cleo@example.org": newest}


def test_l11_answers_come_along_to_the_confirmation(process: Process, client: FlaskClient) -> None:
    cast.publication(process)
    change(process, fields=[CITY, BORN])
    page = client.get("/p/saatbrief").get_data(as_text=True)
    assert page.count(" required") == 2
    answer = client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org", "field-geboren": "nie"})
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert 'value="ada@example.org"' in text
    assert text.count('role="alert"') == 2
    assert client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org", "field-ort": "Bonn"}).status_code == 200
    with process.reading() as session:
        assert session.scalars(select(Confirmation.answers)).one() == '{"ort":"Bonn"}'


def test_a_form_from_a_foreign_origin_is_refused_and_nothing_is_kept(process: Process, client: FlaskClient) -> None:
    cast.publication(process)
    change(process, origins=["https://saatgarten.example"])
    for origin, status in (("https://evil.example", 403), ("null", 403), ("https://saatgarten.example", 200), ("http://localhost", 200), ("", 200)):
        headers = {"Origin": origin} if origin else {}
        answer = client.post("/p/saatbrief/subscribe", data={"email": f"{origin[-3:] or 'x'}@example.org"}, headers=headers)
        assert answer.status_code == status, origin
        api = client.post("/api/v1/publications/saatbrief/subscribe", json={"email": "nobody@example.org", "website": "x"}, headers=headers)
        assert api.status_code == (403 if status == 403 else 202)


def test_the_archive_may_post_wherever_it_lies() -> None:
    allowed = ["https://saatgarten.example"]
    assert policy.may_post(allowed, "https://briefe.example", "http://localhost", "https://briefe.example/archiv/")
    assert not policy.may_post(allowed, "https://briefe.example.evil.example", "http://localhost", "https://briefe.example/archiv/")
    assert not policy.may_post(allowed, "null", "http://localhost", "")


def test_the_frame_runs_no_script_and_only_named_sites_may_show_it(process: Process, client: FlaskClient) -> None:
    cast.publication(process)
    change(process, origins=["https://saatgarten.example"])
    answer = client.get("/p/saatbrief/f/anmeldung/embed")
    rules = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://saatgarten.example" in rules
    assert "script-src" not in rules
    assert "<script" not in answer.get_data(as_text=True)
    sent = client.post(
        "/p/saatbrief/subscribe", data={"email": "ada@example.org", "form": "anmeldung", "embedded": "1"}, headers={"Origin": "http://localhost"}
    )
    assert "frame-ancestors 'self' https://saatgarten.example" in sent.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in client.get("/p/saatbrief").headers["Content-Security-Policy"]


def test_a_closed_form_says_so(process: Process, client: FlaskClient) -> None:
    cast.publication(process)
    change(process, state="closed")
    assert client.get("/p/saatbrief/f/anmeldung").status_code == 410
    assert client.post("/api/v1/publications/saatbrief/subscribe", json={"email": "a@example.org"}).status_code == 403
    assert client.get("/p/saatbrief/f/nirgends").status_code == 404


@pytest.mark.parametrize("line", ["ftp://x.example", "https://", "https://x.example; script-src *", "javascript:alert(1)", "https://a'b"])
def test_a_site_that_is_none_never_reaches_a_header(line: str) -> None:
    with pytest.raises(Refused):
        policy.origins(line)


def test_sites_are_scheme_and_host() -> None:
    assert policy.origins("https://Saat.example/blog\nsaat.example\nhttp://localhost:8000") == ["https://saat.example", "http://localhost:8000"]


SENT = {
    "name": "Messe", "headline": "Ein Brief", "lead": "", "button": "Her damit", "consent": "Ich möchte ihn.", "deed": "save",
    "field_key": ["", "", ""], "field_label": ["Ort", "Farbe", ""], "field_kind": ["text", "choice", "text"], "field_choices": ["", "rot\nblau", ""],
    "field_required_1": "yes", "tags": "Messe, Neu", "welcome": "yes",
}  # fmt: skip


def test_an_editor_adds_changes_and_looks(mira: Browser, process: Process) -> None:
    assert mira.post("/admin/saatbrief/forms/", {"name": "Messe"}).status_code == 303
    assert mira.post("/admin/saatbrief/forms/", {"name": " "}).status_code == 422
    look = mira.post("/admin/saatbrief/forms/messe", SENT | {"deed": "look"})
    assert "Farbe" in look.get_data(as_text=True)
    preview = mira.post("/admin/saatbrief/forms/messe/preview", SENT)
    assert "Her damit" in preview.get_data(as_text=True)
    with process.reading() as session:
        assert queries.by_slug(session, 1, "messe").fields == []
    assert mira.post("/admin/saatbrief/forms/messe", SENT).status_code == 303
    with process.reading() as session:
        form = queries.by_slug(session, 1, "messe")
        assert [(one["key"], one["kind"], one["required"]) for one in form.fields] == [("ort", "text", False), ("farbe", "choice", True)]
        assert (form.tags, form.welcome, form.show_letters) == (["Messe", "Neu"], True, False)
    page = mira.get("/admin/saatbrief/forms/messe").get_data(as_text=True)
    assert "&lt;iframe src=" in page
    assert "field-farbe" in page
    wrong = mira.post("/admin/saatbrief/forms/messe", SENT | {"consent": "", "headline": "Bleibt stehen"})
    assert wrong.status_code == 422
    assert "Bleibt stehen" in wrong.get_data(as_text=True)
