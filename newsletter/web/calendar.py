"""The calendar: what went out, what has its hour, what is meant for a day, what was promised, and ideas."""

import re
from calendar import Calendar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request, url_for

from newsletter.accounts.access import editor, role
from newsletter.errors import Refused
from newsletter.http import Reply, now, page, see_other, session, speech, tell, writing
from newsletter.i18n import mark
from newsletter.issues import margins, queries
from newsletter.issues.models import Issue
from newsletter.publications import rhythm
from newsletter.publications.models import Publication
from newsletter.publications.policy import rhythm_from

views = Blueprint("calendar", __name__)


@dataclass
class Day:
    """One square of the calendar."""

    date: date
    inside: bool
    due: bool = False
    issues: list[Issue] = field(default_factory=list)


@views.get("/admin/<slug>/calendar")
@role("author")
def show(publication: Publication) -> Reply:
    return _show(publication, {})


def _show(publication: Publication, errors: dict[str, str], status: int = 200, typed: dict[str, str] | None = None) -> Response:
    today = now().astimezone(ZoneInfo(publication.timezone)).date()
    month = _month(request.args.get("month", ""), today)
    weeks = _weeks(publication, month)
    before, after = month - timedelta(days=1), (month + timedelta(days=32)).replace(day=1)
    due = next_due(publication, today)
    return page(
        "issues/calendar.html", status, weeks=weeks, month=month, before=before, after=after, today=today, due=due, late=rhythm.is_late(due, today),
        loose=[one for one in queries.drafts(session(), publication.id) if one.state == "draft" and one.planned_on is None],
        ideas=queries.ideas(session(), publication.id), cadences=rhythm.CADENCES, errors=errors, typed=typed or _typed(publication),
    )  # fmt: skip


def _typed(publication: Publication) -> dict[str, str]:
    start = publication.cadence_from.isoformat() if publication.cadence_from else ""
    return {"cadence": publication.cadence, "from": start, "time": publication.cadence_time}


def _month(text: str, today: date) -> date:
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text)
    return date(int(found.group(1)), int(found.group(2)), 1) if found else today.replace(day=1)


def day_of(issue: Issue, zone: ZoneInfo) -> date | None:
    """The day on which an issue stands."""
    moment = issue.published_at or issue.scheduled_at
    return moment.astimezone(zone).date() if moment and issue.state != "draft" else issue.planned_on


def next_due(publication: Publication, today: date) -> date | None:
    """The day for which nothing has been written yet."""
    days = queries.days_with_letters(session(), publication.id, ZoneInfo(publication.timezone), now())
    return rhythm.next_due(publication.cadence, publication.cadence_from, days, today)


def _span(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime(first.year, first.month, first.day, tzinfo=zone), datetime(last.year, last.month, last.day, tzinfo=zone) + timedelta(days=1)


def _weeks(publication: Publication, month: date) -> list[list[Day]]:
    zone = ZoneInfo(publication.timezone)
    weeks = [[Day(day, day.month == month.month) for day in week] for week in Calendar().monthdatescalendar(month.year, month.month)]
    days = {day.date: day for week in weeks for day in week}
    first, last = min(days), max(days)
    for issue in queries.between(session(), publication.id, *_span(first, last, zone)):
        day = day_of(issue, zone)
        if day in days:
            days[day].issues.append(issue)
    if publication.cadence_from:
        for due in rhythm.due_days(publication.cadence, publication.cadence_from, first, last):
            days[due].due = True
    return weeks


@views.post("/admin/<slug>/calendar/issues/<int:issue_id>")
@role("author")
def plan(publication: Publication, issue_id: int) -> Reply:
    """Put a draft on a day, by a form or by dragging (answers JSON then)."""
    by_script = request.headers.get("Accept", "").startswith("application/json")
    text = request.form.get("day", "").strip()
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return (jsonify(problem=speech()("This is no date.")), 422) if by_script else _show(publication, {"day": speech()("This is no date.")}, 422)  # type: ignore[return-value]
    try:
        with writing() as writer:
            margins.plan(writer, queries.get(writer, publication.id, issue_id), day)
    except Refused as error:
        if by_script:
            return jsonify(problem=speech().refusal(error)), 409  # type: ignore[return-value]
        raise
    said = speech()("Meant for %(day)s.", day=speech().day(day)) if day else speech()("It has no day any more.")
    if by_script:
        return jsonify(said=said)
    return see_other(url_for("calendar.show", slug=publication.slug, month=f"{day or now():%Y-%m}"), said)


@views.post("/admin/<slug>/calendar/rhythm")
@role("editor")
def promise(publication: Publication) -> Reply:
    """Say how often a letter is due."""
    typed = {name: request.form.get(name, "").strip() for name in ("cadence", "from", "time")}
    try:
        cadence, start, hour = rhythm_from(typed)
    except Refused as error:
        return _show(publication, tell({error.field: error}), 422, typed)
    with writing() as writer:
        current = writer.merge(publication)
        current.cadence, current.cadence_from, current.cadence_time, current.reminded_for = cadence, start, hour, None
    return see_other(url_for("calendar.show", slug=publication.slug), mark("Saved."))


@views.post("/admin/<slug>/ideas")
@role("author")
def add_idea(publication: Publication) -> Reply:
    with writing() as writer:
        margins.add_idea(writer, publication.id, editor_id=editor().id, words=request.form.get("words", ""), now=now())
    return see_other(url_for("calendar.show", slug=publication.slug) + "#ideas", mark("Noted."))


@views.post("/admin/<slug>/ideas/<int:idea_id>/<any(write, drop):fate>")
@role("author")
def with_idea(publication: Publication, idea_id: int, fate: str) -> Reply:
    """Make a letter of an idea, or let it go."""
    with writing() as writer:
        if fate == "drop":
            margins.drop_idea(writer, publication.id, idea_id)
            return see_other(url_for("calendar.show", slug=publication.slug) + "#ideas")
        issue_id = margins.take_up(writer, publication.id, idea_id, author_id=editor().id, now=now())
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue_id))
