"""What other servers are told and say: followers, new issues, hubs, mentions."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from archive_site.twins import CONTEXT
from newsletter import process as processes
from newsletter.archive import actions as archive
from newsletter.archive import building
from newsletter.archive.models import Build
from newsletter.federation import actions, policy, queries, sending
from newsletter.federation.models import Follower, Mention, Ping
from newsletter.fetching import Unreachable, Web
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.queries import get
from newsletter.web import create_app
from tests.archive.test_building import publish
from tests.support import cast
from tests.support.clock import Clock
from tests.support.elsewhere import Elsewhere, check_signature, elsewhere

BASE = "https://saat.example"
ACTOR = f"{BASE}/ap/saatbrief"


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with elsewhere() as found:
        yield found


@pytest.fixture
def process(new_process: Callable[..., Process], clock: Clock) -> Process:
    found = processes.use(replace(new_process(base_url=BASE), web=Web(private=True, names={"ada.example": "127.0.0.1"})))
    publication_id = cast.publication(found)
    cast.reader(found, publication_id)
    build(found)
    return found


@pytest.fixture
def client(process: Process) -> FlaskClient:
    app: Flask = create_app(process)
    app.testing = True
    return app.test_client()


def build(process: Process, issue_id: int | None = None) -> None:
    with process.writing() as session:
        build_id = archive.request_build(session, publication_id=1, issue_id=issue_id, now=process.clock())
    building.run(process, build_id)


def say_everything(process: Process) -> None:
    with process.reading() as session:
        due = queries.pings_due(session, process.clock())
    for number in due:
        sending.ping(process, number)


def follow(client: FlaskClient, there: Elsewhere, clock: Clock, **more: object) -> int:
    activity = {"@context": CONTEXT, "id": f"{there.actor}#follow", "type": "Follow", "actor": there.actor, "object": ACTOR} | more
    body, headers = there.signed(f"{ACTOR}/inbox", activity, clock())
    return client.post("/ap/saatbrief/inbox", data=body, headers=headers, base_url=BASE).status_code


def public_key(client: FlaskClient) -> str:
    return client.get("/ap/saatbrief", headers={"Accept": policy.JSON}, base_url=BASE).get_json(force=True)["publicKey"]["publicKeyPem"]


def test_an_account_is_found_by_its_name(client: FlaskClient) -> None:
    answer = client.get("/.well-known/webfinger?resource=acct:saatbrief@saat.example", base_url=BASE)
    assert answer.mimetype == "application/jrd+json"
    found = answer.get_json(force=True)
    assert found["subject"] == "acct:saatbrief@saat.example"
    assert {"rel": "self", "type": "application/activity+json", "href": ACTOR} in found["links"]
    actor = client.get("/ap/saatbrief", headers={"Accept": "application/activity+json"}, base_url=BASE).get_json(force=True)
    assert (actor["id"], actor["inbox"], actor["publicKey"]["owner"]) == (ACTOR, f"{ACTOR}/inbox", ACTOR)
    assert client.get("/ap/saatbrief", headers={"Accept": "text/html"}, base_url=BASE).headers["Location"] == f"{BASE}/archive/saatbrief/"


@pytest.mark.parametrize(
    "resource", ["acct:nobody@saat.example", "acct:saatbrief@other.example", "", "acct:@", "https://saat.example/ap/", "acct:../x@saat.example"]
)
def test_nobody_else_is_found(client: FlaskClient, resource: str) -> None:
    assert client.get("/.well-known/webfinger", query_string={"resource": resource}, base_url=BASE).status_code == 404


def test_somebody_follows_is_answered_and_gets_the_next_issue(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    assert follow(client, there, clock) == 202
    say_everything(process)
    path, headers, body = there.posts.pop()
    assert path == "/users/ada/inbox"
    assert (json.loads(body)["type"], json.loads(body)["object"]["actor"]) == ("Accept", there.actor)
    check_signature(public_key(client), path, headers, body)
    issue_id = publish(process, clock)
    build(process, issue_id)
    say_everything(process)
    path, headers, body = there.posts.pop()
    assert path == "/inbox"  # the one that a server shares
    check_signature(public_key(client), path, headers, body)
    activity = json.loads(body)
    assert (activity["type"], activity["object"]["type"], activity["object"]["name"]) == ("Create", "Article", "Die erste Bohne")
    assert activity["object"]["id"] == f"{BASE}/archive/saatbrief/die-erste-bohne/index.json"
    assert "Ada" not in json.dumps(activity["object"])
    # The object lies in the archive, as static JSON.
    with client.get("/archive/saatbrief/die-erste-bohne/index.json", base_url=BASE) as stored:
        assert (stored.mimetype, stored.get_json(force=True)["id"]) == ("application/activity+json", activity["object"]["id"])
    # Said once, whatever is built again.
    build(process)
    say_everything(process)
    assert there.posts == []


def test_following_twice_is_following_once_and_leaving_is_leaving(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    follow(client, there, clock)
    follow(client, there, clock)
    with process.reading() as session:
        assert queries.followers(session, 1) == 1
    inside = {"type": "Follow", "actor": there.actor, "object": ACTOR}
    assert follow(client, there, clock, type="Undo", object=inside) == 202
    with process.reading() as session:
        assert queries.followers(session, 1) == 0


def test_what_is_not_signed_by_whom_it_says_is_refused(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    activity = {"type": "Follow", "actor": there.actor, "object": ACTOR}
    body, headers = there.signed(f"{ACTOR}/inbox", activity, clock())
    wrong = [
        (body + b" ", headers),
        (body, headers | {"Signature": headers["Signature"].replace('signature="', 'signature="AAAA')}),
        (body, {key: value for key, value in headers.items() if key != "Signature"}),
        (body, headers | {"Signature": headers["Signature"].replace("(request-target) host date digest", "date")}),
        there.signed(f"{ACTOR}/inbox", activity, clock() - timedelta(hours=2)),
        there.signed(f"{BASE}/ap/other/inbox", activity, clock()),
    ]
    for data, said in wrong:
        assert client.post("/ap/saatbrief/inbox", data=data, headers=said, base_url=BASE).status_code == 401
    other = {"type": "Follow", "actor": "http://127.0.0.2:1/users/eve", "object": ACTOR}
    data, said = there.signed(f"{ACTOR}/inbox", other, clock())
    assert client.post("/ap/saatbrief/inbox", data=data, headers=said, base_url=BASE).status_code == 401
    with process.reading() as session:
        assert queries.followers(session, 1) == 0


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b"{}", 400), (b'{"type": "Like", "actor": "https://a.example/b"}', 202)])
def test_what_is_no_activity_or_none_for_us_harms_nothing(client: FlaskClient, body: bytes, status: int) -> None:
    assert client.post("/ap/saatbrief/inbox", data=body, base_url=BASE).status_code == status


def test_a_server_that_is_down_is_asked_again_and_one_that_is_gone_is_forgotten(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    follow(client, there, clock)
    say_everything(process)
    there.statuses["/inbox"] = 503
    build(process, publish(process, clock))
    say_everything(process)
    with process.reading() as session:
        row = session.scalars(select(Ping).where(Ping.issue_id.is_not(None), Ping.kind == "activity")).one()
        assert (row.state, row.attempts, row.problem[:3]) == ("queued", 1, "503")
    there.statuses["/inbox"] = 410
    clock.forward(hours=1)
    say_everything(process)
    with process.reading() as session:
        assert session.scalars(select(Follower)).all() == []


def test_only_what_everybody_may_read_is_told(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    follow(client, there, clock)
    say_everything(process)
    there.posts.clear()
    with process.writing() as session:
        session.get_one(Publication, 1).visibility = "delayed"
    build(process, publish(process, clock))
    say_everything(process)
    assert there.posts == []
    assert client.get("/ap/saatbrief/outbox", base_url=BASE).get_json(force=True)["orderedItems"] == []
    clock.forward(days=3, minutes=1)
    with process.reading() as session:
        waiting = session.scalars(select(Build.id).where(Build.state == "queued", Build.next_attempt_at <= clock())).one()
    building.run(process, waiting)
    say_everything(process)
    assert [path for path, _, _ in there.posts] == ["/inbox"]
    assert len(client.get("/ap/saatbrief/outbox", base_url=BASE).get_json(force=True)["orderedItems"]) == 1


def test_the_hub_is_told_of_every_change_of_the_feeds(process: Process, there: Elsewhere, clock: Clock) -> None:
    with process.writing() as session:
        session.get_one(Publication, 1).hub = f"{there.base}/hub"
    build(process)
    say_everything(process)
    there.posts.clear()
    build(process, publish(process, clock))
    say_everything(process)
    _, _, body = next(post for post in there.posts if post[0] == "/hub")
    assert b"hub.mode=publish" in body
    assert body.count(b"hub.url=https%3A%2F%2Fsaat.example%2Farchive%2Fsaatbrief%2F") == 3


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Content-Type": "text/html", "Link": '</hook>; rel="webmention"'}, ""),
        ({"Content-Type": "text/html"}, '<link rel="webmention" href="/hook">'),
        ({"Content-Type": "text/html"}, '<p><a href="/hook" rel="nofollow webmention">a</a>'),
    ],
)
def test_a_page_that_an_issue_links_to_is_told(process: Process, there: Elsewhere, clock: Clock, headers: dict[str, str], text: str) -> None:
    there.pages["/seite"] = (200, headers, text)
    build(process, publish(process, clock, f"Siehe [dort]({there.far}/seite)."))
    say_everything(process)
    path, _, body = there.posts.pop()
    assert path == "/hook"
    assert parse_qs(body.decode()) == {"source": [f"{BASE}/archive/saatbrief/die-erste-bohne/"], "target": [f"{there.far}/seite"]}


def test_a_page_that_takes_no_webmentions_is_asked_once(process: Process, there: Elsewhere, clock: Clock) -> None:
    there.pages["/seite"] = (200, {"Content-Type": "text/html"}, "<p>nichts")
    build(process, publish(process, clock, f"Siehe [dort]({there.far}/seite)."))
    say_everything(process)
    with process.reading() as session:
        row = session.scalars(select(Ping).where(Ping.kind == "webmention", Ping.place.startswith(there.far))).one()
        assert (row.state, there.posts) == ("failed", [])


def mention(client: FlaskClient, source: str, target: str) -> int:
    return client.post("/webmention/saatbrief", data={"source": source, "target": target}, base_url=BASE).status_code


TARGET = f"{BASE}/archive/saatbrief/die-erste-bohne/"


def look_at_everything(process: Process) -> None:
    with process.reading() as session:
        due = queries.mentions_due(session, process.clock())
    for number in due:
        building.look_at_mention(process, number)


def test_a_mention_is_looked_at_waits_and_is_shown_when_somebody_says_so(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    build(process, publish(process, clock))
    words = (
        f'<article class="h-entry"><span class="p-author">Ben <b>Aal</b></span><p class="e-content">Schön: <a href="{TARGET}">der Brief</a> &lt;3</p></article>'
    )
    there.pages["/antwort"] = (200, {"Content-Type": "text/html"}, words)
    assert mention(client, f"{there.base}/antwort", TARGET) == 202
    look_at_everything(process)
    with process.writing() as session:
        row = session.scalars(select(Mention)).one()
        assert (row.state, row.author, row.words) == ("waiting", "Ben Aal", "Schön: der Brief <3")
    page = process.settings.archive_dir / "saatbrief" / "die-erste-bohne" / "index.html"
    build(process)
    assert "Ben Aal" not in page.read_text()
    with process.writing() as session:
        actions.decide(session, session.scalars(select(Mention)).one(), show=True)
    build(process, 1)
    assert "Ben Aal" in page.read_text()
    assert "Schön: der Brief &lt;3" in page.read_text()
    # The page disappears: so does what was shown.
    there.pages["/antwort"] = (410, {}, "")
    assert mention(client, f"{there.base}/antwort", TARGET) == 202
    look_at_everything(process)
    with process.reading() as session:
        build_id = session.scalars(select(Build.id).where(Build.state == "queued")).one()
    building.run(process, build_id)
    assert "Ben Aal" not in page.read_text()


def test_a_page_that_does_not_link_here_is_no_mention(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    build(process, publish(process, clock))
    there.pages["/spam"] = (200, {"Content-Type": "text/html"}, f"<p>Kauft! {TARGET}</p>")
    assert mention(client, f"{there.base}/spam", TARGET) == 202
    look_at_everything(process)
    with process.reading() as session:
        assert session.scalars(select(Mention)).one().state == "gone"
        assert queries.shown(session, 1) == []


def test_what_was_refused_stays_refused(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    build(process, publish(process, clock))
    there.pages["/a"] = (200, {"Content-Type": "text/html"}, f'<p><a href="{TARGET}">a</a></p>')
    mention(client, f"{there.base}/a", TARGET)
    look_at_everything(process)
    with process.writing() as session:
        actions.decide(session, session.scalars(select(Mention)).one(), show=False)
    there.pages["/a"] = (200, {"Content-Type": "text/html"}, f'<p>anders <a href="{TARGET}">a</a></p>')
    mention(client, f"{there.base}/a", TARGET)
    look_at_everything(process)
    with process.reading() as session:
        assert session.scalars(select(Mention)).one().state == "refused"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("", TARGET),
        ("javascript:alert(1)", TARGET),
        (TARGET, TARGET),
        (f"{BASE}/archive/saatbrief/anders/", TARGET),
        ("https://a.example/", f"{BASE}/archive/saatbrief/gibt-es-nicht/"),
        ("https://a.example/", "https://b.example/"),
        ("https://a.example/" + "x" * 600, TARGET),
    ],
)
def test_a_mention_that_cannot_be_is_refused_at_once(process: Process, client: FlaskClient, clock: Clock, source: str, target: str) -> None:
    build(process, publish(process, clock))
    assert mention(client, source, target) == 400


def test_nobody_floods_us_with_mentions(process: Process, client: FlaskClient, clock: Clock) -> None:
    build(process, publish(process, clock))
    answers = [mention(client, f"https://a.example/{number}", TARGET) for number in range(70)]
    assert set(answers[:60]) == {202}
    assert set(answers[60:]) == {429}


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_no_stranger_makes_us_ask_our_own_house(address: str) -> None:
    with pytest.raises(Unreachable, match="network of its own"):
        Web().get(address)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://a.example/", "http://user:pw@a.example/", "http://", "http://a.example:99999/", "gopher://a"])
def test_only_web_addresses_are_asked(address: str) -> None:
    with pytest.raises(Unreachable):
        Web().get(address)


def test_a_redirect_into_our_own_house_is_not_followed(there: Elsewhere) -> None:
    there.pages["/"] = (302, {"Location": "file:///etc/passwd"}, "")
    with pytest.raises(Unreachable, match="no web address"):
        Web(private=True).get(f"{there.base}/")
    there.pages["/"] = (302, {"Location": "/"}, "")
    with pytest.raises(Unreachable, match="one address to the next"):
        Web(private=True).get(f"{there.base}/")


def test_an_endless_answer_is_cut_off(there: Elsewhere) -> None:
    there.pages["/"] = (200, {}, "x" * 1_100_000)
    with pytest.raises(Unreachable, match="too long"):
        Web(private=True).get(f"{there.base}/")


def test_an_archive_elsewhere_gets_objects_that_are_believed(process: Process, client: FlaskClient, there: Elsewhere, clock: Clock) -> None:
    """Servers believe an object only from the host of its author."""
    follow(client, there, clock)
    with process.writing() as session:
        session.get_one(Publication, 1).archive_base = "https://briefe.example/"
    build(process, publish(process, clock))
    say_everything(process)
    inside = json.loads(there.posts[-1][2])["object"]
    assert (inside["id"], inside["url"]) == (f"{ACTOR}/issues/1", "https://briefe.example/die-erste-bohne/")
    assert client.get("/ap/saatbrief/issues/1", base_url=BASE).get_json(force=True)["id"] == f"{ACTOR}/issues/1"
    with process.reading() as session:
        assert get(session, 1).archive_base
        assert session.get_one(Issue, 1).announced_at is not None
