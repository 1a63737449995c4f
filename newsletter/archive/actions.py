"""Asking for builds and writing down what came of them."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from archive_site.artifact import Report
from newsletter.archive.models import Build

GIVE_UP_AFTER = 8


def request_build(session: Session, *, publication_id: int, now: datetime) -> int:
    """Ask for the archive to be brought up to date; give back the id of the build. Asking twice is asking once."""
    waiting = session.scalar(select(Build.id).where(Build.publication_id == publication_id, Build.state == "queued"))
    if waiting is not None:
        return waiting
    row = Build(publication_id=publication_id, requested_at=now, next_attempt_at=now)
    session.add(row)
    session.flush()
    return row.id


def settle(session: Session, build_id: int, report: Report, *, now: datetime) -> None:
    """It is up to date."""
    values = {"written": len(report.written), "unchanged": report.unchanged, "removed": len(report.removed)}
    session.execute(update(Build).where(Build.id == build_id).values(state="done", settled_at=now, problem="", **values))


def put_off(session: Session, build_id: int, why: str, *, now: datetime) -> None:
    """It did not work. The old archive stands; try again later."""
    row = session.get_one(Build, build_id)
    row.attempts += 1
    row.problem = why[:500]
    row.next_attempt_at = now + timedelta(seconds=30 * 2**row.attempts)
    if row.attempts >= GIVE_UP_AFTER:
        row.state, row.settled_at = "failed", now
