"""Short addresses for everybody; channels, their figures and their links for editors."""

from collections.abc import Callable, Collection
from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for
from sqlalchemy.orm import Session

from newsletter.accounts.access import role
from newsletter.channels import actions, exports, policy, queries
from newsletter.channels.catalogue import USUAL, usual
from newsletter.channels.codes import SIZES, Code
from newsletter.channels.models import Channel
from newsletter.channels.queries import SHARED, may_link
from newsletter.channels.visiting import Visits
from newsletter.errors import Refused
from newsletter.growth.queries import by_channel
from newsletter.http import Reply, links, now, open_to_all, page, process, see_other, session, speech, takes, writing
from newsletter.i18n import mark
from newsletter.publications.models import Publication
from newsletter.publications.queries import get

views = Blueprint("channels", __name__)

LARGEST_EXPORT = 1024 * 1024 * 1024


def visits() -> Visits:
    """Where this process counts who follows links."""
    found: Visits = current_app.extensions.setdefault("visits", Visits(process()))
    return found


@views.get("/l/<code>")
@open_to_all
def follow(code: str) -> Reply:
    """On to where the link leads. The code travels in the address, not in a cookie."""
    found = visits().lead(code[:40])
    if found is None:
        abort(404)
    return _lead_on(found.address, found.link_id)


@views.get("/r/<code>")
@open_to_all
def recommended(code: str) -> Reply:
    """A reader's own link: to the sign-up page. It counts for recommendations."""
    subscription_id = policy.shared_by(process().tokens, code[:40])
    found = queries.shared_lead(session(), subscription_id) if subscription_id is not None else None
    if found is None:
        abort(404)
    slug, link_id = found
    return _lead_on(f"{links().sign_up(slug)}?via={SHARED}{code[:40].lower()}", link_id)


def _lead_on(address: str, link_id: int | None) -> Response:
    if link_id is not None:
        visits().count(link_id, machine=policy.looks_like_a_machine(request.method, dict(request.headers)))
    response = redirect(address, 302)
    assert isinstance(response, Response)
    # A browser that remembered where it leads would not ask again, and not be counted.
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@views.get("/admin/<slug>/channels")
@role("viewer")
def index(publication: Publication) -> Reply:
    return _index(publication)


def _index(publication: Publication, status: int = 200, errors: dict[str, str] | None = None, doubts: Collection[int] = ()) -> Response:
    found = list(queries.names(session(), publication.id).values())
    figures = queries.figures(session(), publication.id)
    since = (now() - timedelta(days=30)).date()
    return page(
        "channels/index.html", status, channels=[one for one in found if one.ended_at is None], ended=[one for one in found if one.ended_at is not None],
        figures={channel_id: rows[-1] for channel_id, rows in figures.items()}, visits=queries.visits_by_channel(session(), publication.id, since),
        joined=by_channel(session(), publication.id, "joined", now() - timedelta(days=90)), rows=queries.links_of(session(), publication.id),
        profiles=[one for one in found if one.ended_at is None and may_link(one)], usual=usual,
        catalogue=[one for one in USUAL.values() if one.kind != "other"], links=links(), errors=errors or {}, typed=request.form, doubts=doubts,
    )  # fmt: skip


@views.post("/admin/<slug>/channels")
@role("editor")
def add(publication: Publication) -> Reply:
    """A channel from the catalogue, or an own one by name."""
    kind, name = request.form.get("kind", ""), request.form.get("name", "")
    try:
        with writing() as writer:
            if kind in USUAL and kind != "other":
                channel_id = actions.add_usual(writer, publication_id=publication.id, kind=kind, language=publication.language, name=name, now=now())
            else:
                channel_id = actions.add_channel(
                    writer, publication_id=publication.id, name=name, ownership=request.form.get("ownership", ""), kind="other" if kind else ""
                )
                actions.add_link(writer, channel_id=channel_id, label=name, now=now())
            name = queries.channel(writer, publication.id, channel_id).name
    except Refused as error:
        return _index(publication, 422, {error.field or "name": speech().refusal(error)})
    return see_other(url_for("channels.show", slug=publication.slug, channel_id=channel_id), mark("“%(name)s” has its own link now."), name=name)


@views.post("/admin/<slug>/figures")
@role("author")
def note_all(publication: Publication) -> Reply:
    """The figures of all channels on one page, once a month. One that cannot stand keeps none of the others from being kept."""
    errors: dict[str, str] = {}
    doubts: set[int] = set()
    kept = 0
    for channel_id, channel in queries.names(session(), publication.id).items():
        text = request.form.get(f"number-{channel_id}", "")
        if not text.strip():
            continue
        try:
            with writing() as writer:
                row = queries.channel(writer, publication.id, channel.id)
                sure = f"sure-{channel_id}" in request.form
                actions.note_figure(writer, row, number=policy.audience(text), day=now().date(), sure=sure)
                kept += 1
        except Refused as error:
            errors[f"number-{channel_id}"] = f"{channel.name}: {speech().refusal(error)}"
            doubts |= {channel_id} if "before" in error.values else set()
    if errors:
        return _index(publication, 422, errors, doubts)
    return see_other(url_for("channels.index", slug=publication.slug), mark("Saved.") if kept else mark("Nothing was typed in."))


