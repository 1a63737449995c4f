"""A link, its purpose and its landing page. They stand here because the archive follows them."""

from datetime import timedelta

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import role
from newsletter.archive.actions import request_build
from newsletter.archive.actors import build_archive
from newsletter.broker import ring
from newsletter.channels import actions, queries
from newsletter.channels.codes import SIZES
from newsletter.channels.models import Channel, Link
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.publications.models import Publication

views = Blueprint("landings", __name__)


@views.get("/admin/<slug>/links/<int:link_id>")
@role("viewer")
def show(publication: Publication, link_id: int) -> Reply:
    return _show(publication, *queries.link(session(), publication.id, link_id))


def _show(publication: Publication, channel: Channel, link: Link, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    lead = queries.lead(session(), links(), link.code)
    return page(
        "channels/link.html", status, channel=channel, link=link, links=links(), lead=lead.address if lead else "", sizes=SIZES, errors=errors or {},
        visits={days: queries.visits_by_link(session(), [link.id], (now() - timedelta(days=days)).date()) for days in (30, 365)}, typed=request.form,
    )  # fmt: skip


@views.post("/admin/<slug>/links/<int:link_id>")
@role("editor")
def change(publication: Publication, link_id: int) -> Reply:
    """Its purpose and its landing page; or deleting it."""
    form = request.form
    try:
        with writing() as writer:
            channel, link = queries.link(writer, publication.id, link_id)
            was = link.landing
            if "delete" in form:
                actions.end_link(writer, link, now=now())
            else:
                entries = zip(form.getlist("entry-label"), form.getlist("entry-url"), strict=False)
                actions.change_link(
                    writer, link, label=form.get("label", ""), landing="landing" in form, headline=form.get("headline", ""), lead=form.get("lead", ""),
                    entries=entries,
                )  # fmt: skip
            build_id = request_build(writer, publication_id=publication.id, now=now()) if link.landing or was else None
    except Refused as error:
        return _show(publication, *queries.link(session(), publication.id, link_id), 422, {error.field or "label": speech().refusal(error)})
    if build_id:
        ring(build_archive, build_id)
    if "delete" in form:
        said = mark("The link was deleted. Where it is printed, it leads on to your sign-up page.")
        return see_other(url_for("channels.show", slug=publication.slug, channel_id=channel.id), said)
    return see_other(url_for("landings.show", slug=publication.slug, link_id=link_id), mark("Saved."))
