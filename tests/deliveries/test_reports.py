"""What became of a letter, beside the ten before it."""

from datetime import timedelta

from sqlalchemy import select

from newsletter.deliveries.models import Delivery, Mailing
from newsletter.deliveries.reports import before, report_of, usual
from newsletter.growth.actions import add
from newsletter.issues.margins import vote
from newsletter.issues.models import Issue
from newsletter.process import Process
from tests.conftest import Browser
from tests.support import cast
from tests.support.clock import Clock


def sent(process: Process, clock: Clock, number: int, readers: int = 10, left: int = 0) -> int:
    """A letter that has gone out, and what happened after it; gives back the mailing."""
    issue_id = cast.issue(process, 1)
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        issue.state, issue.number, issue.published_at = "published", number, clock()
        mailing = Mailing(
            issue_id=issue_id, publication_id=1, content={}, content_sha256="", audience=readers, created_at=clock(), undo_until=clock(),
            started_at=clock(), settled_at=clock(), state="finished", next_attempt_at=clock(),
        )  # fmt: skip
        session.add(mailing)
        session.flush()
        for place in range(readers):
            state = "refused" if place == 0 else "accepted"
            session.add(
                Delivery(
                    mailing_id=mailing.id,
                    canonical=f"{number}-{place}@example.org",
                    provider="example.org",
                    reference=f"{number}-{place}",
                    state=state,
                    next_attempt_at=clock(),
                    changed_at=clock(),
                )
            )
        if left:
            add(session, 1, "left", now=clock(), number=left)
        add(session, 1, "joined", now=clock(), number=2)
        return mailing.id


def test_a_report_counts_what_happened_in_the_week_after(mira: Browser, process: Process, clock: Clock) -> None:
    for number in range(1, 5):
        mailing_id = sent(process, clock, number, left=number)
        clock.forward(days=30)
    with process.writing() as session:
        mailing = session.get_one(Mailing, mailing_id)
        vote(session, mailing.issue_id, 1, 1)
        vote(session, mailing.issue_id, 1, 1)
        add(session, 1, "left", now=clock(), number=50)  # a month later, and none of this letter's doing
    with process.reading() as session:
        mailing = session.get_one(Mailing, mailing_id)
        issue = session.get_one(Issue, mailing.issue_id)
        found = report_of(session, mailing, issue, clock())
        assert (found.accepted, found.refused, found.left, found.joined, found.votes, found.complete) == (9, 1, 4, 2, 2, True)
        others = before(session, mailing, clock())
        assert [one.left for one in others] == [3, 2, 1]
        assert round(usual(others, "left"), 1) == 22.2
        assert usual(others[:2], "left") is None
    mira.log_in()
    page = mira.client.get(f"/admin/saatbrief/mailings/{mailing_id}/report").get_data(as_text=True)
    assert "Wer ihn geöffnet hat" in page
    lines = mira.client.get(f"/admin/saatbrief/mailings/{mailing_id}/report.csv").get_data(as_text=True).splitlines()
    assert len(lines) == 5
    assert lines[1].startswith("4,")


def test_a_letter_of_today_says_that_its_week_is_not_over(mira: Browser, process: Process, clock: Clock) -> None:
    mailing_id = sent(process, clock, 1)
    page = mira.client.get(f"/admin/saatbrief/mailings/{mailing_id}/report").get_data(as_text=True)
    assert "Bisher" in page
    with process.reading() as session:
        assert session.scalar(select(Delivery.id).limit(1)) is not None
        assert before(session, session.get_one(Mailing, mailing_id), clock() + timedelta(days=1)) == []


def test_a_formula_in_a_subject_stays_a_word(mira: Browser, process: Process, clock: Clock) -> None:
    mailing_id = sent(process, clock, 1)
    with process.writing() as session:
        session.get_one(Issue, session.get_one(Mailing, mailing_id).issue_id).subject = "=1+1"
    assert "'=1+1" in mira.client.get(f"/admin/saatbrief/mailings/{mailing_id}/report.csv").get_data(as_text=True)
