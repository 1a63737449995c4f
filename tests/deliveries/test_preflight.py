"""An error stops a mailing from everywhere: the page, the console, the clock, the digest."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.deliveries.preflight import links_of, look_over, refuse_errors, refuse_sender, silent
from newsletter.deliveries.schedule import start_scheduled
from newsletter.errors import Refused
from newsletter.fetching import Answer, Web
from newsletter.fetching import Unreachable as Gone
from newsletter.issues.composition import compose
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.resolver import Unreachable
from newsletter.transports.actions import choose
from tests.conftest import Browser
from tests.media.test_images import picture
from tests.support import cast
from tests.support.clock import Clock

BASE = "https://briefe.example"


class Zone:
    """A DNS that knows nothing, or cannot be asked."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent

    def texts(self, name: str) -> list[str]:
        if self.silent:
            raise Unreachable
        return []

    mail_hosts = addresses = names = texts


@pytest.fixture
def real(new_process: Callable[..., Process], clock: Clock) -> Process:
    """An installation that the world can reach, with a mail server of its own."""
    process = replace(new_process(base_url=BASE), resolver=Zone())
    cast.publication(process)
    with process.writing() as session:
        choose(session, process.tokens, address="smtp://mail.example:25", now=clock())
    return process


def look(process: Process, issue_id: int) -> set[str]:
    with process.reading() as session:
        publication, issue = session.get_one(Publication, 1), session.get_one(Issue, issue_id)
        composition = compose(session, publication, issue, process.links, process.clock())
        return {one.id for one in look_over(process, session, publication, issue, composition).findings}


def test_a_domain_that_proves_nothing_stops_a_letter_that_leaves_for_real(real: Process) -> None:
    issue_id = cast.issue(real, 1)
    assert {"domain-spf", "domain-dmarc"} <= look(real, issue_id)


def test_what_could_not_be_asked_stops_nothing(real: Process) -> None:
    assert look(replace(real, resolver=Zone(silent=True)), cast.issue(real, 1)) == set()


def test_on_ones_own_machine_nobody_asks_the_world(process: Process) -> None:
    cast.publication(process)
    assert look(replace(process, resolver=Zone()), cast.issue(process, 1)) == set()


def test_the_clock_starts_nothing_that_has_an_error(real: Process, clock: Clock) -> None:
    issue_id = cast.issue(real, 1)
    cast.reader(real, 1)
    with real.writing() as session:
        issue = session.get_one(Issue, issue_id)
        issue.become("scheduled")
        issue.scheduled_at = clock()
    clock.forward(seconds=5)
    start_scheduled(real, issue_id)
    with real.reading() as session:
        assert session.get_one(Issue, issue_id).state == "draft"


def test_neither_a_letter_nor_a_digest_passes(real: Process) -> None:
    issue_id = cast.issue(real, 1)
    with real.reading() as session:
        publication, issue = session.get_one(Publication, 1), session.get_one(Issue, issue_id)
        with pytest.raises(Refused):
            refuse_errors(real, session, publication, issue, compose(session, publication, issue, real.links, real.clock()))
        with pytest.raises(Refused):
            refuse_sender(real, session, publication)


def test_a_link_that_does_not_answer_is_named_and_ones_own_network_is_never_asked() -> None:
    assert links_of('<a href="https://a.example/?x=1&amp;y=2"></a><a href="https://briefe.example/u/x"></a>', "https://briefe.example") == [
        "https://a.example/?x=1&y=2"
    ]
    dead = dict(silent(Web(), ["http://127.0.0.1:9/x", "http://169.254.169.254/latest"]))
    assert "own" in dead["http://127.0.0.1:9/x"]
    assert "own" in dead["http://169.254.169.254/latest"]


@pytest.mark.parametrize("deed", ["mend", "prepare"])
def test_a_finding_shows_why_and_how_and_its_button_mends_it(mira: Browser, process: Process, deed: str) -> None:
    cast.reader(process, 1)
    issue_id = cast.issue(process, 1, markdown="Hallo {{ vorame }},\n\nalles gut? Ein Satz, der lang genug ist.\n")
    path = f"/admin/saatbrief/issues/{issue_id}"
    page = mira.client.get(f"{path}/send").get_data(as_text=True)
    assert "Statt des Namens stünden dort die geschweiften Klammern" in page
    assert "Durch „vorname“ ersetzen" in page
    assert mira.post(f"{path}/send", {"when": "now"}).status_code == 422
    if deed == "mend":
        assert mira.post(f"{path}/mend", {"id": "merge-unknown", "line": "1"}).status_code == 303
        with process.reading() as session:
            assert session.get_one(Issue, issue_id).markdown.startswith("Hallo {{ vorname }},")
        assert mira.post(f"{path}/mend", {"id": "merge-unknown", "line": "1"}).status_code == 303


def test_a_clean_letter_shows_no_finding(mira: Browser, process: Process) -> None:
    cast.reader(process, 1)
    issue_id = cast.issue(process, 1)
    page = mira.client.get(f"/admin/saatbrief/issues/{issue_id}/send").get_data(as_text=True)
    assert 'class="finding"' not in page
    assert "eben ausprobiert, wirkt sofort" in page


def test_d1_whoever_types_the_domain_may_send_all_the_same(real: Process) -> None:
    from newsletter.database import db
    from newsletter.web import create_app

    app = create_app(real)
    cast.editor(real)
    cast.reader(real, 1)
    path = f"/admin/saatbrief/issues/{cast.issue(real, 1)}"
    client = app.test_client()

    def post(where: str, data: dict[str, str], form: str = f"{path}/send") -> int:
        page = client.get(form, base_url=BASE).get_data(as_text=True)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        return client.post(where, data=data | {"csrf_token": token.group(1)}, headers={"Referer": f"{BASE}/"}, base_url=BASE).status_code

    post("/admin/log-in", {"email": "mira@saatgarten.example", "password": cast.PASSWORD}, form="/admin/log-in")
    assert post(f"{path}/send", {"when": "now"}) == 422
    assert post(f"{path}/accept", {"domain": "falsch.example"}) == 422
    assert post(f"{path}/accept", {"domain": "saatgarten.example"}) == 303
    assert post(f"{path}/send", {"when": "now"}) == 303
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


class Pictures(Web):
    """A net in which one picture is there."""

    def get(self, address: str, headers: object = None) -> Answer:
        if address.endswith("da.png"):
            return Answer(200, {}, picture("PNG", (30, 30)), address)
        raise Gone("weg")


def test_l13_pictures_of_others_are_brought_here_by_a_button(new_process: Callable[..., Process]) -> None:
    from newsletter.database import db
    from newsletter.web import create_app

    process = replace(new_process(), web=Pictures())
    cast.publication(process)
    cast.editor(process)
    issue_id = cast.issue(process, 1, markdown="![da](https://b.example/da.png)\n\n![weg](https://b.example/weg.png)")
    app = create_app(process)
    mira = Browser(app.test_client())
    mira.log_in()
    path = f"/admin/saatbrief/issues/{issue_id}"
    assert "Bilder hierher holen" in mira.client.get(f"{path}/send").get_data(as_text=True)
    assert mira.post(f"{path}/mend", {"id": "image-foreign", "line": "1"}).status_code == 303
    with process.reading() as session:
        markdown = session.get_one(Issue, issue_id).markdown
    assert markdown.startswith("![da](/media/")
    assert markdown.endswith("![weg](https://b.example/weg.png)")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
