"""L8: links are counted for those alone who agreed, never by whom, and for nobody before somebody is asked."""

import re
from collections.abc import Callable, Iterator
from email import policy
from email.parser import BytesParser

import pytest
from flask import Flask

from newsletter.database import db
from newsletter.deliveries.models import Click
from newsletter.people.actions import agree_to_clicks
from newsletter.people.queries import person
from newsletter.publications.models import Publication
from newsletter.subscriptions.models import Consent, Subscription
from newsletter.web import create_app
from tests.deliveries.conftest import Post
from tests.support import cast

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0", "Accept-Language": "de"}


@pytest.fixture
def post(new_post: Callable[..., Post]) -> Post:
    """Three readers; the first one has agreed; a second letter is under way, of a publication that asks."""
    post = new_post(readers=3)
    post.send()
    with post.process.writing() as session:
        session.get_one(Publication, 1).count_clicks = True
        agree_to_clicks(session, person(session, post.subscriptions[0]), agreed=True, wording="Ihr dürft zählen.", language="de", now=post.process.clock())
    post.issue_id = cast.issue(post.process, 1)
    post.mailing_id = post.start()
    return post


def bodies(post: Post) -> dict[str, str]:
    """The HTML of the second letter, by reader."""
    raws = zip(post.faults.recipients[3:], post.faults.accepted[3:], strict=True)
    return {reader: BytesParser(policy=policy.default).parsebytes(raw).get_body(("html",)).get_content() for reader, raw in raws}


def test_only_those_who_agreed_get_counted_links_and_nothing_in_them_says_who(post: Post) -> None:
    post.send()
    found = bodies(post)
    counted, *others = (found[f"leser{number}@example.org"] for number in range(3))
    assert len(re.findall(r"/c/[\w.-]+", counted)) == 1
    for body in others:
        assert "/c/" not in body
        assert "https://saatgarten.example/bohne" in body
    assert len({re.sub(r"/[um]/[\w.-]+", "", body) for body in others}) == 1


def test_two_who_agreed_have_the_same_links(post: Post) -> None:
    with post.process.writing() as session:
        agree_to_clicks(session, person(session, post.subscriptions[1]), agreed=True, wording="x", language="de", now=post.process.clock())
    post.send()
    found = bodies(post)
    assert re.findall(r"/c/[\w.-]+", found["leser0@example.org"]) == re.findall(r"/c/[\w.-]+", found["leser1@example.org"])


def test_who_takes_it_back_is_counted_no_more_and_both_steps_are_on_record(post: Post) -> None:
    with post.process.writing() as session:
        agree_to_clicks(session, person(session, post.subscriptions[0]), agreed=False, wording="Ihr dürft zählen.", language="de", now=post.process.clock())
    post.send()
    assert "/c/" not in "".join(bodies(post).values())
    with post.process.reading() as session:
        steps = [row.how for row in session.query(Consent).filter_by(subscription_id=post.subscriptions[0], kind="changed").order_by(Consent.id)]
        assert [how.split()[0] for how in steps] == ["agreed", "took"]


def test_a_publication_that_asks_nobody_counts_nothing(new_post: Callable[..., Post]) -> None:
    post = new_post(readers=1)
    assert "links" not in post.mailing.content
    post.send()
    assert b"/c/" not in post.faults.accepted[0]


@pytest.fixture
def app(post: Post) -> Iterator[Flask]:
    app = create_app(post.process)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def address(post: Post) -> str:
    post.send()
    return "/c/" + re.findall(r"/c/([\w.-]+)", bodies(post)["leser0@example.org"])[0]


def number_of_clicks(post: Post) -> list[int]:
    with post.process.reading() as session:
        return [row.count for row in session.query(Click)]


def test_a_click_leads_on_and_one_number_rises(post: Post, app: Flask) -> None:
    path = address(post)
    for _ in range(2):
        response = app.test_client().get(path, headers=BROWSER)
        assert (response.status_code, response.headers["Location"]) == (302, "https://saatgarten.example/bohne")
        assert "Set-Cookie" not in response.headers
        response.close()
    assert number_of_clicks(post) == [2]


@pytest.mark.parametrize("headers", [{"User-Agent": "Googlebot/2.1"}, {}, BROWSER | {"Sec-Purpose": "prefetch"}, {"User-Agent": "curl/8"}])
def test_a3_machines_are_led_on_and_not_counted(post: Post, app: Flask, headers: dict[str, str]) -> None:
    response = app.test_client().get(address(post), headers=headers)
    assert response.status_code == 302
    response.close()
    assert number_of_clicks(post) == []


@pytest.mark.parametrize("path", ["/c/x", "/c/1-0", "/c/https://evil.example", "/c/%0d%0aevil", "/c/..%2f..", "/c/x?url=https://evil.example"])
def test_a4_nothing_that_is_made_up_leads_anywhere(app: Flask, path: str) -> None:
    response = app.test_client().get(path, headers=BROWSER)
    assert response.status_code == 404
    assert "Location" not in response.headers


def test_a_reader_agrees_on_her_own_page_where_the_box_is_empty(post: Post, app: Flask) -> None:
    post.send()
    link = re.search(r"http://localhost(/m/[\w.-]+)", bodies(post)["leser2@example.org"]).group(1)
    client = app.test_client()
    page = client.get(link).get_data(as_text=True)
    box = re.search(r'<input type="checkbox" name="clicks"[^>]*>', page).group(0)
    assert "checked" not in box
    client.post(link, data={"asks_clicks": "1", "clicks": "yes"})
    with post.process.reading() as session:
        assert session.get_one(Subscription, post.subscriptions[2]).clicks_agreed_at is not None
    client.post(link, data={"asks_clicks": "1"})
    with post.process.reading() as session:
        assert session.get_one(Subscription, post.subscriptions[2]).clicks_agreed_at is None
