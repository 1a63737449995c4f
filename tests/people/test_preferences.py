"""What readers decide themselves: pause, rhythm, address, data, erasure (L5, L9, T1-T5, U5), and leaving without a mail at hand."""

import json
import re
from datetime import timedelta
from email import policy
from email.parser import BytesParser

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, inspect, select, text

from newsletter.mail.addresses import parse
from newsletter.notices.actions import bytes_of
from newsletter.notices.models import Notice
from newsletter.people import actions, journal, queries
from newsletter.process import Process
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.models import Consent, Proof, Subscriber, Subscription, Suppression
from newsletter.tokens import Tokens
from tests.support import cast
from tests.support.clock import Clock


@pytest.fixture
def ada(process: Process) -> int:
    return cast.reader(process, cast.publication(process))


@pytest.fixture
def old(process: Process, ada: int) -> str:
    """The link of a letter."""
    with process.writing() as session:
        return cast.leave_link(session, subscription_id=ada, now=process.clock())


@pytest.fixture
def fresh(process: Process, ada: int) -> str:
    """The link that went to her own mailbox just now."""
    with process.writing() as session:
        return subscriptions.question_link(session, process.tokens, session.get_one(Subscription, ada), purpose="key", now=process.clock())


def row(process: Process, subscription_id: int = 1) -> Subscription:
    with process.reading() as session:
        return session.get_one(Subscription, subscription_id)


def link_of(process: Process, kind: str) -> str:
    with process.reading() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id.desc())).first()
        message = BytesParser(policy=policy.default).parsebytes(bytes_of(session, notice))
    return re.search(r"http://localhost(/(?:m|move)/[\w.-]+)", message.get_body(("plain",)).get_content()).group(1)


def test_the_link_of_a_letter_pauses_and_changes_how_often(client: FlaskClient, process: Process, old: str, clock: Clock) -> None:
    page = client.get(f"/m/{old}")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert row(process).state == "active"
    client.post(f"/m/{old}", data={"pause": "week", "rhythm": "monthly", "language": "en"})
    found = row(process)
    assert (found.state, found.rhythm, found.language) == ("paused", "monthly", "en")
    assert found.paused_until == clock() + timedelta(days=7)
    assert "How often" in client.get(f"/m/{old}").get_data(as_text=True)
    client.post(f"/m/{old}", data={"pause": "keep"})
    assert row(process).state == "paused"
    client.post(f"/m/{old}", data={"pause": "none"})
    assert row(process).state == "active"


@pytest.mark.parametrize(("until", "status"), [("2020-01-01", 422), ("nie", 422), ("", 422), ("9999-01-01", 422)])
def test_a_pause_until_no_day_is_refused_with_a_sentence(client: FlaskClient, process: Process, old: str, until: str, status: int) -> None:
    answer = client.post(f"/m/{old}", data={"pause": "until", "until": until})
    assert answer.status_code == status
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert row(process).state == "active"


def test_a_pause_ends_by_itself_and_what_was_missed_is_shown(client: FlaskClient, process: Process, old: str, clock: Clock) -> None:
    until = (clock() + timedelta(days=10)).date().isoformat()
    client.post(f"/m/{old}", data={"pause": "until", "until": until})
    with process.writing() as session:
        from newsletter.issues.models import Issue

        issue = session.get_one(Issue, cast_issue(process, session))
        issue.state, issue.number, issue.published_at = "published", 1, clock() + timedelta(days=2)
    clock.forward(days=9)
    with process.writing() as session:
        assert subscriptions.wake(session, now=clock()) == 0
    clock.forward(days=2)
    with process.writing() as session:
        assert subscriptions.wake(session, now=clock()) == 1
    assert row(process).state == "active"
    assert "Die erste Bohne" in client.get(f"/m/{old}").get_data(as_text=True)


def cast_issue(process: Process, session: "object") -> int:
    from newsletter.issues.actions import add_issue

    return add_issue(session, publication_id=1, subject="Die erste Bohne", markdown=cast.TEXT, now=process.clock())


def test_l9_a_forwarded_letter_shows_and_ends_nobodys_data(client: FlaskClient, old: str) -> None:
    for path in ("data.json", "data.csv", "erase", "address"):
        assert client.get(f"/m/{old}/{path}").status_code == 410, path
    assert client.post(f"/m/{old}/erase", data={"erase": "yes"}).status_code == 410
    assert client.post(f"/m/{old}/address", data={"email": "x@example.org"}).status_code == 410
    assert client.post(f"/m/{old}/letters", data={"letter": "x"}).status_code == 410


