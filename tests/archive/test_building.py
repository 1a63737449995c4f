"""What of a publication becomes public (C5)."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from newsletter.archive import actions, building
from newsletter.archive.models import Build
from newsletter.deliveries import actions as deliveries
from newsletter.issues.models import Issue
from newsletter.process import Process
from newsletter.publications.queries import get
from tests.support import cast
from tests.support.clock import Clock


def publish(process: Process, clock: Clock, markdown: str = "", **more: object) -> int:
    """An issue goes out; give back its id."""
    issue_id = cast.issue(process, 1, **({"markdown": markdown} if markdown else {}), **more)
    with process.writing() as session:
        deliveries.start(
            session,
            cast.links(process),
            publication=get(session, 1),
            issue=session.get_one(Issue, issue_id),
            undo=timedelta(seconds=60),
            now=clock(),
        )
    clock.forward(minutes=2)
    return issue_id


def published(process: Process, clock: Clock) -> tuple[int, int]:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    issue_id = publish(process, clock)
    clock.forward(minutes=-2)
    return publication_id, issue_id


def test_c5_nothing_personal_and_nothing_unpublished_is_in_it(process: Process, clock: Clock) -> None:
    publication_id, _ = published(process, clock)
    cast.issue(process, publication_id, "Ein geheimer Entwurf")
    clock.forward(minutes=2)
    building.build_publication(process, publication_id)
    everything = "\n".join(path.read_text() for path in process.settings.archive_dir.rglob("*") if path.suffix in (".html", ".xml", ".json"))
    assert "Die erste Bohne" in everything
    for secret in ("geheimer", "ada@", "Ada Lorenzen", "/u/", "/confirm/"):
        assert secret not in everything
    assert "Hallo," in everything


def test_c5_a_letter_in_its_undo_window_is_not_public_yet(process: Process, clock: Clock) -> None:
    publication_id, _ = published(process, clock)
    building.build_publication(process, publication_id)
    assert "Die erste Bohne" not in (process.settings.archive_dir / "saatbrief" / "index.html").read_text()


def test_asking_twice_for_a_build_is_asking_once(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    with process.writing() as session:
        first = actions.request_build(session, publication_id=publication_id, now=clock())
        assert actions.request_build(session, publication_id=publication_id, now=clock()) == first


def test_a_folder_that_cannot_be_written_is_tried_again_and_then_said(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    process.settings.archive_dir.parent.mkdir(parents=True, exist_ok=True)
    process.settings.archive_dir.write_text("a file where a folder should be")
    with process.writing() as session:
        build_id = actions.request_build(session, publication_id=publication_id, now=clock())
    for _ in range(actions.GIVE_UP_AFTER):
        building.run(process, build_id)
        clock.forward(days=1)
    with process.reading() as session:
        row = session.scalars(select(Build)).one()
        assert (row.state, bool(row.problem)) == ("failed", True)


def test_a_build_that_succeeds_is_written_down(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    with process.writing() as session:
        build_id = actions.request_build(session, publication_id=publication_id, now=clock())
    building.run(process, build_id)
    with process.reading() as session:
        assert session.get_one(Build, build_id).state == "done"
    assert isinstance(process.settings.archive_dir, Path)
