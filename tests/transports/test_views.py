"""The page where mail servers are chosen, weighed and limited."""

from sqlalchemy import select

from newsletter.process import Process
from newsletter.transports import throttles
from newsletter.transports.models import Bucket, Transport
from tests.conftest import Browser

SERVER = {"kind": "server", "host": "smtp.example.org", "security": "starttls", "user": "mira", "password": "geheim"}


def rows(process: Process) -> list[Transport]:
    with process.reading() as session:
        return list(session.scalars(select(Transport).order_by(Transport.id)))


def test_a_second_server_stands_beside_the_first(mira: Browser, process: Process) -> None:
    mira.post("/admin/transport", SERVER)
    mira.post("/admin/transport", SERVER | {"host": "smtp.example.net", "besides": "yes"})
    assert [row.name for row in rows(process)] == ["smtp.example.org", "smtp.example.net"]
    page = mira.get("/admin/transport").get_data(as_text=True)
    assert "Deine Mail geht über 2 Mailserver hinaus." in page
    mira.post(f"/admin/transport/{rows(process)[0].id}/remove")
    assert [row.name for row in rows(process)] == ["smtp.example.net"]
    mira.post("/admin/transport", SERVER)
    assert [row.name for row in rows(process)] == ["smtp.example.org"]


def test_share_limit_and_warm_up_are_kept(mira: Browser, process: Process) -> None:
    mira.post("/admin/transport", SERVER)
    number = rows(process)[0].id
    assert mira.post(f"/admin/transport/{number}/change", {"weight": "3", "count": "500", "seconds": "3600", "warm_up": "on"}).status_code == 303
    row = rows(process)[0]
    assert (row.weight, row.count, row.seconds, row.warm_up_from) == (3, 500, 3600, process.clock().date())
    mira.post(f"/admin/transport/{number}/change", {"weight": "3", "count": "", "seconds": "3600"})
    row = rows(process)[0]
    assert (row.count, row.seconds, row.warm_up_from) == (None, None, None)


def test_numbers_that_make_no_sense_are_refused_in_a_sentence(mira: Browser, process: Process) -> None:
    mira.post("/admin/transport", SERVER)
    number = rows(process)[0].id
    for form, says in (
        ({"weight": "viel"}, "ganze Zahl von 0 bis 100"),
        ({"weight": "1", "count": "-5"}, "ganze Zahl über 0"),
        ({"weight": "101"}, "von 0 bis 100"),
    ):
        answer = mira.post(f"/admin/transport/{number}/change", form)
        assert answer.status_code == 422
        assert says in answer.get_data(as_text=True)
    assert mira.post("/admin/transport/999/change", {"weight": "1"}).status_code in (404, 422)


def test_a_provider_is_limited_and_set_free(mira: Browser, process: Process) -> None:
    mira.post("/admin/transport", SERVER)
    number = rows(process)[0].id
    mira.post("/admin/transport/limit", {"provider": "WEB.de", "count": "100", "seconds": "60"})
    with process.reading() as session:
        row = session.get_one(Bucket, (number, "gmx"))
    assert (row.count, row.seconds, row.learned) == (100, 60, False)
    assert "GMX, WEB.DE" in mira.get("/admin/transport").get_data(as_text=True)
    mira.post("/admin/transport/limit", {"provider": "web.de", "count": ""})
    with process.reading() as session:
        assert session.get_one(Bucket, (number, "gmx")).count is None
    assert mira.post("/admin/transport/limit", {"provider": "no domain", "count": "3"}).status_code == 422


def test_a_server_that_was_stopped_says_why_and_can_be_used_again(mira: Browser, process: Process) -> None:
    mira.post("/admin/transport", SERVER)
    number = rows(process)[0].id
    with process.writing() as session:
        throttles.setback(session, number, why="auth: 535 wrong password", until=None)
    page = mira.get("/admin/transport").get_data(as_text=True)
    assert "535 wrong password" in page
    assert "angehalten" in page
    mira.post(f"/admin/transport/{number}/wake")
    assert "535" not in mira.get("/admin/transport").get_data(as_text=True)