def test_l9_a_fresh_link_goes_to_the_address_itself(client: FlaskClient, process: Process, old: str) -> None:
    client.post(f"/m/{old}/key")
    link = link_of(process, "key")
    assert "/erase" in client.get(link).get_data(as_text=True)
    for _ in range(5):
        client.post(f"/m/{old}/key")
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 3


def test_t1_t5_keys_of_others_and_old_ones_open_nothing(client: FlaskClient, process: Process, fresh: str, ada: int) -> None:
    inner = process.tokens.load("key", fresh, timedelta(hours=1))
    for bad in (process.tokens.sign("confirm", inner), process.tokens.sign("move", inner), Tokens(("another",)).sign("key", inner), inner, "x" * 600):
        assert client.get(f"/m/{bad}/data.json").status_code == 410
    with process.writing() as session:
        one = session.get_one(Subscription, ada)
        move = subscriptions.question_link(session, process.tokens, one, purpose="move", email="x@example.org", now=process.clock())
    assert client.get(f"/m/{move}").status_code == 410
    assert client.get(f"/move/{fresh}").status_code == 410


def test_l9_my_data_has_every_row_about_me(client: FlaskClient, process: Process, fresh: str) -> None:
    found = json.loads(client.get(f"/m/{fresh}/data.json").data)
    assert found["subscribers"][0]["email"] == "ada@example.org"
    assert found["consents"][0]["kind"] == "confirmed"
    assert set(found) == set(queries.TELL)
    assert "digest" not in found["confirmations"][0]
    table = client.get(f"/m/{fresh}/data.csv").get_data(as_text=True)
    assert "subscribers,1,email,ada@example.org" in table


def test_l9_every_table_says_what_it_knows_about_people(process: Process) -> None:
    tables = set(inspect(process.engine).get_table_names()) - {"alembic_version"}
    assert tables == set(queries.TELL) | queries.NOTHING_PERSONAL | queries.PASSING


def test_a_new_address_counts_once_it_is_confirmed_there(client: FlaskClient, process: Process, fresh: str) -> None:
    assert client.post(f"/m/{fresh}/address", data={"email": "keine"}).status_code == 422
    client.post(f"/m/{fresh}/address", data={"email": "ada.neu@example.org"})
    link = link_of(process, "move")
    assert client.get(link).status_code == 200
    client.post(link, data={"x": "y"})
    with process.reading() as session:
        assert session.scalars(select(Subscriber.email)).one() == "ada@example.org"
    assert client.post(link, data={"move": "yes"}).status_code == 200
    assert client.post(link, data={"move": "yes"}).status_code == 410
    with process.reading() as session:
        assert session.scalars(select(Subscriber.email)).one() == "ada.neu@example.org"
        assert list(session.scalars(select(Consent.kind).order_by(Consent.id))) == ["confirmed", "changed"]
        assert session.scalars(select(Subscription.state)).one() == "active"


def test_an_address_that_reads_along_already_cannot_be_taken(client: FlaskClient, process: Process, fresh: str) -> None:
    cast.reader(process, 1, "ben@example.org")
    answer = client.post(f"/m/{fresh}/address", data={"email": "ben@example.org"})
    other = client.post(f"/m/{fresh}/address", data={"email": "neu@example.org"})
    assert answer.get_data(as_text=True).replace("ben@", "neu@") == other.get_data(as_text=True)
    with process.reading() as session:
        assert list(session.scalars(select(Notice.recipient).where(Notice.kind == "move"))) == ["neu@example.org"]


def test_l10_moving_here_leaves_another_publication_alone(process: Process, ada: int) -> None:
    other = cast.publication(process, "anderer")
    with process.writing() as session:
        first = session.get_one(Subscription, ada)
        second = Subscription(subscriber_id=first.subscriber_id, publication_id=other, asked_at=process.clock())
        session.add(second)
        session.flush()
        subscriptions.question_link(session, process.tokens, first, purpose="move", email="neu@example.org", now=process.clock())
        one = queries.person(session, ada)
        actions._give_address(session, one, parse("neu@example.org"), process.clock())
    with process.reading() as session:
        rows = dict(session.execute(select(Subscription.publication_id, Subscriber.email).join(Subscriber, Subscriber.id == Subscription.subscriber_id)).all())
    assert rows == {1: "neu@example.org", other: "ada@example.org"}


