"""Watching a mailing: from the first letter to the last reply, and what became of it."""

from functools import partial
from html import unescape
from typing import Any

from flask import Blueprint, Response, request, stream_with_context, url_for

from newsletter.accounts.access import role
from newsletter.broker import ring
from newsletter.deliveries import actions, queries, reports
from newsletter.deliveries.actors import send_mailing
from newsletter.deliveries.forms import missed_as_csv
from newsletter.deliveries.models import DELIVERY_STATES, Mailing
from newsletter.errors import NotFound, Refused
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues.composition import FEEDBACK, compose, web_address
from newsletter.issues.models import Issue
from newsletter.issues.queries import feedback, votes
from newsletter.issues.queries import get as issue_of
from newsletter.mail.providers import name_of
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of
from newsletter.rendering import merge
from newsletter.rendering.mail import WORTH_IT

views = Blueprint("mailings", __name__)


@views.get("/admin/<slug>/issues/<int:issue_id>/mailing")
@role("viewer")
def of_issue(publication: Publication, issue_id: int) -> Reply:
    issue = issue_of(session(), publication.id, issue_id)
    mailing = queries.of_issue(session(), issue.id)
    if mailing is None and issue.state == "published":
        # It came from elsewhere and never went out from here.
        return see_other(url_for("archive.appearance", slug=publication.slug, issue_id=issue.id))
    if mailing is None:
        raise NotFound(mark("There is no such mailing."))
    return see_other(url_for("mailings.show", slug=publication.slug, mailing_id=mailing.id))


@views.get("/admin/<slug>/mailings/<int:mailing_id>")
@role("viewer")
def show(publication: Publication, mailing_id: int) -> Reply:
    """The page, or only what moves on it when a script asks."""
    mailing = queries.get(session(), mailing_id, publication.id)
    template = "deliveries/progress.html" if "part" in request.args else "deliveries/mailing.html"
    uncertain = queries.rows_in(session(), mailing.id, "uncertain")
    return page(
        template,
        mailing=mailing,
        issue=issue_of(session(), publication.id, mailing.issue_id),
        progress=queries.progress(session(), mailing, now()),
        uncertain=uncertain,
        retry=len(queries.worth_another_try(session(), mailing.id)) if mailing.state == "finished" else 0,
        now=now(),
        archive_url=web_address(publication, issue_of(session(), publication.id, mailing.issue_id), links()),
    )


@views.get("/admin/<slug>/mailings/<int:mailing_id>/<state>")
@role("viewer")
def ledger(publication: Publication, mailing_id: int, state: str) -> Reply:
    """Who is in a state, and what the servers said."""
    mailing = queries.get(session(), mailing_id, publication.id)
    if state not in DELIVERY_STATES:
        raise NotFound(mark("There is no such state."))
    rows = queries.rows_in(session(), mailing.id, state, request.args.get("after", 0, type=int))
    return page(
        "deliveries/ledger.html",
        mailing=mailing,
        state=state,
        rows=rows[: queries.PAGE],
        more=len(rows) > queries.PAGE,
        total=queries.counts(session(), mailing.id)[state],
    )


@views.get("/admin/<slug>/mailings/<int:mailing_id>/providers")
@role("viewer")
def providers(publication: Publication, mailing_id: int) -> Reply:
    mailing = queries.get(session(), mailing_id, publication.id)
    rows = queries.by_provider(session(), mailing.id)
    return page("deliveries/providers.html", mailing=mailing, rows=rows[:50], rest=len(rows[50:]), name_of=name_of)


@views.get("/admin/<slug>/mailings/<int:mailing_id>/report")
@role("viewer")
def report(publication: Publication, mailing_id: int) -> Reply:
    """What became of a letter, beside the ten before it."""
    mailing = queries.get(session(), mailing_id, publication.id)
    issue = issue_of(session(), publication.id, mailing.issue_id)
    others = reports.before(session(), mailing, now())
    return page(
        "deliveries/report.html", mailing=mailing, report=reports.report_of(session(), mailing, issue, now()), others=others, columns=reports.COLUMNS,
        value_of=reports.value_of, usual=partial(reports.usual, others), clicks=queries.clicks(session(), mailing), polls=_polls(publication, issue),
    )  # fmt: skip


def _polls(publication: Publication, issue: Issue) -> list[dict[str, Any]]:
    counted = votes(session(), issue.id)
    values = merge.values_of("", greeting_of(publication))
    thought = feedback(session(), issue.id)
    asked = [(speech()(words), thought.get(place, 0)) for place, words in enumerate(FEEDBACK, 1)]
    found: list[dict[str, Any]] = [{"question": speech()(WORTH_IT), "rows": asked}] if thought else []
    for block in compose(session(), publication, issue, links(), now()).document.every():
        if block.kind == "poll":
            rows = [(option, counted.get((block.number, place), 0)) for place, option in enumerate(block.options, 1)]
            found.append({"question": merge.fill(unescape(block.html), values, str), "rows": rows})
    return found


@views.get("/admin/<slug>/mailings/<int:mailing_id>/report.csv")
@role("viewer")
def report_csv(publication: Publication, mailing_id: int) -> Reply:
    """The same for a spreadsheet, with the ten before it."""
    mailing = queries.get(session(), mailing_id, publication.id)
    issue = issue_of(session(), publication.id, mailing.issue_id)
    rows = [reports.report_of(session(), mailing, issue, now()), *reports.before(session(), mailing, now())]
    lines = list(reports.as_csv(rows, speech()))
    return Response(lines, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="report-{mailing.id}.csv"'})


@views.get("/admin/<slug>/mailings/<int:mailing_id>/missed.csv")
@role("editor")
def missed(publication: Publication, mailing_id: int) -> Reply:
    """Who did not get it, for a spreadsheet."""
    mailing = queries.get(session(), mailing_id, publication.id)
    lines = missed_as_csv(queries.missed(session(), mailing.id), speech())
    return Response(stream_with_context(lines), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="mailing-{mailing.id}-missed.csv"'})


@views.post("/admin/<slug>/mailings/<int:mailing_id>/<any(take_back, pause, resume, cancel, arrived, again, retry):deed>")
@role("editor")
def act(publication: Publication, mailing_id: int, deed: str) -> Reply:
    mailing = queries.get(session(), mailing_id, publication.id)
    goal = url_for("mailings.show", slug=publication.slug, mailing_id=mailing.id)
    if deed == "take_back":
        goal = url_for("issues.write", slug=publication.slug, issue_id=mailing.issue_id)
    try:
        with writing() as writer:
            _do(writer.merge(mailing), deed)
    except Refused as error:
        return see_other(url_for("mailings.show", slug=publication.slug, mailing_id=mailing.id), error.message, **error.values)
    ring(send_mailing, mailing.id)
    return see_other(goal, mark("Taken back. Nobody got anything.") if deed == "take_back" else "")


def _do(mailing: Mailing, deed: str) -> None:
    writer = session()
    match deed:
        case "take_back":
            actions.take_back(writer, mailing, now=now())
        case "pause":
            actions.pause(writer, mailing)
        case "resume":
            actions.resume(writer, mailing, now=now())
        case "cancel":
            actions.cancel(writer, mailing, now=now())
        case "retry":
            actions.resend(writer, mailing, now=now())
        case _:
            actions.settle_uncertain(writer, mailing, again=deed == "again", now=now())
