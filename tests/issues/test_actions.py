"""Writing and scheduling."""

from datetime import UTC, datetime

import pytest

from newsletter.errors import Conflict, Refused
from newsletter.issues import actions, queries
from newsletter.issues.models import Issue
from newsletter.issues.policy import moment_from
from newsletter.process import Process
from tests.support import cast
from tests.support.clock import Clock


def save(process: Process, issue_id: int, revision: int, markdown: str, editor_id: int | None = None) -> int:
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        return actions.save(
            session, issue, revision=revision, editor_id=editor_id, subject=issue.subject, preheader=issue.preheader, markdown=markdown, now=process.clock()
        )


def test_two_people_who_save_at_once_do_not_overwrite_each_other(process: Process) -> None:
    issue_id = cast.issue(process, cast.publication(process))
    assert save(process, issue_id, 1, "eins") == 2
    with pytest.raises(Conflict, match="Somebody else saved"):
        save(process, issue_id, 1, "zwei")
    assert save(process, issue_id, 2, "zwei") == 3


def test_every_version_is_kept(process: Process, clock: Clock) -> None:
    issue_id = cast.issue(process, cast.publication(process), markdown="a" * 100)
    for number in range(1, 4):
        clock.forward(minutes=10)
        save(process, issue_id, number, "b" * 100 + str(number))
    with process.reading() as session:
        assert [queries.revision(session, issue_id, row.revision).markdown[:1] for row in queries.versions(session, issue_id)] == ["b", "b", "b", "a"]


def test_quick_saves_become_one_version_but_a_lost_text_never_replaces_one(process: Process, clock: Clock) -> None:
    issue_id = cast.issue(process, cast.publication(process), markdown="a" * 100)
    revision = save(process, issue_id, 1, "a" * 101)
    clock.forward(seconds=5)
    revision = save(process, issue_id, revision, "a" * 102)
    with process.reading() as session:
        assert len(queries.versions(session, issue_id)) == 1
    clock.forward(seconds=5)
    save(process, issue_id, revision, "")
    with process.reading() as session:
        assert [row.size for row in queries.versions(session, issue_id)] == [0, 102]


def test_two_megabytes_are_kept_even_if_they_cannot_be_sent(process: Process) -> None:
    issue_id = cast.issue(process, cast.publication(process), markdown="x" * 2_000_000)
    with process.reading() as session:
        assert len(session.get_one(Issue, issue_id).markdown) == 2_000_000


def test_slugs_are_made_of_the_subject_and_never_clash(process: Process) -> None:
    publication_id = cast.publication(process)
    first, second, third = (cast.issue(process, publication_id, subject) for subject in ("Über Öl & Größe", "Über Öl & Größe", "../../etc/passwd"))
    with process.reading() as session:
        slugs = [session.get_one(Issue, number).slug for number in (first, second, third)]
    assert slugs == ["ueber-oel-groesse", "ueber-oel-groesse-2", "etc-passwd"]


def test_a_moment_must_be_to_come(process: Process, clock: Clock) -> None:
    issue_id = cast.issue(process, cast.publication(process))
    with pytest.raises(Refused, match="is over"), process.writing() as session:
        actions.schedule(session, session.get_one(Issue, issue_id), at=clock(), zone="Europe/Berlin", now=clock())


def test_i12_a_moment_is_meant_in_its_zone_over_the_change_of_clocks() -> None:
    assert moment_from("2026-10-24T09:00", "Europe/Berlin").astimezone(UTC) == datetime(2026, 10, 24, 7, tzinfo=UTC)
    assert moment_from("2026-10-25T09:00", "Europe/Berlin").astimezone(UTC) == datetime(2026, 10, 25, 8, tzinfo=UTC)


def test_i12_an_hour_that_the_clock_skips_is_refused() -> None:
    with pytest.raises(Refused, match="skips"):
        moment_from("2026-03-29T02:30", "Europe/Berlin")


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(Refused):
        moment_from("T", "Europe/Berlin")


def test_only_drafts_are_thrown_away(process: Process) -> None:
    issue_id = cast.issue(process, cast.publication(process))
    with process.writing() as session:
        issue = session.get_one(Issue, issue_id)
        issue.become("scheduled")
        with pytest.raises(Conflict):
            actions.throw_away(session, issue)
        issue.become("draft")
        actions.throw_away(session, issue)