def grep(process: Process, needle: str) -> list[str]:
    """The tables and files in which a text stands."""
    with process.engine.connect() as connection:
        tables = inspect(process.engine).get_table_names()
        rows = ((table, value) for table in tables for values in connection.execute(text(f"SELECT * FROM {table}")) for value in values)
        found = list(dict.fromkeys(table for table, value in rows if needle in str(value).lower()))
    files = [file for file in process.settings.data_dir.rglob("*") if file.is_file() and not file.name.startswith("brieftaube.db")]
    return found + [str(file) for file in files if needle.encode() in file.read_bytes().lower()]


def send_to_everybody(process: Process) -> int:
    from newsletter.deliveries import actions as deliveries
    from newsletter.deliveries.models import Delivery
    from newsletter.issues.models import Issue
    from newsletter.publications.queries import get

    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        mailing_id = deliveries.start(
            session, cast.links(process), publication=get(session, 1), issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=process.clock()
        )
        for delivery in session.scalars(select(Delivery)):
            delivery.state, delivery.reply = "accepted", "250 2.1.5 <ada@example.org> ok"
    return mailing_id


def test_l5_erasing_reaches_every_table_and_leaves_a_keyed_hash(client: FlaskClient, process: Process, fresh: str) -> None:
    from newsletter.deliveries.queries import counts

    mailing_id = send_to_everybody(process)
    client.post("/p/saatbrief/subscribe", data={"email": "ADA@example.org", "website": "x"})
    client.post(f"/m/{fresh}/key")
    assert {"subscribers", "consents", "deliveries", "notices", "held"} <= set(grep(process, "ada@example.org"))
    assert client.get(f"/m/{fresh}/erase").status_code == 200
    assert client.post(f"/m/{fresh}/erase", data={"erase": "yes"}).status_code == 200
    assert grep(process, "ada@example.org") == []
    assert grep(process, "ada lorenzen") == []
    with process.reading() as session:
        assert counts(session, mailing_id)["accepted"] == 1
        assert session.scalars(select(Suppression.reason)).one() == "erased"
        proof = session.scalars(select(Proof)).one()
        assert (proof.kind, proof.keep_until.year) == ("confirmed", process.clock().year + 4)
    assert client.get(f"/m/{fresh}").status_code == 410


def test_l5_erasing_on_postgresql_and_sqlite(any_process: Process) -> None:
    process = any_process
    ada = cast.reader(process, cast.publication(process))
    send_to_everybody(process)
    with process.writing() as session:
        actions.erase(session, process.tokens, queries.person(session, ada), years=3, now=process.clock())
    assert grep(process, "ada@example.org") == []


def test_l10_erasing_in_one_publication_leaves_the_other_alone(process: Process, ada: int) -> None:
    other = cast.publication(process, "anderer")
    with process.writing() as session:
        first = session.get_one(Subscription, ada)
        session.add(Subscription(subscriber_id=first.subscriber_id, publication_id=other, asked_at=process.clock()))
        session.flush()
        actions.erase(session, process.tokens, queries.person(session, ada), years=3, now=process.clock())
    with process.reading() as session:
        assert session.scalars(select(Subscription.publication_id)).one() == other
        assert session.scalars(select(Subscriber.email)).one() == "ada@example.org"
        assert session.scalars(select(Suppression.publication_id)).one() == 1


def test_b7_whoever_was_erased_may_ask_again_herself(client: FlaskClient, process: Process, ada: int) -> None:
    with process.writing() as session:
        actions.erase(session, process.tokens, queries.person(session, ada), years=3, now=process.clock())
    client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org"})
    with process.reading() as session:
        assert list(session.scalars(select(Notice.kind))) == ["confirm"]


