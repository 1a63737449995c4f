"""Asking for builds, writing down what came of them, and how an issue appears."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from archive_site.artifact import Report
from archive_site.site import may_be_called
from archive_site.targets import KINDS, Account, TargetRefused
from archive_site.visibility import VISIBILITIES
from newsletter.archive.models import Build, Target, Touch
from newsletter.archive.queries import Touched
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.tokens import Tokens

GIVE_UP_AFTER = 8
# Longer than any transfer should take; when a worker dies, another begins after that.
LEASE = timedelta(hours=1)


def request_build(session: Session, *, publication_id: int, now: datetime, issue_id: int | None = None) -> int:
    """Ask for the archive to be brought up to date; give back the id of the build. Asking twice is asking once.

    Args:
        issue_id: what has changed; None: perhaps everything.
    """
    session.add(Touch(publication_id=publication_id, issue_id=issue_id))
    return _queue(session, publication_id, now, now)


def _queue(session: Session, publication_id: int, at: datetime, now: datetime) -> int:
    waiting = session.scalar(select(Build).where(Build.publication_id == publication_id, Build.state == "queued"))
    if waiting is not None:
        waiting.next_attempt_at = min(waiting.next_attempt_at, at)
        session.flush()
        return waiting.id
    row = Build(publication_id=publication_id, requested_at=now, next_attempt_at=at)
    session.add(row)
    session.flush()
    return row.id


def settle(session: Session, build_id: int, report: Report, *, touched: Touched, wakes: datetime | None = None, now: datetime) -> None:
    """It is up to date: every target gets its share, and the next build is the one that a delayed issue waits for."""
    serious = [str(problem) for problem in report.problems if problem.serious]
    values = {"written": len(report.written), "unchanged": report.unchanged, "removed": len(report.removed), "problem": "\n".join(serious)[:500]}
    session.execute(update(Build).where(Build.id == build_id).values(state="done", settled_at=now, **values))
    row = session.get_one(Build, build_id)
    for at in range(0, len(touched.ids), 500):
        session.execute(delete(Touch).where(Touch.id.in_(touched.ids[at : at + 500])))
    if session.scalar(select(Touch.id).where(Touch.publication_id == row.publication_id).limit(1)) is not None:
        # Somebody changed something while this build was on its way, and found it still waiting.
        _queue(session, row.publication_id, now, now)
    if report.written or report.removed:
        due = update(Target).where(Target.publication_id == row.publication_id, Target.state == "active")
        session.execute(due.values(wish="send", next_attempt_at=now, attempts=0))
    if wakes is not None:
        _queue(session, row.publication_id, wakes, now)


def put_off(session: Session, build_id: int, why: str, *, now: datetime) -> None:
    """It did not work. The old archive stands; try again later."""
    row = session.get_one(Build, build_id)
    row.attempts += 1
    row.problem = why[:500]
    row.next_attempt_at = now + timedelta(seconds=30 * 2**row.attempts)
    if row.attempts >= GIVE_UP_AFTER:
        row.state, row.settled_at = "failed", now


def appear(session: Session, issue: Issue, *, values: dict[str, object], slug: str = "", now: datetime) -> int:
    """Change how an issue appears in the archive; give back the build.

    Args:
        values: ``visibility``, ``listed_from``, ``series``, ``language``, ``authors``, ``cover``, ``cover_alt``, ``counterpart_id``, ``tags``.
        slug: another name in the address; the old one becomes a redirect.

    Raises:
        Refused: a value cannot stand; ``field`` says which.
        Conflict: the name is taken.
    """
    if values.get("visibility", "") not in ("", *VISIBILITIES):
        raise Refused(mark("There is no such visibility."), field="visibility")
    other = session.get(Issue, values["counterpart_id"]) if values.get("counterpart_id") else None
    if values.get("counterpart_id") and (other is None or other.id == issue.id):
        raise Refused(mark("There is no such issue."), field="counterpart_id")
    if slug and slug != issue.slug:
        _rename(session, issue, slug)
    partners = {issue.counterpart_id, values.get("counterpart_id", issue.counterpart_id)} - {None}
    for name, value in values.items():
        setattr(issue, name, value)
    issue.appearance += 1
    for number in partners:
        _touch_partner(session, int(str(number)), issue)
    session.flush()
    return request_build(session, publication_id=issue.publication_id, issue_id=issue.id, now=now)


def _rename(session: Session, issue: Issue, slug: str) -> None:
    if not may_be_called(slug):
        raise Refused(
            mark("The name in the address may have small letters, digits and hyphens, and must not be one that the archive uses itself."), field="slug"
        )
    rows = session.execute(select(Issue.id, Issue.slug, Issue.old_slugs).where(Issue.publication_id == issue.publication_id, Issue.id != issue.id))
    if any(slug == taken or slug in old for _, taken, old in rows):
        raise Conflict(mark("Another letter has this name, or had it."), field="slug")
    issue.old_slugs = [*dict.fromkeys([*issue.old_slugs, issue.slug])] if issue.state == "published" else issue.old_slugs
    issue.old_slugs = [old for old in issue.old_slugs if old != slug]
    issue.slug = slug


def _touch_partner(session: Session, number: int, issue: Issue) -> None:
    """The pair points at each other, and the other one has to be built again."""
    partner = session.get(Issue, number)
    if partner is not None:
        partner.counterpart_id = issue.id if issue.counterpart_id == partner.id else None
        partner.appearance += 1
        session.add(Touch(publication_id=partner.publication_id, issue_id=partner.id))


def is_colour(text: str) -> bool:
    """Whether this is a colour as ``#rrggbb``."""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def add_target(session: Session, tokens: Tokens, *, publication_id: int, kind: str, place: str, secret: str, home: Path, now: datetime) -> int:
    """Publish the archive to one more place; give back its id.

    Raises:
        Refused: the place cannot be one.
    """
    if kind not in KINDS:
        raise Refused(mark("There is no such kind of target."), field="kind")
    place, secret = place.strip(), secret.strip()
    if session.scalar(select(Target.id).where(Target.publication_id == publication_id, Target.kind == kind, Target.place == place)):
        raise Conflict(mark("The archive is published there already."), field="place")
    try:
        KINDS[kind](Account(place, secret, home))
    except TargetRefused as error:
        raise Refused("%(why)s", field="place", why=str(error)) from error
    row = Target(publication_id=publication_id, kind=kind, place=place, secret=tokens.encrypt(secret) if secret else "", next_attempt_at=now, created_at=now)
    session.add(row)
    session.flush()
    return row.id


