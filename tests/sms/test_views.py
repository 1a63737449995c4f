"""The pages: a reader gives her number, the founder sees the cost, and the gateway that comes along catches it."""

import pytest
from flask.testing import FlaskClient

from newsletter.catcher.store import Store
from newsletter.process import Process
from newsletter.sms.views import BODY
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.models import Subscription
from tests.conftest import Browser
from tests.support import cast

PAGE = "/admin/saatbrief/reach/sms"
GATEWAY = {"address": "http://127.0.0.1:9/sms", "shape": "json", "body": BODY, "price": "0,075"}


def test_the_gateway_that_comes_along_takes_json_and_keeps_each_message_once(client: FlaskClient, process: Process) -> None:
    said = {"to": "+491713920001", "text": "Hallo", "from": "Saat", "id": "1-1"}
    assert [client.post("/dev/sms", json=said).status_code for _ in range(2)] == [201, 201]
    assert client.post("/dev/sms", json={"to": "+49"}).status_code == 400
    assert client.post("/dev/sms", data="kein JSON").status_code == 400
    assert [(one.number, one.text) for one in Store(process.settings.data_dir).texts()] == [("+491713920001", "Hallo")]
    assert "+491713920001" in client.get("/dev/sms").get_data(as_text=True)


def test_p7_the_test_gateway_is_not_there_for_the_world(client: FlaskClient) -> None:
    assert client.post("/dev/sms", json={"to": "+49", "text": "x"}, headers={"Host": "saat.example"}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"address": "ftp://x"}, "Webadresse"), ({"body": "{"}, "Vorlage"), ({"body": '{"to": "{to}"}'}, "Vorlage braucht"), ({"price": "viel"}, "Preis"),
        ({"price": "9"}, "fünf Euro"), ({"shape": "soap"}, "Art von Gateway"), ({"headers": "kaputt"}, "Kopfzeile"),
    ],
)  # fmt: skip
def test_a_gateway_that_cannot_work_is_refused_beside_its_field(mira: Browser, wrong: dict[str, str], sentence: str) -> None:
    response = mira.post(f"{PAGE}/gateway", GATEWAY | wrong)
    assert response.status_code == 422
    assert sentence in response.get_data(as_text=True)


def test_a_gateway_is_kept_tried_and_forgotten(mira: Browser) -> None:
    assert mira.post(f"{PAGE}/gateway", GATEWAY | {"only": "yes"}).status_code == 303
    response = mira.post(f"{PAGE}/test", {"number": "0171 3920001"})
    assert response.status_code == 422
    assert "Das Gateway hat sie nicht angenommen" in response.get_data(as_text=True)
    assert mira.post(f"{PAGE}/test", {"number": "030 12"}).status_code == 422
    assert mira.post(PAGE, {"text": "x", "people": "0", "cost": "0", "send": "yes"}).status_code == 422
    assert mira.post(f"{PAGE}/gateway", {"forget": "yes"}).status_code == 303
    assert mira.post(f"{PAGE}/test", {"number": "0171 3920001"}).status_code == 422


def test_the_cost_is_shown_before_the_button_is_there(mira: Browser) -> None:
    mira.post(f"{PAGE}/gateway", GATEWAY)
    page = mira.post(PAGE, {"text": "Ein Satz."}).get_data(as_text=True)
    assert 'name="send"' not in page  # nobody has given a number, so there is nothing to send


def test_a_reader_gives_her_number_behind_a_fresh_link_only(mira: Browser, client: FlaskClient, process: Process) -> None:
    mira.post(f"{PAGE}/gateway", GATEWAY)
    subscription_id = cast.reader(process, 1)
    with process.writing() as session:
        old = cast.leave_link(session, subscription_id=subscription_id, now=process.clock())
    # A letter may be forwarded: its link does not open this page (L9).
    assert client.get(f"/m/{old}/phone").status_code == 410
    with process.writing() as session:
        row = session.get_one(Subscription, subscription_id)
        key = subscriptions.question_link(session, process.tokens, row, purpose="key", now=process.clock())
    assert "Soll eine SMS kommen" in client.get(f"/m/{key}/phone").get_data(as_text=True)
    assert client.post(f"/m/{key}/phone", data={"number": "030 123"}).status_code == 422
    page = client.post(f"/m/{key}/phone", data={"number": "0171 3920001"}).get_data(as_text=True)
    assert "+491 … 001" in page
    assert "3920001" not in page
    assert client.post(f"/m/{key}/phone", data={"code": "000000"}).status_code in (200, 422)
    assert "gelöscht" in client.post(f"/m/{key}/phone", data={"end": "yes"}).get_data(as_text=True)
