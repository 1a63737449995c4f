"""What came back, where it comes in, and the addresses that providers call."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, request, url_for

from newsletter.accounts.access import role
from newsletter.bounces import queries as bounces
from newsletter.bounces.models import KINDS
from newsletter.broker import ring
from newsletter.errors import BrieftaubeError, Conflict, NotFound, Refused
from newsletter.http import Reply, links, now, open_to_all, page, process, see_other, session, speech, takes, without_csrf, writing
from newsletter.i18n import mark
from newsletter.inbound import actions, hooks, queries
from newsletter.inbound.actors import read_mailbox, understand_arrival
from newsletter.inbound.hooks import NAMES, Call
from newsletter.inbound.mailbox import Access, forget, put
from newsletter.inbound.policy import LARGEST_EVENT
from newsletter.inbound.signatures import Forged
from newsletter.publications.models import Publication

views = Blueprint("returns", __name__)

MONTH = timedelta(days=30)


@views.get("/admin/<slug>/returns")
@role("editor")
def index(publication: Publication) -> Reply:
    kind = request.args.get("kind", "")
    before = request.args.get("before", "0")
    if (kind and kind not in KINDS) or not before.isdigit():
        abort(404)
    since = now() - MONTH
    rows = bounces.rows(session(), publication.id, kind=kind, before=int(before))
    return page(
        "inbound/index.html", rows=rows, kind=kind, totals=bounces.totals(session(), publication.id, since),
        gone=bounces.gone(session(), publication.id, since), houses=bounces.houses(session(), publication.id, since),
        aside=queries.unsettled(session(), publication.id), sorted_out=queries.sorted_out(session(), publication.id, since),
    )  # fmt: skip


@views.get("/admin/<slug>/returns/arrivals/<int:arrival_id>")
@role("editor")
def arrival(publication: Publication, arrival_id: int) -> Reply:
    """The mail as it came, as text that nothing is done with."""
    row = queries.arrival(session(), publication.id, arrival_id)
    raw = queries.raw_of(session(), row.id)
    if raw is None:
        raise NotFound(mark("This mail is not there any more."))
    response = Response(raw.decode("utf-8", "replace"), mimetype="text/plain")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@views.post("/admin/<slug>/returns/arrivals/<int:arrival_id>/<any(again, gone):then>")
@role("editor")
def decide(publication: Publication, arrival_id: int, then: str) -> Reply:
    """Look at it once more, or throw it away."""
    try:
        with writing() as writer:
            row = queries.arrival(writer, publication.id, arrival_id)
            if then == "again":
                actions.again(writer, row.id, now=now())
            else:
                actions.throw_away(writer, row.id)
    except Conflict as error:
        return see_other(url_for("returns.index", slug=publication.slug), speech().refusal(error))
    if then == "again":
        ring(understand_arrival, arrival_id)
    return see_other(url_for("returns.index", slug=publication.slug, _anchor="aside"))


@views.get("/admin/<slug>/returns/doors")
@role("owner")
def doors(publication: Publication) -> Reply:
    return _doors(publication)


def _doors(publication: Publication, status: int = 200, errors: dict[str, str] | None = None, values: dict[str, Any] | None = None) -> Response:
    settings, tokens = process().settings, process().tokens
    mailbox = queries.mailbox_of(session(), publication.id)
    known = {name: getattr(mailbox, name) for name in ("host", "port", "security", "username", "folder")} if mailbox else {}
    called = [(row, hooks.address_of(tokens, links().base, row)) for row in queries.hooks_of(session(), publication.id)]
    return page(
        "inbound/doors.html", status, mailbox=mailbox, values=values or known, errors=errors or {}, hooks=called, names=NAMES,
        inbound=settings.inbound, domain=settings.bounce_domain,
    )  # fmt: skip


@views.post("/admin/<slug>/returns/doors/mailbox")
@role("owner")
def mailbox(publication: Publication) -> Reply:
    """Read this mailbox from now on, or no more."""
    form = request.form
    if form.get("forget"):
        with writing() as writer:
            forget(writer, publication.id)
        return see_other(url_for("returns.doors", slug=publication.slug), mark("The mailbox is not read any more."))
    port = int(form.get("port", "")) if form.get("port", "").isdigit() else 0
    access = Access(
        form.get("host", "").strip(),
        port,
        form.get("security", ""),
        form.get("username", "").strip(),
        form.get("password", ""),
        form.get("folder", "").strip() or "INBOX",
    )
    try:
        with writing() as writer:
            row = put(writer, process().tokens, publication.id, access, now=now())
    except Refused as error:
        return _doors(publication, 422, {error.field or "host": speech().refusal(error)}, dict(form))
    ring(read_mailbox, row.id)
    return see_other(url_for("returns.doors", slug=publication.slug), mark("Saved. The first look is on its way; what lies there already stays as it is."))


@views.post("/admin/<slug>/returns/doors/hooks")
@role("owner")
def add_hook(publication: Publication) -> Reply:
    try:
        with writing() as writer:
            hooks.add(
                writer, process().tokens, publication_id=publication.id, provider=request.form.get("provider", ""), key=request.form.get("key", ""), now=now()
            )
    except Refused as error:
        return _doors(publication, 422, {error.field or "provider": speech().refusal(error)})
    return see_other(url_for("returns.doors", slug=publication.slug, _anchor="hooks"), mark("Made. Enter the address at the provider."))


@views.post("/admin/<slug>/returns/doors/hooks/<int:hook_id>/delete")
@role("owner")
def drop_hook(publication: Publication, hook_id: int) -> Reply:
    with writing() as writer:
        writer.delete(queries.hook(writer, publication.id, hook_id))
    return see_other(url_for("returns.doors", slug=publication.slug, _anchor="hooks"), mark("This address is dead now."))


@views.post("/hooks/<provider>/<secret>")
@open_to_all
@without_csrf
@takes(LARGEST_EVENT)
def called(provider: str, secret: str) -> Reply:
    """A provider calls. Stored, it is answered; what it means is found out afterwards."""
    try:
        number = hooks.take(process(), Call(provider, secret[:200], request.get_data(cache=False), dict(request.headers)))
    except NotFound:
        abort(404)
    except Forged as error:
        return Response(f"{error}\n", 403, mimetype="text/plain")
    except BrieftaubeError as error:
        return Response(f"{error}\n", 503, mimetype="text/plain")
    if number is not None:
        ring(understand_arrival, number)
    return Response("kept\n", mimetype="text/plain")