def wish(session: Session, target: Target, *, what: str, now: datetime) -> None:
    """Have a target sent to, checked, stopped, woken or forgotten.

    Raises:
        Refused: there is no such deed.
    """
    if what in ("send", "check"):
        target.state, target.wish, target.next_attempt_at, target.attempts = "active", what, now, 0
    elif what == "pause":
        target.state, target.next_attempt_at = "paused", None
    elif what == "forget":
        session.delete(target)
    else:
        raise Refused(mark("There is no such deed."))
    session.flush()


def claim_target(session: Session, target_id: int, *, now: datetime) -> bool:
    """Take a target into one's hands for a while; whether it was free and due."""
    due = update(Target).where(Target.id == target_id, Target.state == "active", Target.next_attempt_at <= now)
    won = session.execute(due.values(next_attempt_at=now + LEASE))
    assert isinstance(won, CursorResult)
    return won.rowcount == 1


def target_refused(session: Session, target_id: int, why: str, *, now: datetime) -> None:
    """It did not work. What lay there still does; try again, later each time, at least once a day."""
    row = session.get_one(Target, target_id)
    row.attempts += 1
    row.problem = why[:500]
    row.next_attempt_at = now + min(timedelta(seconds=30 * 2 ** min(row.attempts, 12)), timedelta(days=1))


def target_done(session: Session, target_id: int, *, files: int, wrong: int | None, again: timedelta, now: datetime) -> None:
    """Everything lies there.

    Args:
        wrong: how many files were missing or different, if it was looked at.
    """
    row = session.get_one(Target, target_id)
    row.good_at, row.files, row.problem, row.attempts = now, files, "", 0
    if wrong is not None:
        row.checked_at, row.wrong = now, wrong
    row.wish, row.next_attempt_at = "check", now + again
