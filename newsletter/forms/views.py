"""Forms, on pages for editors."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import role
from newsletter.errors import Refused
from newsletter.forms import actions, policy, queries
from newsletter.forms.models import Form
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.publications.models import Publication

views = Blueprint("forms", __name__)

TEXTS = ("name", "headline", "lead", "button", "consent", "thanks", "thanks_url", "welcome_text")
LONGEST = {"name": 120, "headline": 200, "button": 60, "thanks_url": 500}
SWITCHES = ("ask_name", "show_letters", "show_readers", "welcome")


@views.get("/admin/<slug>/forms/")
@role("viewer")
def index(publication: Publication) -> Reply:
    return page("forms/index.html", forms=queries.all_of(session(), publication.id), links=links())


@views.post("/admin/<slug>/forms/")
@role("editor")
def add(publication: Publication) -> Reply:
    name = " ".join(request.form.get("name", "").split())[:120]
    if not name:
        return page("forms/index.html", 422, forms=queries.all_of(session(), publication.id), links=links(), error=speech()("Please give it a name."))
    with writing() as writer:
        form_id = actions.add_form(
            writer, publication=publication, name=name, headline=publication.promise or publication.name, lead=publication.about, now=now()
        )
        form = writer.get_one(Form, form_id)
    return see_other(url_for("forms.edit", slug=publication.slug, form=form.slug))


@views.get("/admin/<slug>/forms/<form>")
@role("editor")
def edit(publication: Publication, form: str) -> Reply:
    found = queries.by_slug(session(), publication.id, form)
    return _edit(publication, found, {column: getattr(found, column) for column in actions.COLUMNS})


def _edit(publication: Publication, form: Form, values: dict[str, Any], errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return page(
        "forms/edit.html", status, form=form, values=values, errors=errors or {}, versions=queries.versions(session(), form.id), kinds=policy.KINDS,
        links=links(), preview=_shown(form, values),
    )  # fmt: skip


def _shown(form: Form, values: dict[str, Any]) -> SimpleNamespace:
    """The form as it would be, without keeping it."""
    return SimpleNamespace(slug=form.slug, **values)


def _values(form: Form) -> dict[str, Any]:
    """What the page sent.

    Raises:
        Refused: a question or a site cannot stand.
    """
    sent = request.form
    values: dict[str, Any] = {name: sent.get(name, "").strip()[: LONGEST.get(name, 4000)] for name in TEXTS}
    values |= {name: name in sent for name in SWITCHES}
    values["language"] = sent.get("language", "") if sent.get("language") in ("de", "en") else ""
    values["state"] = "closed" if sent.get("state") == "closed" else "open"
    values["tags"] = [tag for tag in (" ".join(one.split())[:60] for one in sent.get("tags", "").split(",")) if tag][:20]
    values["fields"] = _fields(form)
    values["origins"] = policy.origins(sent.get("origins", ""))
    return values


def _fields(form: Form) -> list[policy.Field]:
    found: list[policy.Field] = []
    sent = request.form
    rows = zip(sent.getlist("field_key"), sent.getlist("field_label"), sent.getlist("field_kind"), sent.getlist("field_choices"), strict=False)
    for number, (key, label, kind, choices) in enumerate(rows):
        if label.strip() and len(found) < policy.MOST_FIELDS:
            required = f"field_required_{number}" in sent
            found.append(policy.field(kind, label, required=required, choices=choices.split("\n"), key=key, taken=[one["key"] for one in found]))
    return found


@views.post("/admin/<slug>/forms/<form>")
@role("editor")
def change(publication: Publication, form: str) -> Reply:
    """Keep it, or look at it first: the preview needs no script."""
    found = queries.by_slug(session(), publication.id, form)
    raw = {name: request.form.get(name, "") for name in TEXTS}
    try:
        values = _values(found)
        if request.form.get("deed") == "look":
            return _edit(publication, found, values)
        with writing() as writer:
            actions.change_form(writer, writer.merge(found), values=values, now=now())
    except Refused as error:
        kept = {column: getattr(found, column) for column in actions.COLUMNS} | raw
        return _edit(publication, queries.by_slug(session(), publication.id, form), kept, {error.field or "name": speech().refusal(error)}, 422)
    return see_other(url_for("forms.edit", slug=publication.slug, form=form), mark("Saved."))


@views.post("/admin/<slug>/forms/<form>/preview")
@role("editor")
def preview(publication: Publication, form: str) -> Reply:
    """The form as it would be, while it is being changed."""
    found = queries.by_slug(session(), publication.id, form)
    try:
        values = _values(found)
    except Refused as error:
        return Response(speech().refusal(error), 422, mimetype="text/plain")
    return page("forms/preview.html", publication=publication, form=_shown(found, values))
