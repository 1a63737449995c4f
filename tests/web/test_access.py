"""Who may do what: CSRF, roles, headers, log-in (P1-P4, P7, P8, P10)."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.accounts import actions as accounts
from newsletter.accounts.models import ROLES, LoginSession
from newsletter.process import Process
from tests.conftest import Browser
from tests.support import cast
from tests.support.clock import Clock

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# RULES U3 and DESIGN §5: forms on other sites and mail programs post here; two more carry their own proof.
# What other servers say carries a signature, or is looked at before it counts.
WITHOUT_CSRF = {"subscriptions.subscribe", "subscriptions.answer", "subscriptions.leave", "federation.inbox", "federation.webmention"}
WITHOUT_CSRF |= {"api.subscribe", "subscriptions.heard", "phones.change", "catcher.catch_text", "polls.count"}
# The link in a mail is the key to these; whoever has it needs no other proof, and whoever has it not can make nobody press them.
WITHOUT_CSRF |= {f"preferences.{name}" for name in ("change", "key", "send_link", "new_address", "move", "erase", "letters")}

# The same with what was in a mail of hers; a provider proves itself by its signature.
WITHOUT_CSRF |= {"voices.say", "readers.decide", "returns.called"}


def paths(app: Flask) -> list[tuple[str, str, str]]:
    """Every route with its method and an address that could be asked for."""
    values = {
        "slug": "saatbrief",
        "channel_id": "1",
        "link_id": "1",
        "announcement_id": "1",
        "drill_id": "1",
        "drawing": "svg",
        "turn": "end",
        "verb": "cancel",
        "part": "dry",
        "issue_id": "1",
        "image_id": "1",
        "idea_id": "1",
        "fate": "write",
        "mailing_id": "1",
        "target_id": "1",
        "mention_id": "1",
        "subscription_id": "1",
        "stroke_id": "1",
        "held_id": "1",
        "import_id": "1",
        "segment_id": "1",
        "tag_id": "1",
        "form": "anmeldung",
        "kind": "csv",
        "verdict": "release",
        "stage": "run",
        "number": "1",
        "mail_id": "1",
        "medium": "mail",
        "state": "accepted",
        "deed": "pause",
        "step": "make",
        "act": "wake",
        "filename": "x",
        "path": "x",
        "code": "x",
        "secret": "x",
        "token": "x",
        "name": "x",
        "question": "0",
        "choice": "1",
        "conversation_id": "1",
        "message_id": "1",
        "attachment_id": "1",
        "arrival_id": "1",
        "hook_id": "1",
        "what": "close",
        "then": "again",
        "provider": "mailgun",
    }
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda match: values[match.group(1)], rule.rule)
        found += [(rule.endpoint, method, path) for method in sorted(rule.methods or ()) if method in UNSAFE | {"GET"}]
    return found


def test_p4_every_view_says_who_may_see_it(app: Flask) -> None:
    for endpoint, view in app.view_functions.items():
        assert endpoint == "static" or getattr(view, "access", "") in ("all", "logged in", *ROLES), endpoint


def test_p2_every_unsafe_route_refuses_a_request_without_token(app: Flask, mira: Browser) -> None:
    cast.issue(mira.client.application.extensions["brieftaube"], 1)
    checked = 0
    for endpoint, method, path in paths(app):
        if method in UNSAFE and endpoint not in WITHOUT_CSRF:
            assert mira.client.open(path, method=method).status_code == 400, (endpoint, path)
            checked += 1
    assert checked > 15
    assert {endpoint for endpoint, view in app.view_functions.items() if getattr(view, "without_csrf", False)} == WITHOUT_CSRF


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_p2_a_request_from_another_site_is_refused_even_with_a_token(mira: Browser, headers: dict[str, str]) -> None:
    assert mira.post("/admin/account/language", {"language": "en"}, headers=headers).status_code == 403


def test_get_changes_nothing(app: Flask, mira: Browser, process: Process) -> None:
    from sqlalchemy import func

    from newsletter import schema

    cast.issue(process, 1)
    cast.reader(process, 1)

    def picture() -> dict[str, object]:
        with process.reading() as session:
            return {name: session.scalar(select(func.count()).select_from(table)) for name, table in schema.metadata().tables.items()}

    before = picture()
    for _, method, path in paths(app):
        if method == "GET":
            response = mira.client.get(path)
            response.close()
            assert response.status_code < 500, path
    assert picture() == before


def test_p4_every_route_asks_for_its_role(app: Flask, client: FlaskClient, process: Process) -> None:
    """Route by role: nobody, viewer, author, editor, owner; and an owner of another publication."""
    cast.publication(process)
    cast.issue(process, 1)
    for role in ROLES:
        cast.editor(process, f"{role}@example.org", role)
    cast.publication(process, "anderer")
    with process.writing() as session:
        accounts.add_editor(session, email="fremd@example.org", name="Fremd", password=cast.PASSWORD, now=process.clock())
        from newsletter.accounts.models import Editor, Membership

        fremd = session.scalar(select(Editor.id).where(Editor.email == "fremd@example.org"))
        session.query(Membership).filter_by(editor_id=fremd, publication_id=1).delete()
    for index, who in enumerate(("", *ROLES, "fremd")):
        browser = Browser(app.test_client())
        if who:
            browser.log_in(f"{who}@example.org")
        for endpoint, method, path in paths(app):
            view = app.view_functions[endpoint]
            least = getattr(view, "access", "all")
            if least in ("all", "logged in") or method in UNSAFE:
                continue
            status = browser.client.get(path).status_code
            if not who:
                assert status == 303, (endpoint, who)
            elif who == "fremd":
                assert status == 404, (endpoint, who)
            elif index <= ROLES.index(least):
                assert status == 403, (endpoint, who, least)
            else:
                assert status in (200, 302, 303, 404), (endpoint, who, status)


def test_p4_unsafe_routes_ask_for_their_role_too(app: Flask, process: Process) -> None:
    cast.publication(process)
    cast.issue(process, 1)
    cast.editor(process, "viewer@example.org", "viewer")
    browser = Browser(app.test_client())
    browser.log_in("viewer@example.org")
    token = browser.token()
    for endpoint, method, path in paths(app):
        if method in UNSAFE and getattr(app.view_functions[endpoint], "access", "") in ("author", "editor", "owner"):
            assert browser.client.open(path, method=method, data={"csrf_token": token}).status_code == 403, endpoint


def test_p8_every_response_carries_its_headers(app: Flask, mira: Browser) -> None:
    for path in ("/", "/p/saatbrief", "/admin/saatbrief/", "/nowhere", "/static/base.css", "/healthz"):
        response = mira.client.get(path)
        response.close()
        headers = response.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"]


def test_p7_a_preview_runs_without_rights(mira: Browser, process: Process) -> None:
    cast.issue(process, 1)
    for medium in ("mail", "dark", "inverted", "bare", "text", "web", "feed", "card", "inbox"):
        response = mira.client.get(f"/admin/saatbrief/issues/1/preview/{medium}")
        assert response.headers["Content-Security-Policy"].startswith("sandbox;")
        assert "script-src" not in response.headers["Content-Security-Policy"]


def test_p7_the_frame_of_the_desk_has_no_origin_and_runs_one_file_of_ours(mira: Browser, process: Process) -> None:
    cast.issue(process, 1)
    policy = mira.client.get("/admin/saatbrief/issues/1/preview/frame").headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src http://localhost/static/frame.js;")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_a_script_of_the_desk_learns_that_its_log_in_is_over(app: Flask, mira: Browser, process: Process) -> None:
    cast.issue(process, 1)
    stranger = app.test_client()
    asks = {"Accept": "application/json"}
    assert stranger.post("/admin/saatbrief/issues/1", headers=asks).status_code == 401
    assert stranger.get("/admin/token", headers=asks).status_code == 401
    assert mira.client.get("/admin/token", headers=asks).get_json()["csrf_token"]


def test_p3_a_wrong_password_and_an_unknown_address_read_the_same(client: FlaskClient, process: Process) -> None:
    cast.editor(process)
    pages = [
        re.sub(r'value="[^"]*"|nonce="[^"]*"', "", Browser(client).log_in(email, "falsch falsch falsch").get_data(as_text=True))
        for email in ("mira@saatgarten.example", "niemand@example.org")
    ]
    assert pages[0] == pages[1]


def test_p3_after_five_wrong_tries_even_the_right_one_waits(client: FlaskClient, process: Process, clock: Clock) -> None:
    cast.editor(process)
    browser = Browser(client)
    for _ in range(5):
        assert browser.log_in(password="falsch falsch").status_code == 422
    assert browser.log_in().status_code == 422
    clock.forward(minutes=2)
    assert browser.log_in().status_code == 303


def test_p1_a_changed_password_ends_every_other_session(app: Flask, process: Process) -> None:
    cast.publication(process)
    cast.editor(process)
    here, there = Browser(app.test_client()), Browser(app.test_client())
    here.log_in()
    there.log_in()
    assert here.post("/admin/account/password", {"old": cast.PASSWORD, "password": "ganz andere wörter"}).status_code == 303
    assert there.client.get("/admin/saatbrief/").status_code == 303
    assert here.client.get("/admin/saatbrief/").status_code == 200


def test_p1_sessions_are_rows_of_hashes_that_end(mira: Browser, process: Process, clock: Clock) -> None:
    with process.reading() as session:
        row = session.scalars(select(LoginSession)).one()
        assert len(row.digest) == 64
    clock.forward(hours=13)
    assert mira.client.get("/admin/saatbrief/").status_code == 303


def test_logging_out_ends_the_session(mira: Browser, process: Process) -> None:
    mira.post("/admin/log-out")
    with process.reading() as session:
        assert not list(session.scalars(select(LoginSession)))


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/admin//evil.example", "javascript:alert(1)"])
def test_a4_after_the_log_in_one_stays_here(client: FlaskClient, process: Process, target: str) -> None:
    cast.publication(process)
    cast.editor(process)
    browser = Browser(client)
    response = browser.post("/admin/log-in", {"email": "mira@saatgarten.example", "password": cast.PASSWORD, "next": target}, at="/admin/log-in")
    assert response.headers["Location"] == "/admin/"


def test_p10_without_the_address_nobody_takes_over(client: FlaskClient, process: Process) -> None:
    with process.writing() as session:
        secret = accounts.offer_setup(session, now=process.clock())
    assert client.get("/setup/wrong").status_code == 410
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"/setup/{secret}").get_data(as_text=True)).group(1)
    you = {"csrf_token": token, "name": "Mira", "email": "mira@saatgarten.example", "password": cast.PASSWORD, "language": "de"}
    assert client.post("/setup/wrong", data=you).status_code == 410
    assert client.post(f"/setup/{secret}", data=you | {"password": "kurz"}).status_code == 422
    assert client.post(f"/setup/{secret}", data=you).status_code == 303
    assert client.get(f"/setup/{secret}").status_code == 410
    with process.writing() as session:
        assert accounts.offer_setup(session, now=process.clock()) == ""


def test_a5_a_forged_forwarded_address_is_not_believed(app: Flask, process: Process) -> None:
    from newsletter.http import network

    with app.test_request_context(headers={"X-Forwarded-For": "1.2.3.4"}, environ_base={"REMOTE_ADDR": "10.1.2.3"}):
        assert network() == "10.1.2.0/24"
    with app.test_request_context(environ_base={"REMOTE_ADDR": "2001:db8:1:2:3::1"}):
        assert network() == "2001:db8:1:2::/64"


def test_errors_are_pages_that_help(client: FlaskClient, process: Process) -> None:
    response = client.get("/nirgends", headers={"Accept-Language": "de"})
    assert response.status_code == 404
    assert "Unter dieser Adresse liegt nichts." in response.get_data(as_text=True)
    assert client.get("/p/nirgends").status_code == 404
    assert client.get("/archive/../../etc/passwd").status_code == 404
    assert client.get("/media/..%2f..%2fsecret").status_code == 404


def test_health_and_readiness_answer(client: FlaskClient, process: Process) -> None:
    assert client.get("/healthz").get_data(as_text=True) == "ok\n"
    assert client.get("/readyz").get_data(as_text=True) == "ok sqlite\n"


def test_development_pages_are_not_there_in_production(new_process: object) -> None:
    from newsletter.web import create_app

    app = create_app(new_process(base_url="https://news.example.org"))
    for path in ("/dev/mail", "/dev/design"):
        assert app.test_client().get(path).status_code == 404
    assert "Strict-Transport-Security" in app.test_client().get("/").headers


def test_the_catcher_does_not_answer_to_a_foreign_name(client: FlaskClient, process: Process) -> None:
    """DNS rebinding: a site of somebody else points its name at this machine and reads along."""
    assert client.get("/dev/mail").status_code == 200
    assert client.get("/dev/mail", headers={"Host": "evil.example"}).status_code == 404


def test_p6_a_password_of_the_mail_server_is_never_shown_again(mira: Browser, process: Process) -> None:
    mira.post("/admin/transport", {"kind": "server", "host": "smtp.example.org", "security": "starttls", "user": "mira", "password": "kanarienvogel"})
    assert "kanarienvogel" not in mira.client.get("/admin/transport").get_data(as_text=True)
    assert "kanarienvogel" not in (process.settings.data_dir / "brieftaube.db").read_bytes().decode("latin-1")
