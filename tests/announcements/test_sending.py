"""Posting to servers that speak as Mastodon and Bluesky do, and go wrong as servers do. Nothing is posted twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter import process as processes
from newsletter.accounts.actions import state_fact
from newsletter.announcements import actions, bluesky, mastodon, outlets, queries, sending
from newsletter.announcements.models import Announcement, Outlet
from newsletter.announcements.policy import Rejected
from newsletter.channels.actions import add_usual, note_figure
from newsletter.channels.models import Channel, Link
from newsletter.channels.queries import channel
from newsletter.errors import Conflict, Refused
from newsletter.fetching import Web
from newsletter.issues.models import Issue
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.worker import due
from tests.archive.test_building import publish
from tests.federation.test_federation import build
from tests.support import cast
from tests.support.clock import Clock
from tests.support.social import TOKEN, Server, social


@pytest.fixture(params=["mastodon", "bluesky"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def there(kind: str) -> Iterator[Server]:
    with social(kind) as found:
        yield found


@pytest.fixture
def process(new_process: Callable[..., Process]) -> Process:
    found = processes.use(replace(new_process(base_url="https://saat.example"), web=Web(private=True)))
    publication_id = cast.publication(found)
    cast.editor(found)
    cast.reader(found, publication_id)
    return found


@pytest.fixture
def connected(process: Process, there: Server, kind: str) -> int:
    """An account that new letters go to; gives back its channel."""
    with process.writing() as session:
        channel_id = add_usual(session, publication_id=1, kind=kind, language="de", now=process.clock())
        if kind == "mastodon":
            handle, facts = mastodon.connect(process.web, there.base, TOKEN)
            assert handle.startswith("@mira@127.0.0.1")
            assert facts == {"id": "14715", "longest": 500, "link": 23}
        else:
            handle, facts = bluesky.connect(process.web, there.base, "saat.example", TOKEN)
            assert (handle, facts) == ("@saat.example", {"did": "did:plc:saat", "longest": 300})
        values = {"kind": kind, "server": there.base, "handle": handle.lstrip("@") if kind == "bluesky" else handle, "secret": TOKEN, "facts": facts}
        outlets.connect(session, process.tokens, channel=channel(session, 1, channel_id), **values, automatic=True, now=process.clock())
    return channel_id


@pytest.fixture
def post(process: Process, connected: int, clock: Clock) -> int:
    """A letter came out, and waits to be announced there."""
    publish(process, clock)
    build(process)
    with process.reading() as session:
        return session.scalars(select(Announcement.id).where(Announcement.channel_id == connected)).one()


def row(process: Process, number: int) -> Announcement:
    with process.reading() as session:
        return session.get_one(Announcement, number)


def send(process: Process, number: int, clock: Clock, days: int = 2) -> Announcement:
    """Try until it is settled, as the worker would."""
    end = clock() + timedelta(days=days)
    while row(process, number).state == "queued" and clock() < end:
        sending.post(process, number)
        clock.forward(minutes=7)
    return row(process, number)


def test_a_new_letter_is_posted_with_its_words_its_link_and_its_picture(process: Process, there: Server, post: int, kind: str, clock: Clock) -> None:
    assert (post,) in [ids for actor, ids in due(process) if actor.actor_name == "send_announcement"]
    done = send(process, post, clock)
    assert (done.state, done.problem) == ("posted", "")
    (found,) = there.posts
    with process.reading() as session:
        link = session.get_one(Link, done.link_id)
        issue = session.get_one(Issue, done.issue_id)
    address = f"https://saat.example/l/{link.code}"
    assert link.path == f"{issue.slug}/"
    if kind == "mastodon":
        assert address in found["content"]
        assert (found["visibility"], found["language"]) == ("public", "de")
        assert found["media_attachments"]
        assert done.address == found["url"]
    else:
        value = found["value"]
        assert address in value["text"]
        assert value["langs"] == ["de"]
        assert value["embed"]["external"]["uri"] == address
        assert value["embed"]["external"]["thumb"]["$type"] == "blob"
        assert done.address.startswith("https://bsky.app/profile/saat.example/post/")
    assert there.media == 1


def test_p9_nothing_is_posted_from_an_older_database(process: Process, post: int) -> None:
    """What was posted since the copy was made is not in it."""
    with process.writing() as session:
        state_fact(session, name="frozen", value="yes", now=process.clock())
    assert not [ids for actor, ids in due(process) if actor.actor_name in ("send_announcement", "send_text")]


def test_what_is_settled_is_not_posted_again(process: Process, there: Server, post: int, clock: Clock) -> None:
    send(process, post, clock)
    for _ in range(3):
        sending.post(process, post)
    build(process)
    assert len(there.posts) == 1
    with process.reading() as session:
        assert queries.due(session, clock()) == []


@pytest.mark.parametrize("remembers", [True, False])
def test_a_post_whose_reply_was_lost_is_found_and_not_repeated(process: Process, there: Server, post: int, clock: Clock, remembers: bool) -> None:
    """Also when the server has forgotten the key in the meantime: Mastodon remembers it for an hour."""
    there.accidents, there.remembers_keys = ["lose"], remembers
    sending.post(process, post)
    assert (row(process, post).state, len(there.posts)) == ("queued", 1)
    clock.forward(hours=2)
    assert send(process, post, clock).state == "posted"
    assert len(there.posts) == 1


@pytest.mark.parametrize(
    "accidents",
    [
        ["hang up"], [(500, {}, {"error": "boom"})] * 3, [(503, {"Retry-After": "30"}, {})], [(429, {"Retry-After": "3600"}, {"error": "Too many"})],
        ["hang up", "lose", (502, {}, {})],
    ],
    ids=["nothing", "500", "503", "429", "one after the other"],
)  # fmt: skip
def test_accidents_pass_and_the_post_is_there_once(process: Process, there: Server, post: int, clock: Clock, accidents: list[object]) -> None:
    there.accidents = list(accidents)  # type: ignore[arg-type]
    done = send(process, post, clock)
    assert done.state == "posted"
    assert len(there.posts) == 1


def test_a_server_that_asks_for_an_hour_is_left_alone_for_an_hour(process: Process, there: Server, post: int, clock: Clock) -> None:
    there.accidents = [(429, {"Retry-After": "3600"}, {"error": "RateLimitExceeded"})]
    begun = clock()
    sending.post(process, post)
    waiting = row(process, post)
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at - begun >= timedelta(minutes=59)
    assert waiting.handed_at is None  # it surely has nothing, so it may still be cancelled


def test_a_server_that_never_answers_is_given_up_with_its_reason(process: Process, there: Server, post: int, clock: Clock) -> None:
    there.accidents = [(500, {}, {"error": "boom"})] * 99
    done = send(process, post, clock, days=9)
    assert done.state == "failed"
    assert "500" in done.problem
    assert there.posts == []


def test_an_account_that_is_not_let_in_any_more_says_so(process: Process, there: Server, post: int, clock: Clock, connected: int) -> None:
    with process.writing() as session:
        outlet = session.scalars(select(Outlet)).one()
        outlet.secret = process.tokens.encrypt("widerrufen")
    done = send(process, post, clock)
    assert done.state == "failed"
    assert "401" in done.problem
    with process.reading() as session:
        assert queries.outlets(session, 1)[connected].state == "refused"


def test_the_key_lies_encrypted_in_the_database(process: Process, connected: int) -> None:
    with process.reading() as session:
        secret = session.scalars(select(Outlet.secret)).one()
    assert TOKEN not in secret
    assert process.tokens.decrypt(secret) == TOKEN


def test_a_key_of_another_secret_is_no_accident_of_the_server(process: Process, there: Server, post: int, clock: Clock) -> None:
    with process.writing() as session:
        session.scalars(select(Outlet)).one().secret = "gAAAAA"
    assert "SECRET_KEY" in send(process, post, clock).problem


def test_a_text_that_is_too_long_is_refused_and_can_be_shortened(process: Process, there: Server, post: int, clock: Clock) -> None:
    with process.writing() as session:
        session.get_one(Announcement, post).text = "Wort " * 200
    done = send(process, post, clock)
    assert done.state == "failed"
    assert there.posts == []
    with process.writing() as session:
        again = session.get_one(Announcement, post)
        actions.change_text(session, again, "Kürzer.")
        actions.release(session, again, now=clock())
    assert send(process, post, clock).state == "posted"


def test_what_a_server_may_have_cannot_be_cancelled(process: Process, there: Server, post: int, clock: Clock) -> None:
    there.accidents = ["lose"]
    sending.post(process, post)
    with process.writing() as session, pytest.raises(Conflict, match="may have"):
        actions.cancel(session, session.get_one(Announcement, post), now=clock())


def test_what_waits_can_be_cancelled_and_taken_up_again(process: Process, there: Server, post: int, clock: Clock) -> None:
    with process.writing() as session:
        actions.cancel(session, session.get_one(Announcement, post), now=clock())
    sending.post(process, post)
    assert there.posts == []
    with process.writing() as session:
        found = session.get_one(Announcement, post)
        found.become("ready")
        actions.release(session, found, now=clock())
    assert send(process, post, clock).state == "posted"


def test_a_crash_in_the_middle_is_one_try_more_and_not_one_post_more(process: Process, there: Server, post: int, clock: Clock) -> None:
    """The worker died after the server had taken the post and before it could write that down."""
    with process.writing() as session:
        assert actions.claim(session, post, now=clock()) is False
    with process.reading() as session:
        found = session.get_one(Announcement, post)
        outlet = session.scalars(select(Outlet)).one()
        said = sending._post(process, session, found)
    sending._send(process, outlet, said)
    assert len(there.posts) == 1
    sending.post(process, post)
    assert row(process, post).state == "queued"  # the lease of the dead one runs
    clock.forward(minutes=6)
    assert send(process, post, clock).state == "posted"
    assert len(there.posts) == 1


def test_two_workers_post_once(process: Process, there: Server, post: int) -> None:
    import threading

    threads = [threading.Thread(target=sending.post, args=(process, post)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(there.posts) == 1


def test_a_disconnected_account_leaves_its_posts_to_a_person(process: Process, there: Server, post: int) -> None:
    with process.writing() as session:
        outlets.disconnect(session, session.scalars(select(Outlet)).one())
    assert (row(process, post).way, row(process, post).state) == ("hand", "todo")


def test_a_wrong_password_is_said_and_nothing_is_kept(process: Process, there: Server, kind: str) -> None:
    with pytest.raises(Rejected, match="401"):
        if kind == "mastodon":
            mastodon.connect(process.web, there.base, "falsch")
        else:
            bluesky.connect(process.web, there.base, "saat.example", "falsch")


@pytest.mark.parametrize("text", ["", "http://mastodon.social", "mastodon social", "ftp://x.example", "https://a:b@c.example", "https://x.example/pfad"])
def test_a_server_is_named_and_the_way_there_is_encrypted(text: str) -> None:
    with pytest.raises(Refused):
        outlets.server_of(text, "mastodon")
    assert outlets.server_of("garten.example/", "mastodon") == "https://garten.example"
    assert outlets.server_of("", "bluesky") == "https://bsky.social"


def test_closed_platforms_get_a_text_to_copy_and_their_owner_a_reminder(process: Process, clock: Clock) -> None:
    at_home(process, clock)
    publish(process, clock)
    build(process)
    with process.reading() as session:
        waiting = queries.waiting(session, 1)
    assert [channel.kind for _, channel in waiting] == ["instagram", "linkedin"]
    links = {found.link_id for found, _ in waiting}
    assert len(links) == 2
    for wait, mails in ((timedelta(hours=23), 0), (timedelta(hours=2), 1), (timedelta(days=6), 0), (timedelta(days=1), 1)):
        clock.forward(seconds=wait.total_seconds())
        with process.writing() as session:
            assert actions.remind(session, process.links, now=clock()) == mails
    with process.writing() as session:
        for found, _ in queries.waiting(session, 1):
            actions.settle_by_hand(session, found, done=True, now=clock())
        clock.forward(days=30)
        assert actions.remind(session, process.links, now=clock()) == 0
        assert session.scalars(select(Notice.kind).where(Notice.kind == "todo")).all() == ["todo", "todo"]


def at_home(process: Process, clock: Clock) -> None:
    """Mira is on Instagram and LinkedIn, and has said how many follow her there."""
    with process.writing() as session:
        for found in session.scalars(select(Channel).where(Channel.kind.in_(("instagram", "linkedin")))).all():
            note_figure(session, found, number=100, day=clock().date())


def test_nobody_is_reminded_of_places_where_she_never_was(process: Process, clock: Clock) -> None:
    publish(process, clock)
    build(process)
    with process.reading() as session:
        assert queries.waiting(session, 1) == []


def test_an_old_letter_is_no_news(process: Process, clock: Clock) -> None:
    issue_id = publish(process, clock)
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        assert actions.announce(session, process.links, get(session, 1), issue=issue, now=clock() + timedelta(days=31)) == []
