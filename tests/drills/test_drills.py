"""A rehearsed outage, from the choice to the protocol: figures of the day, texts prepared, nothing sent by itself."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from newsletter.announcements.models import Announcement
from newsletter.channels import actions as channels
from newsletter.channels.models import Channel, Link
from newsletter.channels.queries import names
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.drills import actions, policy, queries
from newsletter.drills.models import Drill
from newsletter.errors import Conflict, Refused
from newsletter.growth.actions import add
from newsletter.issues.models import Issue
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.radar.policy import Radar
from newsletter.sms.models import Gateway, Note, Phone
from newsletter.transports.actions import choose
from tests.conftest import Browser
from tests.radar.test_policy import ROASTER, TODAY
from tests.support import cast
from tests.support.clock import Clock
from tests.support.faults import FaultyServer

INSTAGRAM = policy.Target("channel:6", "Instagram", (6,))


@pytest.mark.parametrize(("span", "within"), [("forever", 12.7), ("week", 3.0), ("hours", 0.1)])
def test_the_worked_example_of_the_roaster(span: str, within: float) -> None:
    """38 of 178 sign-ups in 90 days come by Instagram: 12.7 a month, 21.3 %."""
    found = policy.outcome(Radar(TODAY, ROASTER), INSTAGRAM, span, texts=40, a_second=5)
    assert (found["reached"], found["there"], found["all"]) == (2650, 3860, 6510)
    assert (found["month"], found["share"], found["within"]) == (12.7, 21.3, within)
    assert (found["list"], found["seconds"], found["texts"]) == (1284, 257, 40)
    assert [way[1] for way in found["ways"]] == ["Mail list", "Feed (RSS)", "Mastodon", "LinkedIn", "WhatsApp-Kanal"]


def test_platforms_of_one_house_fail_together() -> None:
    rows = [Channel(id=n, kind=kind, name=kind, ownership="closed") for n, kind in enumerate(("instagram", "whatsapp", "linkedin"), 1)]
    found = {one.key: one.channels for one in policy.targets([*rows, Channel(id=4, kind="event", name="Messe", ownership="open")], "Alle")}
    assert found == {"channel:1": (1,), "channel:2": (2,), "channel:3": (3,), "channel:4": (4,), "operator:Meta": (1, 2), "closed": (1, 2, 3)}
    assert policy.targets([], "Alle") == []
    with pytest.raises(Refused):
        policy.outcome(Radar(TODAY, ()), INSTAGRAM, "immer", texts=0, a_second=1)
    assert policy.outcome(Radar(TODAY, ()), INSTAGRAM, "week", texts=0, a_second=0)["share"] == 0


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("span", policy.SPANS)
def test_the_prepared_letter_says_what_is_gone_and_where_one_is_still_read(language: str, span: str) -> None:
    facts = policy.Facts(
        "Instagram", span, language, "Der Saatbrief", "Mira", "https://a.example/", "https://s.example/", (("Mastodon", "https://m.example/@x"),)
    )
    subject, preheader, text = policy.letter(facts)
    assert "Instagram" in subject
    assert preheader
    for part in ("{{ anrede }}", "https://a.example/", "- **Mastodon:** https://m.example/@x", "(https://s.example/){ .button }", "Mira"):
        assert part in text
    assert "https://a.example/" in policy.text_message(facts)


@pytest.fixture
def instagram(process: Process, mira: Browser, clock: Clock) -> int:
    """Mira has 610 followers on Instagram, three readers, and a few sign-ups from there."""
    for number in range(3):
        cast.reader(process, 1, f"l{number}@example.org")
    with process.writing() as session:
        row = session.scalars(select(Channel).where(Channel.kind == "instagram")).one()
        linked = session.scalars(select(Channel).where(Channel.kind == "linkedin")).one()
        channels.note_figure(session, row, number=610, day=clock().date())
        channels.note_figure(session, linked, number=100, day=clock().date())
        add(session, 1, "joined", now=clock(), channel_id=row.id, number=9)
        return row.id


def begin(mira: Browser, channel_id: int, span: str = "hours") -> int:
    response = mira.post("/admin/saatbrief/reach/drills", {"target": f"channel:{channel_id}", "span": span})
    assert response.status_code == 303
    return int(response.headers["Location"].rpartition("/")[2])


def text_of(mira: Browser, path: str) -> str:
    response = mira.get(f"/admin/saatbrief/{path}")
    assert response.status_code == 200
    return str(response.get_data(as_text=True))


def test_looking_writes_nothing_down(process: Process, mira: Browser, instagram: int) -> None:
    page = text_of(mira, f"reach/drills?target=channel:{instagram}&span=forever")
    assert "Instagram ist weg. Du erreichst noch 14 von 100." in page
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Drill)) == 0


def test_beginning_prepares_everything_and_sends_nothing(process: Process, mira: Browser, instagram: int) -> None:
    drill_id = begin(mira, instagram)
    with process.reading() as session:
        drill = session.get_one(Drill, drill_id)
        issue = session.get_one(Issue, drill.issue_id)
        assert (drill.name, drill.span, drill.outcome["reached"], drill.outcome["all"]) == ("Instagram", "hours", 103, 713)
        assert (issue.state, "Instagram" in issue.subject) == ("draft", True)
        posts = session.scalars(select(Announcement).where(Announcement.drill_id == drill_id)).all()
        assert [(row.state, row.way) for row in posts] == [("ready", "hand")]
        assert session.get_one(Link, posts[0].link_id).code in posts[0].text
        assert session.scalar(select(func.count()).select_from(Mailing)) == 0
    page = text_of(mira, f"reach/drills/{drill_id}")
    assert "Notbrief, geprüft" in page
    assert "Begonnen von Mira" in page


def test_only_one_drill_at_a_time(mira: Browser, instagram: int) -> None:
    begin(mira, instagram)
    response = mira.post("/admin/saatbrief/reach/drills", {"target": f"channel:{instagram}", "span": "hours"})
    assert response.status_code == 422
    assert "Schließ sie erst ab" in response.get_data(as_text=True)


@pytest.mark.parametrize(("target", "span"), [("channel:999", "hours"), ("", "hours"), ("operator:Meta", "hours"), ("channel:4", "ewig")])
def test_what_cannot_fail_is_refused(mira: Browser, instagram: int, target: str, span: str) -> None:
    assert mira.post("/admin/saatbrief/reach/drills", {"target": target, "span": span}).status_code == 422


def test_a_letter_with_errors_is_not_ready(process: Process, mira: Browser, instagram: int) -> None:
    drill_id = begin(mira, instagram)
    with process.writing() as session:
        session.get_one(Issue, session.get_one(Drill, drill_id).issue_id).subject = ""
    assert "Notbrief mit Fehlern" in text_of(mira, f"reach/drills/{drill_id}")


def test_a_post_that_is_too_long_for_its_place_is_not_ready(process: Process, mira: Browser, instagram: int) -> None:
    drill_id = begin(mira, instagram)
    with process.writing() as session:
        session.scalars(select(Announcement).where(Announcement.drill_id == drill_id)).one().text = "Wort " * 700
    page = text_of(mira, f"reach/drills/{drill_id}")
    assert "der Text ist zu lang" in page
    assert "zu lang für diesen Ort" in page


def test_finishing_lays_down_a_dated_protocol(process: Process, mira: Browser, instagram: int, clock: Clock) -> None:
    drill_id = begin(mira, instagram)
    clock.forward(minutes=9)
    assert mira.post(f"/admin/saatbrief/reach/drills/{drill_id}/finish", {"note": "Ging gut."}).status_code == 303
    page = text_of(mira, "reach/drills")
    assert "103 von 713 erreichbar." in page
    assert "Ging gut." in page
    with process.reading() as session:
        drill = session.get_one(Drill, drill_id)
        assert [event["what"] for event in drill.events] == ["begun", "finished"]
        assert session.scalars(select(Announcement.state).where(Announcement.drill_id == drill_id)).all() == ["cancelled"]
        assert queries.last(session, 1) == clock()
    # What is laid down stays as it was, whatever is counted later.
    with process.writing() as session:
        channels.note_figure(session, session.get_one(Channel, instagram), number=2000, day=clock().date() + timedelta(days=1))
    assert "103 von 713 erreichbar." in text_of(mira, "reach/drills")
    # Its own page says what was ready then, although the posts are cancelled and the letter may be thrown away by now.
    with process.writing() as session:
        session.delete(session.get_one(Issue, session.get_one(Drill, drill_id).issue_id))
    rows = re.findall(r'<th scope="row">([^<]+)</th>.*?<span class="state (\w+)">', text_of(mira, f"reach/drills/{drill_id}"))
    assert rows[:2] == [("E-Mail-Liste", "done"), ("LinkedIn", "done")]
    assert mira.post(f"/admin/saatbrief/reach/drills/{drill_id}/finish").status_code == 422


def test_for_real_the_letter_goes_to_those_who_came_that_way(process: Process, mira: Browser, instagram: int, clock: Clock) -> None:
    drill_id = begin(mira, instagram)
    with process.writing() as session:
        from newsletter.subscriptions.models import Subscription

        session.get_one(Subscription, 2).channel_id = instagram
        issue_id = session.get_one(Drill, drill_id).issue_id
        session.get_one(Issue, issue_id).markdown = cast.TEXT
    response = mira.post(f"/admin/saatbrief/reach/drills/{drill_id}/letter", {"to": "came"})
    assert response.headers["Location"].endswith(f"/issues/{issue_id}/send")
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mailing)) == 0  # the last look comes first
        segment = session.get_one(Issue, issue_id).segment_id
    assert mira.post(f"/admin/saatbrief/issues/{issue_id}/send", {"segment": str(segment)}).status_code == 303
    with process.reading() as session:
        assert [row.subscription_id for row in session.scalars(select(Delivery))] == [2]
    assert "Der Brief ist hinausgegangen." in text_of(mira, f"reach/drills/{drill_id}")
    # Taken back to everybody, the segment is gone; asked again, the same segment is used again.
    with process.writing() as session:
        drill = session.get_one(Drill, drill_id)
        assert actions.take_part(session, drill, publication=get(session, 1), now=clock()) == segment


def test_for_real_the_posts_go_and_the_text_message_costs_what_was_shown(process: Process, mira: Browser, instagram: int, clock: Clock) -> None:
    drill_id = begin(mira, instagram)
    with process.writing() as session:
        session.add(Gateway(publication_id=1, address="http://127.0.0.1:9/", body='{"to": "{to}", "text": "{text}"}', price=75, changed_at=clock()))
        session.add(Phone(subscription_id=1, publication_id=1, number="+491713920001", state="active", asked_at=clock(), confirmed_at=clock()))
    path = f"/admin/saatbrief/reach/drills/{drill_id}"
    assert mira.post(f"{path}/posts").status_code == 303
    with process.reading() as session:
        assert session.scalars(select(Announcement.state).where(Announcement.drill_id == drill_id)).all() == ["todo"]
    assert mira.post(f"{path}/text", {"text": "Ich schreibe weiter."}).status_code == 200
    assert mira.post(f"{path}/text", {"text": "Ich schreibe weiter.", "people": "1", "cost": "1", "send": "yes"}).status_code == 422
    assert mira.post(f"{path}/text", {"text": "Ich schreibe weiter.", "people": "1", "cost": "75", "send": "yes"}).status_code == 303
    with process.reading() as session:
        assert session.scalars(select(Note.drill_id)).one() == drill_id
        assert [event["what"] for event in session.get_one(Drill, drill_id).events] == ["begun", "posts", "text"]


@pytest.fixture
def faults(process: Process) -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        with process.writing() as session:
            choose(session, process.tokens, address=server.url, now=process.clock())
        yield server


def test_u10_dry_it_goes_to_oneself_and_changes_no_letter(process: Process, mira: Browser, instagram: int, faults: FaultyServer) -> None:
    drill_id = begin(mira, instagram)
    response = mira.post(f"/admin/saatbrief/reach/drills/{drill_id}/dry")
    assert "wurde angenommen" in response.get_data(as_text=True)
    assert faults.recipients == ["mira@saatgarten.example"]
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert [event["what"] for event in session.get_one(Drill, drill_id).events] == ["begun", "dry"]


def test_a_server_that_refuses_is_quoted_and_the_drill_goes_on(process: Process, mira: Browser, instagram: int, faults: FaultyServer) -> None:
    faults.plan["rcpt"] = "550 5.7.1 nicht von hier"
    drill_id = begin(mira, instagram)
    response = mira.post(f"/admin/saatbrief/reach/drills/{drill_id}/dry")
    assert response.status_code == 422
    assert "nicht von hier" in response.get_data(as_text=True)
    with process.reading() as session:
        assert session.get_one(Drill, drill_id).state == "open"


def test_owners_are_reminded_once_a_quarter_and_not_after_a_drill(process: Process, mira: Browser, instagram: int, clock: Clock) -> None:
    def remind() -> int:
        with process.writing() as session:
            return actions.remind(session, process.links, now=clock())

    assert remind() == 0  # the publication is new
    clock.forward(days=93)
    assert [remind(), remind()] == [1, 0]
    clock.forward(days=91)
    assert remind() == 0
    clock.forward(days=2)
    assert remind() == 1
    assert mira.log_in().status_code == 303
    drill_id = begin(mira, instagram)
    mira.post(f"/admin/saatbrief/reach/drills/{drill_id}/finish")
    clock.forward(days=91)
    assert remind() == 0
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == "drill")) == 2


def test_without_closed_platforms_there_is_nothing_to_rehearse(process: Process, mira: Browser, clock: Clock) -> None:
    with process.writing() as session:
        for channel in names(session, 1).values():
            channels.end_channel(session, channel, now=clock())
    assert "Es gibt nichts, was ausfallen könnte." in text_of(mira, "reach/drills")
    clock.forward(days=200)
    with process.writing() as session:
        assert actions.remind(session, process.links, now=clock()) == 0
        with pytest.raises(Refused):
            actions.begin(session, process.links, publication=get(session, 1), target="closed", span="week", editor_id=1, who="M", now=clock())
    with process.writing() as session, pytest.raises(Conflict):
        drill = Drill(publication_id=1, target="closed", name="x", span="week", state="closed", outcome={}, events=[], begun_at=clock())
        actions.finish(session, drill, text="", missing=[], now=clock())
