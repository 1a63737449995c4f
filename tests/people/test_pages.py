"""The pages of people: acts on many and taking them back, one person's story, the proof, growth, blocks (L2, B7, P4)."""

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.deliveries import actions as deliveries
from newsletter.deliveries import ledger
from newsletter.growth.actions import add
from newsletter.growth.queries import course, total, usual_in_ten_minutes
from newsletter.issues.models import Issue
from newsletter.people import actions, queries
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.subscriptions.models import Subscriber, Subscription, Suppression
from newsletter.subscriptions.queries import consents_of, tags_of
from tests.conftest import Browser
from tests.support import cast
from tests.support.clock import Clock


def states(process: Process) -> list[str]:
    with process.reading() as session:
        return list(session.scalars(select(Subscription.state).order_by(Subscription.id)))


@pytest.fixture
def three(mira: Browser, process: Process) -> Browser:
    for name in ("ada", "ben", "cleo"):
        cast.reader(process, 1, f"{name}@example.org", name.title())
    return mira


def test_a_tag_is_given_to_many_and_taken_back(three: Browser, process: Process) -> None:
    answer = three.post("/admin/saatbrief/subscribers/act", {"id": ["1", "2"], "kind": "tag", "tag_name": "VIP"})
    assert answer.status_code == 303
    assert "Für 2 Menschen erledigt" in three.get(answer.headers["Location"]).get_data(as_text=True)
    three.post("/admin/saatbrief/subscribers/act", {"id": ["2"], "kind": "tag", "tag_name": "Zweites"})
    three.post("/admin/saatbrief/subscribers/undo/1")
    with process.reading() as session:
        names = tags_of(session, 1)
        assert [[names[int(one)] for one in row.split(",") if one] for row in session.scalars(select(Subscription.tags).order_by(Subscription.id))] == [
            [],
            ["Zweites"],
            [],
        ]
    assert three.post("/admin/saatbrief/subscribers/undo/1").status_code == 404


def test_many_are_taken_out_and_brought_back_but_not_whoever_left_herself(three: Browser, process: Process, clock: Clock) -> None:
    three.post("/admin/saatbrief/subscribers/act", {"all": "yes", "kind": "leave", "state": "active"})
    assert states(process) == ["unsubscribed"] * 3
    then = clock()
    clock.forward(days=2)
    with process.writing() as session:
        session.get_one(Subscription, 2).ended_at = clock()
    three.log_in()
    three.post("/admin/saatbrief/subscribers/undo/1")
    assert states(process) == ["active", "unsubscribed", "active"]
    with process.reading() as session:
        assert [row.kind for row in consents_of(session, 1)] == ["confirmed", "withdrawn", "changed"]
        assert (total(session, 1, "left", then), total(session, 1, "left", clock())) == (1, 0)


def test_pausing_many_ends_with_the_undo(three: Browser, process: Process) -> None:
    three.post("/admin/saatbrief/subscribers/act", {"all": "yes", "q": "ben@", "kind": "pause"})
    assert states(process) == ["active", "paused", "active"]
    three.post("/admin/saatbrief/subscribers/undo/1")
    assert states(process) == ["active"] * 3


@pytest.mark.parametrize("data", [{"kind": "tag", "id": ["1"]}, {"kind": "weg", "id": ["1"]}, {"kind": "leave"}, {"kind": "tag", "id": ["x"], "tag_name": "a"}])
def test_an_act_without_anybody_or_anything_is_refused(three: Browser, process: Process, data: dict[str, object]) -> None:
    assert three.post("/admin/saatbrief/subscribers/act", data).status_code == 422
    assert states(process) == ["active"] * 3


def test_p4_people_of_another_publication_are_out_of_reach(three: Browser, process: Process) -> None:
    other = cast.publication(process, "anderer")
    stranger = cast.reader(process, other, "fremd@example.org")
    three.post("/admin/saatbrief/subscribers/act", {"id": [str(stranger)], "kind": "leave"})
    assert states(process)[-1] == "active"
    for path in ("", "/proof", "/data.json", "/erase"):
        assert three.get(f"/admin/saatbrief/subscribers/{stranger}{path}").status_code == 404
    assert three.post(f"/admin/saatbrief/subscribers/{stranger}/leave").status_code == 404


def test_one_persons_page_tells_and_changes(three: Browser, process: Process) -> None:
    for deed in ("pause", "resume", "answered", "leave"):
        assert three.post(f"/admin/saatbrief/subscribers/1/{deed}").status_code == 303
    three.post("/admin/saatbrief/subscribers/2/tags", {"tags": "VIP, Messe"})
    assert three.post("/admin/saatbrief/subscribers/2/key").status_code == 303
    page = three.get("/admin/saatbrief/subscribers/1").get_data(as_text=True)
    assert "Abgemeldet am" in page
    assert "Schrieb zurück" in page
    assert 'value="VIP, Messe"' in three.get("/admin/saatbrief/subscribers/2").get_data(as_text=True)
    assert states(process)[0] == "unsubscribed"


