"""Reach: how much hangs on platforms that are not one's own, what to do about it, and a report on one page."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import role
from newsletter.announcements.queries import waiting
from newsletter.archive.queries import targets
from newsletter.channels import actions
from newsletter.channels.catalogue import usual
from newsletter.channels.policy import figure_day
from newsletter.channels.queries import goal, may_link, names
from newsletter.drills.policy import EVERY
from newsletter.drills.queries import last, open_one
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.radar.policy import Radar, Way, forecast
from newsletter.radar.queries import measure
from newsletter.radar.steps import Step, plan
from newsletter.radar.words import Sentence, headline, story

views = Blueprint("radar", __name__)

FRESH = timedelta(days=14)


def say(sentence: Sentence) -> str:
    """A sentence in the reader's language, with numbers and months as she writes them."""
    return speech()(sentence.text, **{name: _said(value) for name, value in sentence.values.items()})


def _said(value: object) -> object:
    if isinstance(value, date):
        return speech().month(value)
    return speech().number(value) if isinstance(value, int | float) else value


@views.get("/admin/<slug>/reach")
@role("viewer")
def show(publication: Publication) -> Reply:
    return _show(publication)


def _show(publication: Publication, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    radar = measure(session(), publication, now())
    days = request.args.get("days", 90, int)
    return page(
        "radar/show.html", status, **_values(publication, radar), days=days if days in (30, 90, 365) else 90, errors=errors or {}, typed=request.form,
        waiting=waiting(session(), publication.id),
    )  # fmt: skip


def _values(publication: Publication, radar: Radar) -> dict[str, Any]:
    wanted = goal(session(), publication.id)
    return {
        "radar": radar, "headline": say(headline(radar)), "story": [say(one) for one in story(radar)], "goal": wanted, "now": now(),
        "forecast": forecast(radar.trend, wanted.percent, wanted.until), "plan": steps(publication, radar), "ways_rows": _sorted(radar.ways),
        "drill": open_one(session(), publication.id), "last_drill": last(session(), publication.id), "usual": usual,
        "names": names(session(), publication.id),
    }  # fmt: skip


def _sorted(ways: tuple[Way, ...]) -> list[Way]:
    """Own ones first, then the open, then the closed ones; the largest of each first."""
    order = {"owned": 0, "open": 1, "closed": 2}
    return sorted(ways, key=lambda way: (order[way.ownership], way.key != "list", -(way.audience or 0), -way.joined[1], way.name))


def steps(publication: Publication, radar: Radar) -> list[Step]:
    """The five steps to independence, measured."""
    used = [one for one in names(session(), publication.id).values() if one.ended_at is None]
    channels = [one for one in used if may_link(one)]
    mirrors = [one for one in targets(session(), publication.id) if one.kind != "folder" and one.state == "active"]
    done = last(session(), publication.id)
    return plan(
        radar, sender=publication.from_address.rpartition("@")[2], archive=urlsplit(archive_base(publication, links())).hostname or "",
        profiles=[(one.name, one.linked_at is not None) for one in channels], list_share=goal(session(), publication.id).list_share,
        mirrored=any(one.good_at is not None and one.good_at > now() - FRESH and not one.problem for one in mirrors),
        drilled=done is not None and done > now() - EVERY,
    )  # fmt: skip


@views.post("/admin/<slug>/reach")
@role("editor")
def aim(publication: Publication) -> Reply:
    """The target of the dependence, and what the plan measures with."""
    form = request.form
    try:
        until = figure_day(form["until"], now().date() + timedelta(days=3660)) if form.get("until") else None
        with writing() as writer:
            actions.set_goal(
                writer, publication_id=publication.id, percent=form.get("percent", -1, int), until=until, list_share=form.get("list_share", 50, int),
                alert="alert" in form,
            )  # fmt: skip
    except Refused as error:
        return _show(publication, 422, {"until" if error.field == "day" else error.field or "percent": speech().refusal(error)})
    return see_other(url_for("radar.show", slug=publication.slug) + "#trend", mark("Saved."))


@views.get("/admin/<slug>/reach/report")
@role("viewer")
def report(publication: Publication) -> Reply:
    """Everything on one page of paper, for a client: the browser prints it or makes a PDF of it."""
    return page("radar/report.html", **_values(publication, measure(session(), publication, now())))
