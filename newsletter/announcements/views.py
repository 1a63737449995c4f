"""Announcements and the accounts they go out by, for editors."""

from flask import Blueprint, Response, abort, request, url_for

from newsletter.accounts.access import role
from newsletter.announcements import actions, bluesky, mastodon, outlets, policy, queries
from newsletter.announcements.actors import send_announcement
from newsletter.announcements.models import Outlet
from newsletter.announcements.sending import picture
from newsletter.broker import ring
from newsletter.channels.catalogue import usual
from newsletter.channels.queries import channel as channel_of
from newsletter.channels.queries import figures, is_at_home, names
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues.queries import get as issue_of
from newsletter.publications.models import Publication

views = Blueprint("announcements", __name__)


@views.get("/admin/<slug>/reach/announcements")
@role("viewer")
def index(publication: Publication) -> Reply:
    return _index(publication)


def _index(publication: Publication, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    channels = [one for one in names(session(), publication.id).values() if one.ended_at is None]
    rows, known = queries.latest(session(), publication.id), figures(session(), publication.id)
    facts = queries.outlets(session(), publication.id)
    lengths = {row.announcement.id: length(row, facts.get(row.channel.id)) for row in rows}
    return page(
        "announcements/index.html", status, rows=rows, outlets=facts, lengths=lengths, links=links(), errors=errors or {}, typed=request.form,
        usual=usual, places=[one for one in channels if usual(one.kind).post in ("mastodon", "bluesky")],
        by_hand=[one for one in channels if usual(one.kind).post == "hand" and is_at_home(one, known)],
        unused=[one for one in channels if usual(one.kind).post == "hand" and not is_at_home(one, known)],
    )  # fmt: skip


def length(row: queries.Row, outlet: Outlet | None) -> tuple[int, int]:
    """How long a post is, as its place counts, and how long it may be there."""
    address = links().short(row.link.code) if row.link else ""
    return policy.measured(row.channel.kind, row.announcement.text, address, outlet.facts if outlet else None)


@views.post("/admin/<slug>/reach/announcements/<int:announcement_id>/<any(release, cancel, done, undone, text):verb>")
@role("editor")
def decide(publication: Publication, announcement_id: int, verb: str) -> Reply:
    """Let it go, cancel it, say that it was posted by hand, or write another text."""
    try:
        with writing() as writer:
            row = queries.get(writer, publication.id, announcement_id)
            if verb == "text":
                actions.change_text(writer, row, request.form.get("text", ""))
            elif verb == "release":
                actions.release(writer, row, now=now())
            elif verb == "cancel":
                actions.cancel(writer, row, now=now())
            else:
                actions.settle_by_hand(writer, row, done=verb == "done", now=now())
            drill_id = row.drill_id
    except Refused as error:
        return _index(publication, 409, {"text": speech().refusal(error)})
    if verb == "release":
        ring(send_announcement, announcement_id)
    if drill_id:
        return see_other(url_for("drills.show", slug=publication.slug, drill_id=drill_id), mark("Saved."))
    return see_other(url_for("announcements.index", slug=publication.slug), mark("Saved."))


@views.post("/admin/<slug>/reach/outlets/<int:channel_id>")
@role("owner")
def connect(publication: Publication, channel_id: int) -> Reply:
    """Try an account, and keep it if it works."""
    channel = channel_of(session(), publication.id, channel_id)
    kind = usual(channel.kind).post
    form = request.form
    secret = form.get("secret", "").strip()
    try:
        if kind not in ("mastodon", "bluesky"):
            raise Refused(mark("Nothing can be posted there by a program."), field="server")
        if not secret or len(secret) > 500:
            raise Refused(mark("Without its key nothing can be posted there."), field="secret")
        server = outlets.server_of(form.get("server", ""), kind)
        if kind == "mastodon":
            handle, facts = mastodon.connect(process().web, server, secret)
        else:
            handle, facts = bluesky.connect(process().web, server, form.get("handle", "").strip().lstrip("@"), secret)
        with writing() as writer:
            row = channel_of(writer, publication.id, channel_id)
            outlets.connect(
                writer, process().tokens, channel=row, kind=kind, server=server, handle=handle, secret=secret, facts=facts, automatic="automatic" in form,
                now=now(),
            )  # fmt: skip
    except Refused as error:
        return _index(publication, 422, {f"{error.field or 'server'}-{channel_id}": speech().refusal(error)})
    except (policy.Later, policy.Rejected) as error:
        said = speech()("The server said: %(why)s", why=speech().reason(str(error)))
        return _index(publication, 422, {f"secret-{channel_id}": said})
    return see_other(url_for("announcements.index", slug=publication.slug), mark("%(handle)s is connected."), handle=handle)


@views.post("/admin/<slug>/reach/outlets/<int:channel_id>/<any(end, manner):turn>")
@role("owner")
def change_outlet(publication: Publication, channel_id: int, turn: str) -> Reply:
    """Disconnect it, or choose whether posts leave by themselves."""
    with writing() as writer:
        row = queries.outlet(writer, publication.id, channel_id)
        if turn == "end":
            outlets.disconnect(writer, row)
        else:
            row.automatic = "automatic" in request.form
    return see_other(url_for("announcements.index", slug=publication.slug), mark("Saved."))


@views.get("/admin/<slug>/reach/announcements/<int:announcement_id>/picture")
@role("viewer")
def image(publication: Publication, announcement_id: int) -> Reply:
    """The picture of a post, to take along to where it is posted by hand."""
    row = queries.get(session(), publication.id, announcement_id)
    data = picture(process(), publication, issue_of(session(), publication.id, row.issue_id) if row.issue_id else None, row.image)
    if not data:
        abort(404)
    return Response(data, mimetype="image/png" if data.startswith(b"\x89PNG") else "image/jpeg", headers={"Content-Disposition": "attachment"})
