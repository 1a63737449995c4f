"""Segments and tags, on pages."""

import json

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import role
from newsletter.channels.queries import names
from newsletter.errors import Refused
from newsletter.forms.queries import fields_of
from newsletter.http import Reply, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues.queries import published
from newsletter.publications.models import Publication
from newsletter.segments import actions, queries
from newsletter.segments.models import Segment
from newsletter.segments.rules import ABOUT, STATES, WITHOUT_VALUE
from newsletter.subscriptions.queries import tags_of

views = Blueprint("segments", __name__)


@views.get("/admin/<slug>/segments/")
@role("viewer")
def index(publication: Publication) -> Reply:
    found = [(one, queries.count(session(), publication, one.rules, one.every, now())) for one in queries.all_of(session(), publication.id)]
    return page("segments/index.html", segments=found, tags=tags_of(session(), publication.id))


@views.get("/admin/<slug>/segments/new")
@role("editor")
def new(publication: Publication) -> Reply:
    return _edit(publication, None, "", True, [])


@views.get("/admin/<slug>/segments/<int:segment_id>")
@role("viewer")
def show(publication: Publication, segment_id: int) -> Reply:
    segment = queries.get(session(), publication.id, segment_id)
    return _edit(publication, segment, segment.name, segment.every, segment.rules)


def _edit(
    publication: Publication, segment: Segment | None, name: str, every: bool, rules: list[dict[str, str]], status: int = 200, error: str = ""
) -> Response:
    try:
        count = queries.count(session(), publication, rules, every, now()) if rules else None
    except Refused:
        count = None
    return page(
        "segments/edit.html", status, segment=segment, name=name, every=every, rules=rules, count=count, error=error, about=ABOUT, states=STATES,
        without_value=WITHOUT_VALUE, words=_words(publication), fields=fields_of(session(), publication.id),
    )  # fmt: skip


def _words(publication: Publication) -> dict[str, dict[str, str]]:
    """What the values of rules are called on a page: tags, channels and letters by name and not by number."""
    say = speech()
    return {
        "tag": {str(number): name for number, name in tags_of(session(), publication.id).items()},
        "channel": {str(number): one.name for number, one in names(session(), publication.id).items()},
        "got": {str(one.id): say("No. %(number)s", number=one.number) for one in published(session(), publication.id, limit=100)},
        "state": dict(zip(STATES, (say("active"), say("paused"), say("waiting"), say("unsubscribed")), strict=True)),
        "rhythm": {"each": say("Every letter"), "monthly": say("Once a month, everything together")},
        "language": {"de": "Deutsch", "en": "English"},
    }


def _rules(publication: Publication) -> list[dict[str, str]]:
    """The rules of the page: three lists of the same length. One without a subject is not there."""
    form, words = request.form, _words(publication)
    rows = zip(form.getlist("about"), form.getlist("how"), form.getlist("value"), strict=False)
    found = []
    for about, how, value in rows:
        meant = {_plain(word): key for key, word in words.get(about, {}).items()}.get(_plain(value), value)
        found += [{"about": about, "how": how, "value": meant}] if about else []
    return found


def _plain(word: str) -> str:
    return " ".join(word.replace("\u00a0", " ").split()).casefold()


@views.post("/admin/<slug>/segments/save")
@role("editor")
def save(publication: Publication) -> Reply:
    """Keep it, or only count: without script, too, one sees whom rules fit before anything is kept."""
    number = request.form.get("segment", type=int)
    segment = queries.get(session(), publication.id, number) if number else None
    name, every, rules = request.form.get("name", ""), request.form.get("every", "yes") == "yes", _rules(publication)
    if request.form.get("deed") != "save":
        more = [{"about": "", "how": "", "value": ""}] if request.form.get("deed") == "more" else []
        return _edit(publication, segment, name, every, [*rules, *more])
    try:
        with writing() as writer:
            segment = queries.get(writer, publication.id, number) if number else None
            saved = actions.save(writer, publication_id=publication.id, segment=segment, name=name, every=every, rules=rules, now=now())
    except Refused as error:
        return _edit(publication, segment, name, every, rules, 422, speech().refusal(error))
    return see_other(url_for("segments.show", slug=publication.slug, segment_id=saved), mark("Saved."))


@views.post("/admin/<slug>/segments/count")
@role("viewer")
def count(publication: Publication) -> Reply:
    """How many rules fit, while they are being built."""
    try:
        found = queries.count(session(), publication, _rules(publication), request.form.get("every", "yes") == "yes", now())
    except Refused as error:
        return Response(json.dumps({"text": speech().refusal(error)}), 422, mimetype="application/json")
    text = speech().plural(
        "One person fits, %(active)s of them active.", "%(n)s people fit, %(active)s of them active.", found[0], active=speech().number(found[1])
    )
    return Response(json.dumps({"text": text}), mimetype="application/json")


@views.post("/admin/<slug>/segments/<int:segment_id>/remove")
@role("editor")
def remove(publication: Publication, segment_id: int) -> Reply:
    try:
        with writing() as writer:
            actions.remove(writer, queries.get(writer, publication.id, segment_id))
    except Refused as error:
        return see_other(url_for("segments.show", slug=publication.slug, segment_id=segment_id), error.message, **error.values)
    return see_other(url_for("segments.index", slug=publication.slug), mark("The segment is gone. Its people stay."))


@views.post("/admin/<slug>/tags/<int:tag_id>")
@role("editor")
def tag(publication: Publication, tag_id: int) -> Reply:
    """Rename a tag, or take it from everybody."""
    try:
        with writing() as writer:
            if request.form.get("deed") == "remove":
                actions.remove_tag(writer, publication_id=publication.id, tag_id=tag_id)
            else:
                actions.rename_tag(writer, publication_id=publication.id, tag_id=tag_id, name=request.form.get("name", ""))
    except Refused as error:
        return see_other(url_for("segments.index", slug=publication.slug), error.message, **error.values)
    return see_other(url_for("segments.index", slug=publication.slug), mark("Saved."))