def test_l5_a_backup_that_is_put_back_brings_nobody_back(process: Process, ada: int) -> None:
    with process.writing() as session:
        fingerprint = actions.erase(session, process.tokens, queries.person(session, ada), years=3, now=process.clock())
    journal.note(process, 1, fingerprint)
    assert "ada" not in (process.settings.data_dir / "erased").read_text()
    cast.reader(process, 1)
    cast.reader(process, 1, "ben@example.org")
    with (process.settings.data_dir / "erased").open("a") as file:
        file.write("1 cut o")
    assert journal.replay(process) == 1
    with process.reading() as session:
        assert session.scalars(select(Subscriber.email)).one() == "ben@example.org"
    assert journal.replay(process) == 0


def test_l5_whoever_left_is_forgotten_when_nothing_can_be_claimed_any_more(process: Process, ada: int, clock: Clock) -> None:
    with process.writing() as session:
        one = queries.person(session, ada)
        subscriptions.end(session, one.subscription, one.subscriber, how="test", now=clock())
    clock.forward(days=365 * 3)
    with process.writing() as session:
        assert actions.forget_the_old(session, process.tokens, years=3, now=clock()) == 0
    clock.forward(days=366)
    with process.writing() as session:
        assert actions.forget_the_old(session, process.tokens, years=3, now=clock()) == 1
    assert grep(process, "ada@example.org") == []
    with process.reading() as session:
        assert not list(session.scalars(select(Proof)))
        assert not list(session.scalars(select(Suppression)))


def test_leaving_without_an_old_mail_at_hand(client: FlaskClient, process: Process, ada: int) -> None:
    known = client.post("/p/saatbrief/manage", data={"email": "ada@example.org"})
    unknown = client.post("/p/saatbrief/manage", data={"email": "ben@example.org"})
    assert known.get_data(as_text=True).replace("ada@", "ben@") == unknown.get_data(as_text=True)
    assert client.post("/p/saatbrief/manage", data={"email": "x"}).status_code == 422
    link = link_of(process, "key")
    assert client.post(link, data={"leave": "yes"}).status_code == 200
    assert row(process).state == "unsubscribed"
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 1


def test_the_unsubscribe_page_offers_a_pause_below_the_button_that_leaves(client: FlaskClient, process: Process, old: str) -> None:
    page = client.get(f"/u/{old}").get_data(as_text=True)
    assert 0 < page.index('name="leave"') < page.index('name="pause"')
    client.post(f"/m/{old}", data={"pause": "month"})
    assert row(process).state == "paused"


def test_other_letters_of_the_same_house_are_asked_for_like_any_other(client: FlaskClient, process: Process, fresh: str) -> None:
    cast.publication(process, "zweitbrief")
    cast.publication(process, "fremd", imprint_person="Jemand anders")
    page = client.get(f"/m/{fresh}").get_data(as_text=True)
    assert 'value="zweitbrief"' in page
    assert 'value="fremd"' not in page
    client.post(f"/m/{fresh}/letters", data={"letter": "zweitbrief"})
    assert client.post(f"/m/{fresh}/letters", data={"letter": "fremd"}).status_code == 404
    with process.reading() as session:
        states = list(session.scalars(select(Subscription.state).order_by(Subscription.id)))
        assert states == ["active", "pending"]
        assert [(one.kind, one.recipient) for one in session.scalars(select(Notice))] == [("confirm", "ada@example.org")]


def test_the_welcome_mail_comes_once(process: Process, clock: Clock) -> None:
    from newsletter.forms.queries import first_form
    from newsletter.publications.queries import get

    cast.publication(process)
    for _ in range(2):
        with process.writing() as session:
            publication, form = get(session, 1), first_form(session, 1)
            subscriptions.ask(
                session, process.tokens, cast.links(process), publication=publication, form=form, request=subscriptions.Request("ada@example.org"), now=clock()
            )
            token = session.scalars(select(Notice).where(Notice.kind == "confirm").order_by(Notice.id.desc())).first().facts["link"].rpartition("/")[2]
            secret = process.tokens.load("confirm", token, timedelta(hours=1))
            one = subscriptions.confirm(session, process.tokens, cast.links(process), publication=publication, form=form, secret=secret, now=clock())
            subscriptions.end(session, one, session.get_one(Subscriber, one.subscriber_id), how="test", now=clock())
        clock.forward(days=2)
    with process.reading() as session:
        welcomes = list(session.scalars(select(Notice).where(Notice.kind == "welcome")))
        assert len(welcomes) == 1
        assert "/m/" in bytes_of(session, welcomes[0]).decode()
