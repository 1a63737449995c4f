"""The public pages of signing up and leaving (A2, U3-U6, L11, T1-T6)."""

import re
import time
from datetime import timedelta
from email import policy
from email.parser import BytesParser

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.notices.actions import bytes_of
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.subscriptions.models import Subscription
from newsletter.tokens import Tokens
from tests.support import cast


@pytest.fixture
def publication_id(process: Process) -> int:
    return cast.publication(process)


def sign_up(client: FlaskClient, email: str = "ada@example.org", **more: str) -> object:
    return client.post("/p/saatbrief/subscribe", data={"email": email} | more)


def link_in_mail(process: Process) -> str:
    with process.reading() as session:
        raw = bytes_of(session, session.scalars(select(Notice).order_by(Notice.id.desc())).first())
    text = BytesParser(policy=policy.default).parsebytes(raw).get_body(("plain",)).get_content()
    return re.search(r"http://localhost(/confirm/\S+)", text).group(1)


def state(process: Process) -> str:
    with process.reading() as session:
        return session.scalars(select(Subscription.state)).one()


def pressed(page: str) -> str:
    return re.search(r'name="pressed" value="([^"]+)"', page).group(1)


def wait() -> None:
    """As long as a person needs to press a button (A2)."""
    time.sleep(2.1)


def test_the_whole_way_from_the_link_to_active(client: FlaskClient, process: Process, publication_id: int) -> None:
    from newsletter.channels.queries import links_of

    with process.reading() as session:
        code = next(link.code for channel, link in links_of(session, publication_id) if channel.name == "LinkedIn")
    landing = client.get(f"/l/{code}", follow_redirects=True)
    assert f'name="via" value="{code}"' in landing.get_data(as_text=True)
    assert sign_up(client, via=code).status_code == 200
    link = link_in_mail(process)
    page = client.get(link).get_data(as_text=True)
    assert state(process) == "pending"
    wait()
    assert client.post(link, data={"pressed": pressed(page)}).status_code == 200
    assert state(process) == "active"
    assert not client.get("/p/saatbrief").headers.getlist("Set-Cookie")
    with process.reading() as session:
        from newsletter.subscriptions.queries import reader_by_email

        assert reader_by_email(session, publication_id, "ada@example.org").channel.name == "LinkedIn"


def test_a_plain_form_on_another_site_works(client: FlaskClient, process: Process, publication_id: int) -> None:
    headers = {"Origin": "https://meine-seite.example", "Sec-Fetch-Site": "cross-site"}
    response = client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org", "via": "eigene-website"}, headers=headers)
    assert response.status_code == 200
    with process.reading() as session:
        from newsletter.subscriptions.queries import reader_by_email

        assert reader_by_email(session, publication_id, "ada@example.org").channel.name == "Eigene Website"


def test_l11_only_the_address_is_asked_and_nothing_is_ticked(client: FlaskClient, publication_id: int) -> None:
    page = client.get("/p/saatbrief").get_data(as_text=True)
    assert page.count(" required") == 1
    assert "checkbox" not in page
    assert "/p/saatbrief/privacy" in page


def test_a1_the_answer_is_the_same_for_known_and_unknown(client: FlaskClient, process: Process, publication_id: int) -> None:
    cast.reader(process, publication_id, "ada@example.org")
    known, unknown = (sign_up(client, email).get_data(as_text=True) for email in ("ada@example.org", "ben@example.org"))
    assert known.replace("ada@", "ben@") == unknown


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@example.org, ben@example.org", "ada@example.org\r\nBcc: x@evil.example", '"ada b"@example.org', "a\x00@example.org"]
)
def test_bad_addresses_get_a_sentence_and_keep_what_was_typed(client: FlaskClient, process: Process, publication_id: int, email: str) -> None:
    response = sign_up(client, email)
    assert response.status_code == 422
    assert 'class="error"' in response.get_data(as_text=True)
    with process.reading() as session:
        assert not list(session.scalars(select(Notice)))


def test_an_address_with_sharp_s_stays_its_own(client: FlaskClient, process: Process, publication_id: int) -> None:
    assert sign_up(client, "ada@straße.de").status_code == 200
    with process.reading() as session:
        assert session.scalars(select(Notice.recipient)).one() == "ada@xn--strae-oqa.de"


def test_ten_megabytes_are_refused(client: FlaskClient, publication_id: int) -> None:
    assert sign_up(client, "x" * 10_000_000).status_code in (413, 422)


def test_a1_a_filled_honeypot_sends_nothing_and_says_nothing(client: FlaskClient, process: Process, publication_id: int) -> None:
    assert sign_up(client, website="https://spam.example").status_code == 200
    with process.reading() as session:
        assert not list(session.scalars(select(Notice)))


def test_a1_a_form_that_was_answered_at_once_sends_nothing(client: FlaskClient, process: Process, publication_id: int) -> None:
    shown = re.search(r'name="shown" value="([^"]+)"', client.get("/p/saatbrief").get_data(as_text=True)).group(1)
    assert sign_up(client, shown=shown).status_code == 200
    with process.reading() as session:
        assert not list(session.scalars(select(Notice)))


