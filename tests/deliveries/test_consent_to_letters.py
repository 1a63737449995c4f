"""What a consent still allows after a long silence, and what a mail must not tell about its reader (L6, L8)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.deliveries import actions, policy
from newsletter.deliveries.models import Mailing
from newsletter.errors import Refused
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.queries import get
from tests.conftest import Browser
from tests.deliveries.conftest import Post
from tests.support import cast
from tests.support.clock import Clock


def start(process: Process, subject: str) -> int:
    issue_id = cast.issue(process, 1, subject)
    with process.writing() as session:
        mailing_id = actions.start(
            session, cast.links(process), publication=get(session, 1), issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=process.clock()
        )
        actions.begin(session, mailing_id, now=process.clock())
        session.get_one(Mailing, mailing_id).state = "finished"
    return mailing_id


@pytest.mark.parametrize(("days", "meaning"), [(0, ""), (548, ""), (549, "long"), (1461, "long"), (1462, "too long")])
def test_l6_a_silence_has_a_meaning(clock: Clock, days: int, meaning: str) -> None:
    assert policy.silence(clock() - timedelta(days=days), clock()) == meaning
    assert policy.silence(None, clock()) == ""


def test_l6_after_a_year_and_a_half_the_page_warns_and_after_four_years_nothing_leaves(mira: Browser, process: Process, clock: Clock) -> None:
    cast.reader(process, 1)
    start(process, "Vor langer Zeit")
    clock.forward(days=600)
    issue_id = cast.issue(process, 1, "Nach langer Zeit")
    mira.log_in()
    assert "Lange war es still" in mira.get(f"/admin/saatbrief/issues/{issue_id}/send").get_data(as_text=True)
    clock.forward(days=900)
    with pytest.raises(Refused, match="four years"):
        start(process, "Zu spät")
    cast.reader(process, 1, "neu@example.org")
    with pytest.raises(Refused, match="four years"):
        start(process, "Immer noch zu spät")


def test_l6_whoever_came_since_may_get_it(process: Process, clock: Clock) -> None:
    from newsletter.segments.actions import save

    cast.publication(process)
    cast.reader(process, 1)
    start(process, "Vor langer Zeit")
    clock.forward(days=1500)
    cast.reader(process, 1, "neu@example.org")
    rules = [{"about": "joined", "how": "within", "value": "30"}]
    issue_id = cast.issue(process, 1, "Für die Neuen")
    with process.writing() as session:
        session.get_one(Issue, issue_id).segment_id = save(session, publication_id=1, segment=None, name="Neu", every=True, rules=rules, now=clock())
        session.flush()
        publication, issue = get(session, 1), session.get_one(Issue, issue_id)
        assert actions.start(session, cast.links(process), publication=publication, issue=issue, undo=timedelta(0), now=clock())
    with process.reading() as session:
        assert session.scalars(select(Mailing.audience).order_by(Mailing.id.desc())).first() == 1


def test_l8_no_address_in_a_letter_tells_who_opens_it_but_those_for_leaving_and_preferences(new_post: Callable[..., Post]) -> None:
    post = new_post(readers=3)
    post.send()
    urls = []
    for raw in post.faults.accepted:
        text = raw.replace(b"=\r\n", b"").replace(b"=3D", b"=").replace(b"=2E", b".").decode("utf-8", "replace")
        urls.append(sorted({url for url in re.findall(r"https?://[^\s\"<>)]+", text) if "/u/" not in url and "/m/" not in url}))
        assert 'width="1"' not in text
    assert urls[0] == urls[1] == urls[2]
