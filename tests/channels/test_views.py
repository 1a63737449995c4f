"""Links for everybody and channels for editors: no cookie, no referrer kept, every figure with a sentence."""

import io
import json
import re

import pytest
import zxingcpp
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from newsletter.archive import building
from newsletter.channels import actions
from newsletter.channels.models import Channel, Figure, Link, Visit
from newsletter.channels.policy import share_code
from newsletter.growth.models import Tally
from newsletter.process import Process
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.models import Confirmation, Consent, Subscription
from tests.archive.test_building import publish
from tests.conftest import Browser
from tests.support import cast
from tests.support.clock import Clock

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept-Language": "de"}


def link(process: Process, kind: str = "instagram") -> Link:
    with process.reading() as session:
        return session.scalars(select(Link).join(Channel).where(Channel.kind == kind)).one()


def read(client: FlaskClient, path: str, **more: object) -> str:
    """A page; files are closed again."""
    with client.get(path, **more) as response:
        return response.get_data(as_text=True)


def counted(app: Flask, process: Process) -> dict[tuple[int, str], int]:
    app.extensions["visits"].flush()
    with process.reading() as session:
        return {(row.link_id, row.kind): row.number for row in session.scalars(select(Visit))}


def test_l13_following_a_link_sets_no_cookie_and_is_not_remembered(app: Flask, client: FlaskClient, process: Process) -> None:
    cast.publication(process)
    found = link(process)
    response = client.get(f"/l/{found.code}", headers=PERSON)
    assert (response.status_code, response.headers["Location"]) == (302, f"http://localhost/p/saatbrief?via={found.code}")
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    client.get(f"/l/{found.code}", headers=PERSON | {"User-Agent": "Googlebot/2.1"})
    client.head(f"/l/{found.code}", headers=PERSON)
    assert counted(app, process) == {(found.id, "person"): 1, (found.id, "machine"): 2}


@pytest.mark.parametrize("code", ["nichts", "a" * 200, "%00", "../../etc", "r.x"])
def test_a_code_that_never_was_leads_nowhere(client: FlaskClient, process: Process, code: str) -> None:
    cast.publication(process)
    assert client.get(f"/l/{code}").status_code == 404
    assert client.get(f"/r/{code}").status_code == 404


def test_a_deleted_link_leads_on_to_the_publication_and_its_code_stays_taken(process: Process, mira: Browser) -> None:
    found = link(process)
    assert mira.post(f"/admin/saatbrief/links/{found.id}", {"delete": "yes"}).status_code == 303
    response = mira.client.get(f"/l/{found.code}", headers=PERSON)
    assert response.headers["Location"] == "http://localhost/p/saatbrief"
    assert mira.get(f"/admin/saatbrief/links/{found.id}").status_code == 404
    with process.reading() as session:
        assert session.get_one(Link, found.id).ended_at is not None


def test_a_channel_survives_the_double_opt_in(client: FlaskClient, process: Process, clock: Clock) -> None:
    cast.publication(process)
    found = link(process)
    client.post("/p/saatbrief/subscribe", data={"email": "neu@example.org", "via": found.code})
    with process.reading() as session:
        row = session.scalars(select(Subscription)).one()
        assert (row.channel_id, row.link_id, row.state) == (found.channel_id, found.id, "pending")
        assert session.scalars(select(Consent.channel)).one() == "Instagram"


def confirmed(process: Process, client: FlaskClient, clock: Clock, email: str, via: str) -> tuple[int, str]:
    """Somebody signs up and presses the button; gives back the subscription and her token."""
    client.post("/p/saatbrief/subscribe", data={"email": email, "via": via})
    with process.reading() as session:
        from newsletter.notices.models import Notice

        facts = session.scalars(select(Notice.facts).where(Notice.kind == "confirm").order_by(Notice.id.desc())).first()
    token = facts["link"].rpartition("/")[2]
    page = client.get(f"/confirm/{token}").get_data(as_text=True)
    clock.forward(seconds=5)
    pressed = re.search(r'name="pressed" value="([^"]+)"', page).group(1)
    import time

    time.sleep(2.1)  # who presses sooner is no person (A2), and that is measured by the token's own clock
    answer = client.post(f"/confirm/{token}", data={"pressed": pressed}).get_data(as_text=True)
    assert "Wie hast du davon erfahren?" in answer
    assert "/r/" in answer
    with process.reading() as session:
        return session.scalars(select(Subscription.id).order_by(Subscription.id.desc())).first(), token