def test_a2_opening_the_link_changes_nothing_however_often(client: FlaskClient, process: Process, publication_id: int) -> None:
    sign_up(client)
    link = link_in_mail(process)
    for method in (client.get, client.head, client.options):
        for _ in range(3):
            method(link)
    assert state(process) == "pending"


def test_a2_a_press_without_the_page_or_too_quick_changes_nothing(client: FlaskClient, process: Process, publication_id: int) -> None:
    sign_up(client)
    link = link_in_mail(process)
    page = client.get(link).get_data(as_text=True)
    for data in ({}, {"pressed": "made up"}, {"pressed": process.tokens.sign("press", "another")}, {"pressed": pressed(page)}):
        response = client.post(link, data=data)
        assert response.status_code == 200
    assert state(process) == "pending"


def test_wrong_used_expired_and_foreign_tokens_change_nothing(client: FlaskClient, process: Process, publication_id: int) -> None:
    sign_up(client)
    link = link_in_mail(process)
    token = link.removeprefix("/confirm/")
    foreign = Tokens(("another key",)).sign("confirm", "x")
    wrong_purpose = process.tokens.sign("form", process.tokens.load("confirm", token, timedelta(days=1)))
    for bad in (token[:-3], "x" * 600, foreign, wrong_purpose, ".", "%00"):
        response = client.get(f"/confirm/{bad}")
        assert response.status_code == 410, bad
        assert client.post(f"/confirm/{bad}", data={"pressed": "x"}).status_code == 410
    assert state(process) == "pending"


def test_t2_pages_with_a_token_tell_nobody_their_address(client: FlaskClient, process: Process, publication_id: int) -> None:
    sign_up(client)
    link = link_in_mail(process)
    assert "ada" not in link
    response = client.get(link)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"


def test_l3_the_confirmation_mail_is_plain(client: FlaskClient, process: Process, publication_id: int) -> None:
    sign_up(client)
    with process.reading() as session:
        raw = bytes_of(session, session.scalars(select(Notice)).one())
    message = BytesParser(policy=policy.default).parsebytes(raw)
    html = message.get_body(("html",)).get_content()
    assert html.count("<img") == 0
    assert html.count("<a ") == 1
    assert "Am Anger 4" in html
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Form-Sub"]
    assert message["Subject"] == "Bitte bestätigen: Der Saatbrief"


@pytest.fixture
def leave(process: Process, publication_id: int) -> str:
    subscription_id = cast.reader(process, publication_id)
    with process.writing() as session:
        return f"/u/{cast.leave_link(session, subscription_id=subscription_id, now=process.clock())}"


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_u3_u4_one_click_leaves_at_once_without_cookie_or_redirect(client: FlaskClient, process: Process, leave: str, kind: str) -> None:
    response = client.post(leave, data={"List-Unsubscribe": "One-Click"}, content_type=kind)
    assert response.status_code == 200
    assert not response.headers.getlist("Set-Cookie")
    assert state(process) == "unsubscribed"
    assert client.post(leave, data={"List-Unsubscribe": "One-Click"}, content_type=kind).status_code == 200


def test_u3_one_click_works_from_anywhere(client: FlaskClient, process: Process, leave: str) -> None:
    headers = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post(leave, data={"List-Unsubscribe": "One-Click"}, headers=headers).status_code == 200
    assert state(process) == "unsubscribed"


def test_u3_an_unknown_body_shows_the_page_instead(client: FlaskClient, process: Process, leave: str) -> None:
    assert "<form" in client.post(leave, data={"x": "y"}).get_data(as_text=True)
    assert state(process) == "active"


@pytest.mark.parametrize("agent", ["Mozilla/5.0", "Barracuda Sentinel", "Microsoft Office Protection"])
def test_u5_looking_is_not_leaving(client: FlaskClient, process: Process, leave: str, agent: str) -> None:
    for method in (client.get, client.head, client.options):
        method(leave, headers={"User-Agent": agent})
    assert state(process) == "active"


def test_u6_an_unknown_link_answers_neutrally(client: FlaskClient, publication_id: int) -> None:
    assert client.get("/u/unknown").status_code == 200
    assert client.post("/u/unknown", data={"List-Unsubscribe": "One-Click"}).status_code == 200


def test_u6_t4_links_survive_a_new_secret_key(process: Process, new_process: object, leave: str) -> None:
    from newsletter.web import create_app

    other = new_process(secret_key="a quite different key")
    app = create_app(other)
    assert app.test_client().post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert state(other) == "unsubscribed"


def test_the_page_leaves_by_its_button(client: FlaskClient, process: Process, leave: str) -> None:
    assert "ada@" in client.get(leave).get_data(as_text=True)
    assert client.post(leave, data={"leave": "yes"}).status_code == 200
    assert state(process) == "unsubscribed"
