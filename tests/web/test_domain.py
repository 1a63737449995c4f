"""The page of the sender domain: green, yellow, red, and what to do (D1, F16)."""

from sqlalchemy import select

from newsletter.process import Process
from newsletter.publications.models import SigningKey
from newsletter.resolver import Unreachable
from tests.conftest import Browser
from tests.publications.test_domain import Zone


def test_the_page_says_what_is_missing_and_shows_the_records(mira: Browser, process: Process) -> None:
    object.__setattr__(process, "resolver", Zone(TXT={"saatgarten.example": [], "_dmarc.saatgarten.example": []}))
    mira.post("/admin/saatbrief/domain/make")
    page = mira.get("/admin/saatbrief/domain").get_data(as_text=True)
    assert "Dinge fehlen noch" in page
    with process.reading() as session:
        keys = list(session.scalars(select(SigningKey)))
    assert [key.state for key in keys] == ["new", "new"]
    for key in keys:
        assert key.record in page
    assert "v=DMARC1; p=none" in page


def test_f16_keys_are_changed_by_a_second_selector(mira: Browser, process: Process) -> None:
    object.__setattr__(process, "resolver", Zone())
    for _ in range(2):
        mira.post("/admin/saatbrief/domain/make")
        mira.post("/admin/saatbrief/domain/make")  # a second press makes no second pair
        mira.post("/admin/saatbrief/domain/use")
    with process.reading() as session:
        keys = list(session.scalars(select(SigningKey).order_by(SigningKey.id)))
    assert [key.state for key in keys] == ["retired", "retired", "active", "active"]
    assert len({key.selector for key in keys}) == 4
    assert all("PRIVATE" not in key.private for key in keys)
    mira.post("/admin/saatbrief/domain/forget", {"key": keys[0].id})
    mira.post("/admin/saatbrief/domain/forget", {"key": keys[3].id})
    with process.reading() as session:
        assert [key.id for key in session.scalars(select(SigningKey).order_by(SigningKey.id))] == [keys[1].id, keys[2].id, keys[3].id]


def test_the_page_does_not_fall_over_when_the_dns_is_silent(mira: Browser, process: Process) -> None:
    class Silent(Zone):
        def _ask(self, kind: str, name: str) -> list[str]:
            raise Unreachable("timeout")

    object.__setattr__(process, "resolver", Silent())
    assert "Gerade ließ sich nicht alles prüfen." in mira.get("/admin/saatbrief/domain").get_data(as_text=True)