def test_a_share_link_is_counted_thanked_and_forgotten_and_what_she_says_is_a_second_source(
    app: Flask, client: FlaskClient, process: Process, clock: Clock
) -> None:
    cast.publication(process)
    sharer = cast.reader(process, 1)
    code = share_code(process.tokens, sharer)
    response = client.get(f"/r/{code}", headers=PERSON)
    assert response.headers["Location"] == f"http://localhost/p/saatbrief?via=r.{code}"
    assert "Set-Cookie" not in response.headers
    recommendation = link(process, "recommendation")
    assert counted(app, process) == {(recommendation.id, "person"): 1}

    subscription_id, token = confirmed(process, client, clock, "freundin@example.org", f"r.{code}")
    with process.reading() as session:
        new = session.get_one(Subscription, subscription_id)
        assert (new.state, new.channel_id, new.recommended_by) == ("active", recommendation.channel_id, None)
        assert session.get_one(Subscription, sharer).recommended == 1
    with process.writing() as session:
        secret = cast.leave_link(session, subscription_id=sharer, now=clock())
    page = client.get(f"/m/{secret}").get_data(as_text=True)
    assert "Ein Mensch liest deinetwegen mit. Danke!" in page
    assert "freundin" not in page

    instagram = link(process).channel_id
    for channel_id in (instagram, recommendation.channel_id, 999):
        assert client.post(f"/confirm/{token}/heard", data={"channel": channel_id}).status_code == 200
    with process.reading() as session:
        assert session.get_one(Subscription, subscription_id).heard_id == 0
        heard = {row.channel_id: row.number for row in session.scalars(select(Tally).where(Tally.kind == "heard"))}
        assert heard == {instagram: 0, recommendation.channel_id: 0, 0: 1}
    assert client.post("/confirm/erfunden/heard", data={"channel": 1}).status_code == 410


def test_nobody_recommends_herself_or_across_publications(process: Process, clock: Clock) -> None:
    cast.publication(process)
    other = cast.publication(process, "anderer")
    mine, foreign = cast.reader(process, 1), cast.reader(process, other, "ben@example.org")
    with process.writing() as session:
        row = session.get_one(Subscription, mine)
        for by in (mine, foreign, 4711):
            row.recommended_by = by
            subscriptions._thank(session, row, clock())
            assert row.recommended_by is None
        assert session.scalar(select(func.sum(Subscription.recommended))) == 0
        assert session.scalars(select(Confirmation)).all() == []


def test_a_landing_page_lies_in_the_archive_with_its_own_code(process: Process, mira: Browser, clock: Clock) -> None:
    found = link(process)
    cast.reader(process, 1)
    publish(process, clock)
    words = {
        "label": "Bio",
        "landing": "yes",
        "headline": "Was gerade <wächst>",
        "lead": "Zwei Sätze.\nUnd noch einer, der länger ist als hundert Zeichen, damit nichts abgeschnitten wird, auch hier nicht.",
    }
    entries = {"entry-label": ["Katalog", "", "Leer"], "entry-url": ["saatgarten.example/katalog", "https://saatgarten.example/2", ""]}
    assert mira.post(f"/admin/saatbrief/links/{found.id}", words | entries).status_code == 303
    building.build_publication(process, 1)
    response = mira.client.get(f"/l/{found.code}", headers=PERSON)
    assert response.headers["Location"] == f"http://localhost/archive/saatbrief/l/{found.code}/"
    page = read(mira.client, f"/archive/saatbrief/l/{found.code}/")
    assert "Was gerade &lt;wächst&gt;" in page
    assert "auch hier nicht." in page
    assert f'name="via" value="{found.code}"' in page
    assert 'href="https://saatgarten.example/katalog"' in page
    assert 'content="noindex"' in page
    manifest = json.dumps([str(path) for path in process.settings.archive_dir.rglob("manifest*")])
    assert found.code not in manifest
    # Without a landing page the file goes, and nothing else of the archive is touched.
    assert mira.post(f"/admin/saatbrief/links/{found.id}", {"label": "Bio"}).status_code == 303
    report = building.build_publication(process, 1)
    assert report.removed == (f"l/{found.code}/index.html",)
    assert report.written == ()