def test_l2_the_proof_stands_on_one_page_with_words_times_seals_and_the_mail(client: FlaskClient, mira: Browser, process: Process) -> None:
    from newsletter.mail.replies import Reply
    from newsletter.notices.actions import accept, bytes_of
    from newsletter.notices.models import Notice

    client.post("/p/saatbrief/subscribe", data={"email": "ada@example.org"})
    with process.writing() as session:
        notice = session.scalars(select(Notice)).one()
        raw = bytes_of(session, notice)
        assert raw == bytes_of(session, notice)
        accept(session, notice.id, reply=Reply(250, "2.0.0 taken"), raw=raw, now=process.clock())
        message_id, digest = notice.message_id, notice.sha256
    page = mira.get("/admin/saatbrief/subscribers/1/proof").get_data(as_text=True)
    for part in ("ada@example.org", "Ich möchte „Der Saatbrief“", message_id.strip("<>"), digest, "2.0.0 taken", "Am Anger 4", "Die Kette der Einwilligungen"):
        assert part in page, part
    assert json.loads(mira.get("/admin/saatbrief/subscribers/1/data.json").data)["consents"][0]["message_id"] == message_id


def test_an_editor_forgets_somebody_who_asked_for_it(three: Browser, process: Process) -> None:
    assert three.get("/admin/saatbrief/subscribers/2/erase").status_code == 200
    assert three.post("/admin/saatbrief/subscribers/2/erase").status_code == 303
    assert three.get("/admin/saatbrief/subscribers/2").status_code == 404
    with process.reading() as session:
        assert list(session.scalars(select(Subscriber.email).order_by(Subscriber.id))) == ["ada@example.org", "cleo@example.org"]
    assert (process.settings.data_dir / "erased").read_text().startswith("1 ")


def test_u5_erasing_somebody_while_a_mailing_runs_skips_her(process: Process, clock: Clock) -> None:
    cast.publication(process)
    for name in ("ada", "ben"):
        cast.reader(process, 1, f"{name}@example.org")
    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        mailing_id = deliveries.start(
            session, cast.links(process), publication=get(session, 1), issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=clock()
        )
    with process.writing() as session:
        deliveries.begin(session, mailing_id, now=clock())
    with process.writing() as session:
        held = ledger.claim(session, mailing_id, now=clock())
    assert [one.canonical for one in held] == ["ada@example.org", "ben@example.org"]
    with process.writing() as session:
        actions.erase(session, process.tokens, queries.person(session, 1), years=3, now=clock())
    wishes = [ledger.Wish(one, tuple(process.tokens.fingerprints("suppression", one.canonical)), f"{number:064}", 1) for number, one in enumerate(held)]
    with process.writing() as session:
        assert ledger.hand_over_singly(session, wishes, now=clock()) == {held[1].id}
    from newsletter.deliveries.queries import counts

    with process.reading() as session:
        found = counts(session, mailing_id)
        assert (found["skipped"], found["handing_over"], sum(found.values())) == (1, 1, 2)


def test_b7_blocks_are_asked_about_and_set_by_hand(mira: Browser, process: Process) -> None:
    assert "nicht gesperrt" in mira.post("/admin/saatbrief/suppressions", {"email": "ada@example.org", "deed": "look"}).get_data(as_text=True)
    assert "von dir gesperrt" in mira.post("/admin/saatbrief/suppressions", {"email": "ADA@example.org", "deed": "add"}).get_data(as_text=True)
    assert mira.post("/admin/saatbrief/suppressions", {"email": "keine"}).status_code == 422
    with process.reading() as session:
        row = session.scalars(select(Suppression)).one()
        assert (row.reason, row.publication_id, "ada" in row.fingerprint) == ("by hand", 1, False)


def test_growth_is_told_by_day_week_and_month(mira: Browser, process: Process, clock: Clock) -> None:
    with process.writing() as session:
        for days, kind, number in ((0, "joined", 5), (3, "joined", 2), (3, "left", 1), (40, "joined", 7), (4000, "joined", 9)):
            add(session, 1, kind, now=clock() - timedelta(days=days), number=number, channel_id=1 if days == 3 else None)
    with process.reading() as session:
        for unit, long in (("day", 62), ("week", 53), ("month", 36)):
            rows = course(session, 1, unit, clock())
            assert len(rows) == long
            assert [row.begins for row in rows] == sorted(row.begins for row in rows)
            assert sum(row.joined for row in rows) == 14
            assert sum(row.net for row in rows) == 13
        assert sum(row.joined for row in course(session, 1, "day", clock(), 1)) == 2
        assert usual_in_ten_minutes(session, 1, clock()) == 0.0
    for unit in ("day", "week", "month", "nonsense"):
        page = mira.get(f"/admin/saatbrief/growth?unit={unit}").get_data(as_text=True)
        assert "14 kamen und 1 gingen" in page
        assert "<svg" in page


def test_tallies_are_what_the_subscriptions_say(process: Process, clock: Clock) -> None:
    """Whatever happens, who came less who left are those who read."""
    from newsletter.subscriptions import actions as subscriptions
    from tests.subscriptions.test_actions import ask, confirm, known_secret

    cast.publication(process)
    for number in range(6):
        ask(process, 1, f"leser{number}@example.org")
        confirm(process, 1, known_secret(process))
        clock.forward(hours=30)
    with process.writing() as session:
        for number in (1, 2):
            one = queries.person(session, number)
            subscriptions.end(session, one.subscription, one.subscriber, how="test", now=clock())
        actions.erase(session, process.tokens, queries.person(session, 3), years=3, now=clock())
        actions.erase(session, process.tokens, queries.person(session, 2), years=3, now=clock())
        subscriptions.pause(session, session.get_one(Subscription, 4), until=None, now=clock())
    clock.forward(days=1)
    ask(process, 1, "leser0@example.org")
    confirm(process, 1, known_secret(process))
    with process.reading() as session:
        since = clock() - timedelta(days=100)
        readers = [state for state in states(process) if state in ("active", "paused")]
        assert total(session, 1, "joined", since) - total(session, 1, "left", since) == len(readers) == 4
