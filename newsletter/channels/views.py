"""Short addresses: /l/<code> for everybody, their list for editors."""

from flask import Blueprint, abort, redirect, request, url_for

from newsletter.accounts.access import role
from newsletter.channels import actions, queries
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, open_to_all, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.publications.models import Publication

views = Blueprint("channels", __name__)


@views.get("/l/<code>")
@open_to_all
def follow(code: str) -> Reply:
    """To the sign-up page. The code travels in the address, not in a cookie."""
    publication = queries.target(session(), code[:40])
    if publication is None:
        abort(404)
    return redirect(url_for("subscriptions.sign_up", slug=publication.slug, via=code), 302)  # type: ignore[return-value]


@views.get("/admin/<slug>/links")
@role("viewer")
def show(publication: Publication, status: int = 200, error: str = "") -> Reply:
    rows = queries.links_of(session(), publication.id)
    return page("channels/links.html", status, rows=rows, links=links(), error=error)


@views.post("/admin/<slug>/links")
@role("editor")
def add(publication: Publication) -> Reply:
    name = request.form.get("name", "")
    try:
        with writing() as writer:
            channel_id = actions.add_channel(writer, publication_id=publication.id, name=name, ownership=request.form.get("ownership", ""))
            actions.add_link(writer, channel_id=channel_id, label=name, now=now())
    except Refused as error:
        rows = queries.links_of(session(), publication.id)
        return page("channels/links.html", 422, rows=rows, links=links(), error=speech().refusal(error))
    return see_other(url_for("channels.show", slug=publication.slug), mark("“%(name)s” has its own link now."), name=name.strip())