@views.get("/admin/<slug>/channels/<int:channel_id>")
@role("viewer")
def show(publication: Publication, channel_id: int) -> Reply:
    return _show(publication, queries.channel(session(), publication.id, channel_id))


def _show(publication: Publication, channel: Channel, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    rows = queries.links_in(session(), channel.id)
    since = (now() - timedelta(days=30)).date()
    return page(
        "channels/show.html", status, channel=channel, usual=usual(channel.kind), rows=rows, links=links(), figures=queries.figures_of(session(), channel.id),
        visits=queries.visits_by_link(session(), [row.id for row in rows], since), today=now().date(),
        joined={days: by_channel(session(), publication.id, "joined", now() - timedelta(days=days)).get(channel.id, 0) for days in (30, 90, 365)},
        errors=errors or {}, typed=request.form,
    )  # fmt: skip


@views.post("/admin/<slug>/channels/<int:channel_id>")
@role("editor")
def change(publication: Publication, channel_id: int) -> Reply:
    values = {name: request.form.get(name, "") for name in ("name", "ownership", "cost", "note", "profile")}
    return _do(publication, channel_id, lambda writer, row: actions.change_channel(writer, row, **values))


@views.post("/admin/<slug>/channels/<int:channel_id>/<any(end, resume, linked, unlinked):turn>")
@role("editor")
def decide(publication: Publication, channel_id: int, turn: str) -> Reply:
    at = now() if turn in ("end", "linked") else None
    do = actions.end_channel if turn in ("end", "resume") else actions.put_link_on_profile
    return _do(publication, channel_id, lambda writer, row: do(writer, row, now=at))


@views.post("/admin/<slug>/channels/<int:channel_id>/figures")
@role("author")
def note(publication: Publication, channel_id: int) -> Reply:
    """One figure, or taking one out again."""
    form = request.form
    if "forget" in form:
        return _do(publication, channel_id, lambda writer, row: actions.forget_figure(writer, row, policy.figure_day(form["forget"], now().date())))

    def keep(writer: Session, row: Channel) -> None:
        day, number = policy.figure_day(form.get("day", ""), now().date()), policy.audience(form.get("number", ""))
        actions.note_figure(writer, row, number=number, day=day, sure="sure" in form)

    return _do(publication, channel_id, keep)


@views.post("/admin/<slug>/channels/<int:channel_id>/export")
@role("author")
@takes(LARGEST_EXPORT)
def take_export(publication: Publication, channel_id: int) -> Reply:
    """How many follow, from a file of the platform. The file is read and forgotten."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Refused(mark("Please choose a file."), field="file")
        found = exports.read(file.filename, file.stream, now().date())
        with writing() as writer:
            days = actions.take_export(writer, queries.channel(writer, publication.id, channel_id), found, today=now().date())
    except Refused as error:
        return _show(publication, queries.channel(session(), publication.id, channel_id), 422, {"file": speech().refusal(error)})
    said = mark("%(n)s people were counted in the file. Their names were not kept.") if found.people else mark("%(n)s days were taken over from the file.")
    number = found.points[-1][1] if found.people else days
    return see_other(url_for("channels.show", slug=publication.slug, channel_id=channel_id), said, n=speech().number(number))


@views.post("/admin/<slug>/channels/<int:channel_id>/links")
@role("editor")
def add_link(publication: Publication, channel_id: int) -> Reply:
    label = request.form.get("label", "")
    return _do(publication, channel_id, lambda writer, row: actions.add_link(writer, channel_id=row.id, label=label or row.name, now=now()))


def _do(publication: Publication, channel_id: int, deed: Callable[[Session, Channel], object]) -> Reply:
    """Do something with a channel and show it again; a refusal stands beside its field."""
    try:
        with writing() as writer:
            deed(writer, queries.channel(writer, publication.id, channel_id))
    except Refused as error:
        return _show(publication, queries.channel(session(), publication.id, channel_id), 422, {error.field or "name": speech().refusal(error)})
    return see_other(url_for("channels.show", slug=publication.slug, channel_id=channel_id), mark("Saved."))


@views.get("/admin/<slug>/links/<int:link_id>/qr.<any(svg, png):drawing>")
@role("viewer")
def code(publication: Publication, link_id: int, drawing: str) -> Reply:
    """The QR code, in a size for paper."""
    _, link = queries.link(session(), publication.id, link_id)
    size = SIZES.get(request.args.get("size", ""), SIZES["flyer"])
    drawn = Code(links().short(link.code))
    body, mimetype = (drawn.svg(size), "image/svg+xml") if drawing == "svg" else (drawn.png(size), "image/png")
    response = Response(body, mimetype=mimetype)
    if "download" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{get(session(), publication.id).slug}-{link.code}.{drawing}"'
    return response
