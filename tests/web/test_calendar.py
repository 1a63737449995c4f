"""The calendar: a rhythm that is promised, drafts on their days, reminders, ideas."""

from datetime import UTC, date, datetime

import pytest

from newsletter.issues.models import Idea, Issue
from newsletter.issues.reminding import remind
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.models import Publication
from tests.conftest import Browser
from tests.support import cast
from tests.support.clock import Clock

JSON = {"Accept": "application/json"}
RHYTHM = {"cadence": "week", "from": "2026-11-17", "time": "09:00"}


def page(mira: Browser, query: str = "") -> str:
    return str(mira.client.get(f"/admin/saatbrief/calendar{query}").get_data(as_text=True))


def test_a_draft_is_put_on_a_day_and_taken_off_again(mira: Browser, process: Process) -> None:
    issue_id = cast.issue(process, 1)
    assert "Entwürfe ohne Tag" in page(mira)
    assert "24." in mira.post(f"/admin/saatbrief/calendar/issues/{issue_id}", {"day": "2026-11-24"}, headers=JSON).get_json()["said"]
    with process.reading() as session:
        assert session.get_one(Issue, issue_id).planned_on == date(2026, 11, 24)
    assert f'data-issue="{issue_id}"' in page(mira, "?month=2026-11")
    assert f'data-issue="{issue_id}"' not in page(mira, "?month=2026-10")
    assert mira.post(f"/admin/saatbrief/calendar/issues/{issue_id}", {"day": ""}).status_code == 303
    with process.reading() as session:
        assert session.get_one(Issue, issue_id).planned_on is None


@pytest.mark.parametrize("day", ["gestern", "2026-13-40", "<script>"])
def test_what_is_no_day_is_refused(mira: Browser, process: Process, day: str) -> None:
    issue_id = cast.issue(process, 1)
    assert mira.post(f"/admin/saatbrief/calendar/issues/{issue_id}", {"day": day}, headers=JSON).status_code == 422
    assert mira.post(f"/admin/saatbrief/calendar/issues/{issue_id}", {"day": day}).status_code == 422


def test_what_has_its_hour_is_not_moved_by_dragging(mira: Browser, process: Process) -> None:
    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        issue.become("scheduled")
        issue.scheduled_at = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert mira.post(f"/admin/saatbrief/calendar/issues/{issue_id}", {"day": "2026-11-25"}, headers=JSON).status_code == 409
    # Half past eleven in UTC is the next day in Berlin.
    assert 'data-day="2026-11-25"' in page(mira, "?month=2026-11").partition(f'data-issue="{issue_id}"')[0].rpartition("<td")[2]


@pytest.mark.parametrize("month", ["2026-11", "unsinn", "1999-01", "2026-1"])
def test_every_month_can_be_asked_for(mira: Browser, month: str) -> None:
    assert "<table" in page(mira, f"?month={month}")


def test_a_rhythm_is_promised_and_the_page_says_what_is_due(mira: Browser, process: Process, clock: Clock) -> None:
    assert mira.post("/admin/saatbrief/calendar/rhythm", RHYTHM | {"from": clock().date().isoformat()}).status_code == 303
    assert "Heute ist ein Brief dran." in page(mira)
    for wrong in ({"cadence": "täglich"}, {"from": ""}, {"from": "x"}, {"time": "25:00"}):
        assert mira.post("/admin/saatbrief/calendar/rhythm", RHYTHM | wrong).status_code == 422


def test_whoever_writes_is_reminded_once_and_not_when_a_letter_is_planned(mira: Browser, process: Process, clock: Clock) -> None:
    cast.editor(process, "vera@example.org", "viewer")
    with process.writing() as session:
        publication = session.get_one(Publication, 1)
        publication.cadence, publication.cadence_from = "week", clock().date()
        session.add(Idea(publication_id=1, words="Warum Bohnen krumm sind", created_at=clock()))
    for expected in (1, 0):
        with process.writing() as session:
            assert remind(session, process.links, now=clock()) == expected
    with process.reading() as session:
        (notice,) = session.query(Notice).filter_by(kind="rhythm")
        assert notice.recipient == "mira@saatgarten.example"
        assert notice.facts["ideas"] == ["Warum Bohnen krumm sind"]
    clock.forward(days=6)
    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        issue.become("scheduled")
        issue.scheduled_at = clock()
        assert remind(session, process.links, now=clock()) == 0


def test_an_idea_is_noted_written_and_let_go(mira: Browser, process: Process) -> None:
    mira.post("/admin/saatbrief/ideas", {"words": "Warum <b>Bohnen</b> krumm sind\nUnd gerade nicht."})
    mira.post("/admin/saatbrief/ideas", {"words": "Nichts"})
    assert "Warum &lt;b&gt;Bohnen" in page(mira)
    location = mira.post("/admin/saatbrief/ideas/1/write").headers["Location"]
    with process.reading() as session:
        issue = session.get_one(Issue, int(location.rpartition("/")[2]))
        assert (issue.subject, issue.markdown) == ("Warum <b>Bohnen</b> krumm sind", "Und gerade nicht.\n")
    assert mira.post("/admin/saatbrief/ideas/1/write").status_code == 404
    mira.post("/admin/saatbrief/ideas/2/drop")
    with process.reading() as session:
        assert session.query(Idea).count() == 0
    assert mira.post("/admin/saatbrief/ideas", {"words": " "}).status_code == 422
