"""Connecting accounts and deciding on posts, on the pages."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import process as processes
from newsletter.announcements import queries
from newsletter.announcements.models import Announcement, Outlet
from newsletter.channels.actions import add_usual
from newsletter.fetching import Web
from newsletter.process import Process
from newsletter.web import create_app
from tests.announcements.test_sending import at_home
from tests.archive.test_building import publish
from tests.conftest import Browser
from tests.federation.test_federation import build
from tests.support import cast
from tests.support.clock import Clock
from tests.support.social import TOKEN, Server, social

PAGE = "/admin/saatbrief/reach/announcements"


@pytest.fixture
def there() -> Iterator[Server]:
    with social("mastodon") as found:
        yield found


@pytest.fixture
def process(new_process: Callable[..., Process]) -> Process:
    return processes.use(replace(new_process(), web=Web(private=True)))


@pytest.fixture
def client(process: Process) -> FlaskClient:
    app: Flask = create_app(process)
    app.testing = True
    return app.test_client()


@pytest.fixture
def mastodon(process: Process, mira: Browser) -> int:
    with process.writing() as session:
        return add_usual(session, publication_id=1, kind="mastodon", language="de", now=process.clock())


def test_an_account_is_tried_before_it_is_kept(process: Process, mira: Browser, mastodon: int, there: Server) -> None:
    path = f"/admin/saatbrief/reach/outlets/{mastodon}"
    for wrong, sentence in (({"secret": ""}, "Ohne Schlüssel"), ({"secret": "falsch"}, "401"), ({"server": "http://garten.example"}, "nicht verschlüsselt")):
        response = mira.post(path, {"server": there.base, "secret": TOKEN} | wrong)
        assert response.status_code == 422
        page = response.get_data(as_text=True)
        assert sentence in page
        assert TOKEN not in page
    assert mira.post(path, {"server": there.base, "secret": TOKEN, "automatic": "yes"}).status_code == 303
    page = mira.get(PAGE).get_data(as_text=True)
    assert "@mira@127.0.0.1" in page
    assert TOKEN not in page
    assert mira.post(f"{path}/manner").status_code == 303
    with process.reading() as session:
        assert session.scalars(select(Outlet.automatic)).one() is False
    assert mira.post(f"{path}/end").status_code == 303
    with process.reading() as session:
        assert session.scalars(select(Outlet)).all() == []


def test_what_no_program_can_post_to_is_not_connected(mira: Browser) -> None:
    response = mira.post("/admin/saatbrief/reach/outlets/4", {"server": "instagram.com", "secret": "x"})
    assert response.status_code == 422


def test_a_post_by_hand_is_copied_changed_done_and_taken_back(process: Process, mira: Browser, clock: Clock) -> None:
    cast.reader(process, 1)
    at_home(process, clock)
    publish(process, clock)
    build(process)
    with process.reading() as session:
        (found, _), (other, _) = queries.waiting(session, 1)
    assert "2 Beiträge warten auf dich." in mira.get(PAGE).get_data(as_text=True)
    assert "2 Beiträge zu deinen Briefen warten" in mira.get("/admin/saatbrief/").get_data(as_text=True)
    assert mira.post(f"{PAGE}/{found.id}/text", {"text": "Eigene Worte\r\nin zwei Zeilen"}).status_code == 303
    assert mira.post(f"{PAGE}/{found.id}/text", {"text": "  "}).status_code == 409
    assert mira.post(f"{PAGE}/{found.id}/done").status_code == 303
    assert mira.post(f"{PAGE}/{other.id}/cancel").status_code == 303
    page = mira.get(PAGE).get_data(as_text=True)
    assert "von Hand veröffentlicht" in page
    with process.reading() as session:
        assert session.get_one(Announcement, found.id).text == "Eigene Worte\nin zwei Zeilen"
    assert mira.post(f"{PAGE}/{found.id}/release").status_code == 409
    assert mira.post(f"{PAGE}/{found.id}/undone").status_code == 303
    with mira.get(f"{PAGE}/{found.id}/picture") as response:
        assert response.get_data().startswith(b"\x89PNG")


def test_the_page_says_what_a_post_brought(process: Process, mira: Browser, clock: Clock) -> None:
    cast.reader(process, 1)
    at_home(process, clock)
    publish(process, clock)
    build(process)
    with process.writing() as session:
        from newsletter.channels.models import Visit
        from newsletter.subscriptions.models import Subscription

        found = session.scalars(select(Announcement)).first()
        session.add(Visit(link_id=found.link_id, day=clock().date(), kind="person", number=31))
        session.get_one(Subscription, 1).link_id = found.link_id
    with process.reading() as session:
        rows = {row.announcement.id: (row.visits, row.joined) for row in queries.latest(session, 1)}
    assert rows[found.id] == (31, 1)
