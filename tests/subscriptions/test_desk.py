"""The desk and the shield before it (A1, A2, A5, L4): many sign-ups at once, machines, pressure, quarantine."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.growth.models import Tally
from newsletter.growth.queries import total
from newsletter.mail.addresses import parse
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.shield import work
from newsletter.shield.models import Held
from newsletter.subscriptions.asking import Wish
from newsletter.subscriptions.desk import Desk
from newsletter.subscriptions.models import Consent, Subscriber, Subscription
from tests.support import cast
from tests.support.clock import Clock


def number_of(process: Process, model: type) -> int:
    with process.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a1_ten_thousand_posts_for_nine_addresses_from_five_hundred_networks_send_at_most_nine_mails(any_process: Process) -> None:
    process = any_process
    cast.publication(process)
    desk = Desk(process)

    def post(number: int) -> None:
        wish = Wish(desk.setting("saatbrief"), parse(f"opfer{number % 9}@example.org"), network=f"10.{number % 500 // 250}.{number % 250}.0/24", worked=True)
        desk.ask(wish)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(post, range(10_000)))
    with process.reading() as session:
        recipients = list(session.scalars(select(Notice.recipient).where(Notice.kind == "confirm")))
    assert len(recipients) <= 9
    assert len(set(recipients)) == len(recipients)


def test_many_threads_share_a_transaction_and_nobody_is_lost(any_process: Process) -> None:
    process = any_process
    cast.publication(process)
    desk = Desk(process)
    start = threading.Barrier(20)

    def post(number: int) -> str:
        start.wait()
        wish = Wish(desk.setting("saatbrief"), parse(f"leser{number}@example.org"), network=f"10.0.{number}.0/24")
        desk.ask(wish)
        return wish.outcome

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(post, range(20))) == {"asked"}
    assert number_of(process, Subscription) == 20
    assert number_of(process, Consent) == 20
    assert number_of(process, Notice) == 20


def test_the_same_address_twice_in_one_transaction_is_one_person(process: Process) -> None:
    from newsletter.subscriptions.asking import ask_all

    cast.publication(process)
    setting = Desk(process).setting("saatbrief")
    wishes = [Wish(setting, parse("ada@example.org")), Wish(setting, parse("ADA@example.org"))]
    with process.writing() as session:
        ask_all(session, process.tokens, process.links, wishes, now=process.clock())
    assert [wish.outcome for wish in wishes] == ["asked", "ignored"]
    assert number_of(process, Subscriber) == 1


def test_a_database_that_fails_fails_everybody_who_waits_and_the_desk_goes_on(process: Process) -> None:
    cast.publication(process)
    desk = Desk(process)
    setting = desk.setting("saatbrief")
    broken = Wish(setting, parse("ada@example.org"), answers={"x": object()})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        desk.ask(broken)
    wish = Wish(setting, parse("ben@example.org"))
    desk.ask(wish)
    assert wish.outcome == "asked"


@pytest.fixture
def pressed(new_process: Callable[..., Process]) -> tuple[Process, FlaskClient]:
    """An installation that asks for a proof from the third sign-up in ten minutes on."""
    from newsletter.web import create_app

    process = new_process(sign_ups_calm=2, trusted_proxies=1)
    cast.publication(process)
    cast.editor(process)
    return process, create_app(process).test_client()


def post(client: FlaskClient, who: int, **more: str) -> "object":
    return client.post("/p/saatbrief/subscribe", data={"email": f"leser{who}@example.org"} | more, headers={"X-Forwarded-For": f"10.1.{who}.1"})


def test_a1_under_pressure_a_proof_of_work_is_asked_for_and_counts_once(pressed: tuple[Process, FlaskClient]) -> None:
    process, client = pressed
    assert [post(client, number).status_code for number in (1, 2)] == [200, 200]
    page = post(client, 3)
    assert page.status_code == 429
    text = page.get_data(as_text=True)
    assert 'name="email" value="leser3@example.org"' in text
    challenge = re.search(r'data-work="([^"]+)"', text).group(1)
    assert post(client, 3, work=challenge, number="1").status_code == 429
    number = work.solve(challenge)
    assert post(client, 3, work=challenge, number=number).status_code == 200
    assert post(client, 4, work=challenge, number=number).status_code == 429
    assert number_of(process, Subscription) == 3


def test_a1_without_script_one_waits_half_a_minute(process: Process) -> None:
    from itsdangerous import URLSafeTimedSerializer

    class Old(URLSafeTimedSerializer):
        def make_signer(self, salt: bytes | str | None = None) -> "object":
            signer = super().make_signer(salt)
            signer.get_timestamp = lambda: __import__("time").time().__int__() - 40
            return signer

    fresh = work.challenge(process.tokens)
    assert not work.is_done(process.tokens, fresh, "")
    old = Old(list(process.settings.secret_keys), salt="brieftaube.work").dumps("x")
    assert work.is_done(process.tokens, old, "")
    assert not work.is_done(process.tokens, "made up", "")
    assert not work.is_done(process.tokens, process.tokens.sign("form", "x"), "")


@pytest.mark.parametrize("number", ["", "x", "-1", "1" * 13, "１２"])
def test_a1_a_number_that_is_none_solves_nothing(number: str) -> None:
    assert not work.has_zeros("abc", number)


def test_a1_programs_meet_the_same_shield(pressed: tuple[Process, FlaskClient]) -> None:
    process, client = pressed

    def ask(who: int, **more: str) -> "object":
        return client.post(
            "/api/v1/publications/saatbrief/subscribe", json={"email": f"leser{who}@example.org"} | more, headers={"X-Forwarded-For": f"10.2.{who}.1"}
        )

    assert [ask(number).status_code for number in (1, 2)] == [202, 202]
    answer = ask(3)
    assert answer.status_code == 429
    challenge = answer.get_json()["work"]
    assert ask(3, work=challenge, number=work.solve(challenge)).status_code == 202
    assert ask(3, website="https://spam.example").status_code == 202
    assert number_of(process, Held) == 1
    assert ask(4, email="nonsense").status_code == 422
    assert client.post("/api/v1/publications/saatbrief/subscribe", data="x").status_code == 400
    assert client.post("/api/v1/publications/nowhere/subscribe", json={}).status_code == 404
    assert "/api/v1/publications/{slug}/subscribe" in client.get("/api/v1/openapi.json").get_json()["paths"]


def test_an_alarm_goes_to_the_owners_once_a_day(pressed: tuple[Process, FlaskClient], clock: Clock) -> None:
    process, client = pressed
    for number in range(8):
        post(client, number)
    with process.reading() as session:
        alarms = list(session.scalars(select(Notice).where(Notice.kind == "alarm")))
    assert [alarm.recipient for alarm in alarms] == ["mira@saatgarten.example"]


def test_what_is_usual_raises_what_is_calm() -> None:
    from newsletter.shield.policy import under_pressure

    assert under_pressure(51, 0.0, 50)
    assert not under_pressure(50, 0.0, 50)
    assert not under_pressure(400, 60.0, 50)


def test_a1_after_too_many_in_an_hour_the_rest_waits_in_quarantine(new_process: Callable[..., Process]) -> None:
    process = new_process(sign_ups_per_hour=3)
    publication_id = cast.publication(process)
    desk = Desk(process)
    wishes = [Wish(desk.setting("saatbrief"), parse(f"leser{number}@example.org")) for number in range(5)]
    for wish in wishes:
        desk.ask(wish)
    assert [wish.outcome for wish in wishes] == ["asked"] * 3 + ["held"] * 2
    with process.reading() as session:
        assert set(session.scalars(select(Held.reason))) == {"flood"}
        assert total(session, publication_id, "held", process.clock()) == 2


def test_a5_one_network_gets_thirty_an_hour(process: Process, clock: Clock) -> None:
    cast.publication(process)
    desk = Desk(process)
    outcomes = []
    for number in range(32):
        wish = Wish(desk.setting("saatbrief"), parse(f"leser{number}@example.org"), network="10.0.0.0/24")
        desk.ask(wish)
        outcomes.append(wish.outcome)
    assert outcomes == ["asked"] * 30 + ["held"] * 2


def test_a5_a_forged_address_of_a_proxy_that_is_not_trusted_is_not_believed(client: FlaskClient, process: Process) -> None:
    cast.publication(process)
    for number in range(31):
        client.post("/p/saatbrief/subscribe", data={"email": f"leser{number}@example.org"}, headers={"X-Forwarded-For": f"10.9.{number}.1"})
    assert number_of(process, Held) == 1


def test_a1_what_is_held_waits_for_a_person_and_is_forgotten_in_time(mira: "object", process: Process, client: FlaskClient, clock: Clock) -> None:
    from newsletter.subscriptions.actions import forget_unconfirmed

    client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org", "website": "x"})
    client.post("/p/saatbrief/subscribe", data={"email": "ben@example.org", "website": "x"})
    assert number_of(process, Notice) == 0
    page = mira.get("/admin/saatbrief/shield").get_data(as_text=True)
    assert "ada@" in page
    with process.reading() as session:
        held = session.scalars(select(Held.id).where(Held.email == "ada@example.org")).one()
    assert mira.post(f"/admin/saatbrief/shield/{held}/release").status_code == 303
    with process.reading() as session:
        assert list(session.scalars(select(Notice.recipient))) == ["ada@example.org"]
    assert mira.post(f"/admin/saatbrief/shield/{held}/release").status_code == 404
    clock.forward(days=8)
    with process.writing() as session:
        forget_unconfirmed(session, now=clock())
    assert number_of(process, Held) == 0


def test_a_flood_is_counted_and_not_kept(process: Process) -> None:
    from newsletter.shield.policy import MOST_HELD
    from newsletter.subscriptions.asking import ask_all

    publication_id = cast.publication(process)
    setting = Desk(process).setting("saatbrief")
    for start in range(0, 1200, 200):
        wishes = [Wish(setting, parse(f"x{number}@example.org"), machine="trap") for number in range(start, start + 200)]
        with process.writing() as session:
            ask_all(session, process.tokens, process.links, wishes, now=process.clock())
    assert number_of(process, Held) == MOST_HELD
    with process.reading() as session:
        assert total(session, publication_id, "machine", process.clock()) == 1200


def test_a2_presses_without_a_person_are_counted(client: FlaskClient, process: Process) -> None:
    publication_id = cast.publication(process)
    subscription_id = cast.reader(process, publication_id)
    with process.writing() as session:
        secret = cast.leave_link(session, subscription_id=subscription_id, now=process.clock())
    client.post(f"/u/{secret}", data={"x": "y"})
    with process.reading() as session:
        assert session.scalars(select(Tally.number).where(Tally.kind == "scanner")).one() == 1