@pytest.mark.parametrize("entry", ["javascript:alert(1)", "data:text/html,x", "https://"])
def test_c1_a_landing_page_leads_to_web_pages_only(process: Process, mira: Browser, entry: str) -> None:
    found = link(process)
    response = mira.post(f"/admin/saatbrief/links/{found.id}", {"label": "Bio", "landing": "yes", "entry-label": "x", "entry-url": entry})
    assert response.status_code == 422
    with process.reading() as session:
        assert session.get_one(Link, found.id).entries == []


def test_the_link_of_a_post_leads_to_its_letter_and_signs_up_under_its_own_name(process: Process, mira: Browser, clock: Clock) -> None:
    cast.reader(process, 1)
    publish(process, clock)
    building.build_publication(process, 1)
    with process.writing() as session:
        code = actions.add_link(session, channel_id=link(process).channel_id, label="Nr. 1", path="die-erste-bohne/", now=clock())
    response = mira.client.get(f"/l/{code}", headers=PERSON)
    assert response.headers["Location"] == f"http://localhost/archive/saatbrief/die-erste-bohne/?via={code}"
    response = mira.client.get(response.headers["Location"])
    assert f'name="via" value="{code}"' in response.get_data(as_text=True)
    assert response.headers["Cache-Control"] == "no-store"
    assert 'name="via" value="archiv"' in read(mira.client, "/archive/saatbrief/die-erste-bohne/")
    for made_up in ('"><script>', "a" * 99, "A B"):
        assert 'name="via" value="archiv"' in read(mira.client, "/archive/saatbrief/die-erste-bohne/", query_string={"via": made_up})


@pytest.mark.parametrize(("size", "centimetres"), [("card", 2), ("flyer", 4), ("poster", 12)])
def test_a_code_has_the_size_that_was_asked_for(process: Process, mira: Browser, size: str, centimetres: int) -> None:
    found = link(process)
    svg = mira.get(f"/admin/saatbrief/links/{found.id}/qr.svg?size={size}").get_data(as_text=True)
    width = float(re.search(r'width="([\d.]+)mm"', svg).group(1))
    assert width == pytest.approx(centimetres * 10, rel=0.01)
    response = mira.get(f"/admin/saatbrief/links/{found.id}/qr.png?size={size}&download=1")
    assert f"saatbrief-{found.code}.png" in response.headers["Content-Disposition"]
    image = Image.open(io.BytesIO(response.get_data()))
    assert image.width == image.height
    assert image.width >= min(centimetres / 2.54 * 300, 150) * 0.85
    assert round(image.info["dpi"][0]) == 300
    assert image.convert("L").getpixel((2, 2)) == 255  # the quiet zone


@pytest.mark.parametrize("size", ["card", "flyer", "poster"])
def test_a_code_can_be_read_small_large_and_with_a_corner_torn_off(process: Process, mira: Browser, size: str) -> None:
    found = link(process)
    with mira.get(f"/admin/saatbrief/links/{found.id}/qr.png?size={size}") as response:
        image = Image.open(io.BytesIO(response.get_data())).convert("L")
    torn = image.copy()
    edge = image.width // 6
    torn.paste(255, (image.width - 2 * edge, image.height - 2 * edge, image.width - edge, image.height - edge))
    for one in (image, image.resize((150, 150)), image.rotate(12, expand=True, fillcolor=255), torn):
        (read_code,) = zxingcpp.read_barcodes(one)
        assert read_code.text == f"http://localhost/l/{found.code}"


def test_figures_of_all_channels_are_kept_and_a_wrong_one_keeps_no_other_back(process: Process, mira: Browser) -> None:
    with process.reading() as session:
        ids = {row.kind: row.id for row in session.scalars(select(Channel))}
    response = mira.post("/admin/saatbrief/figures", {f"number-{ids['instagram']}": "3.860", f"number-{ids['linkedin']}": "-5"})
    assert response.status_code == 422
    assert "Weniger als niemand" in response.get_data(as_text=True)
    with process.reading() as session:
        assert [(row.channel_id, row.number) for row in session.scalars(select(Figure))] == [(ids["instagram"], 3860)]


def test_a_figure_can_be_taken_out_again(process: Process, mira: Browser) -> None:
    channel_id = link(process).channel_id
    mira.post(f"/admin/saatbrief/channels/{channel_id}/figures", {"number": "12", "day": "2026-10-01"})
    assert "12 Menschen am 1. Oktober 2026" in mira.get(f"/admin/saatbrief/channels/{channel_id}").get_data(as_text=True)
    mira.post(f"/admin/saatbrief/channels/{channel_id}/figures", {"forget": "2026-10-01"})
    with process.reading() as session:
        assert session.scalars(select(Figure)).all() == []


def test_an_export_is_counted_and_not_kept(process: Process, mira: Browser) -> None:
    channel_id = link(process).channel_id
    data = json.dumps([{"string_list_data": [{"value": f"geheime.person{n}"}]} for n in range(41)]).encode()
    response = mira.client.post(
        f"/admin/saatbrief/channels/{channel_id}/export",
        data={"csrf_token": mira.token(), "file": (io.BytesIO(data), "followers_1.json")},
        follow_redirects=True,
    )
    assert "41 Menschen sind in der Datei gezählt." in response.get_data(as_text=True)
    with process.reading() as session:
        assert session.scalars(select(Figure.number)).one() == 41
    assert not any(b"geheime.person" in path.read_bytes() for path in process.settings.data_dir.rglob("*") if path.is_file())
    response = mira.client.post(f"/admin/saatbrief/channels/{channel_id}/export", data={"csrf_token": mira.token(), "file": (io.BytesIO(b"{}"), "x.json")})
    assert response.status_code == 422


def test_channels_come_from_the_catalogue_or_are_ones_own(process: Process, mira: Browser) -> None:
    for data in ({"kind": "mastodon"}, {"kind": "event", "name": "Kaffeefest"}, {"kind": "other", "name": "Discord", "ownership": "closed"}):
        assert mira.post("/admin/saatbrief/channels", data).status_code == 303
    for data in ({"kind": "other", "name": "", "ownership": "open"}, {"kind": "other", "name": "x", "ownership": "meins"}, {}):
        assert mira.post("/admin/saatbrief/channels", data).status_code == 422
    with process.reading() as session:
        rows = {row.name: (row.kind, row.ownership) for row in session.scalars(select(Channel).where(Channel.id > 5))}
    assert rows == {"Mastodon": ("mastodon", "open"), "Kaffeefest": ("event", "open"), "Discord": ("other", "closed")}


def test_a_channel_can_be_described_ended_and_used_again(process: Process, mira: Browser) -> None:
    channel_id = link(process).channel_id
    path = f"/admin/saatbrief/channels/{channel_id}"
    good = {"name": "Insta", "ownership": "closed", "cost": "12,50", "note": "Zeile 1\nZeile 2", "profile": "instagram.com/saat"}
    assert mira.post(path, good).status_code == 303
    for wrong in ({"cost": "viel"}, {"profile": "javascript:x"}, {"name": " "}, {"ownership": "?"}):
        assert mira.post(path, good | wrong).status_code == 422
    assert mira.post(f"{path}/linked").status_code == 303
    assert mira.post(f"{path}/end").status_code == 303
    with process.reading() as session:
        row = session.get_one(Channel, channel_id)
        assert (row.name, row.cost, row.note, row.profile) == ("Insta", 1250, "Zeile 1\nZeile 2", "https://instagram.com/saat")
        assert row.linked_at
        assert row.ended_at
    assert mira.post(f"{path}/resume").status_code == 303
    assert mira.post(f"{path}/unlinked").status_code == 303
