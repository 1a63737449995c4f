"""What keeps machines out, and who must not be written to: two pages for editors."""

from datetime import timedelta

from flask import Blueprint, request, url_for

from newsletter.accounts.access import role
from newsletter.broker import ring
from newsletter.channels.queries import names
from newsletter.errors import Refused
from newsletter.growth.queries import UNITS, Stretch, by_channel, course, total, usual_in_ten_minutes
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.notices.actors import send_notice
from newsletter.people import queries
from newsletter.publications.models import Publication
from newsletter.shield import queries as shield
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.queries import counts

views = Blueprint("guard", __name__)


@views.get("/admin/<slug>/shield")
@role("editor")
def show(publication: Publication) -> Reply:
    rows = shield.waiting(session(), publication.id, request.args.get("before", type=int))
    month = now() - timedelta(days=30)
    return page(
        "people/shield.html", rows=rows[: shield.PAGE], more=len(rows) > shield.PAGE, waiting=shield.number_waiting(session(), publication.id),
        kept_off={kind: total(session(), publication.id, kind, month) for kind in ("machine", "held", "scanner", "asked")},
        usual=usual_in_ten_minutes(session(), publication.id, now()), settings=process().settings,
    )  # fmt: skip


@views.post("/admin/<slug>/shield/<int:held_id>/<any(release, drop):verdict>")
@role("editor")
def decide(publication: Publication, held_id: int, verdict: str) -> Reply:
    """A person stands behind it, or not."""
    notice_id = None
    with writing() as writer:
        held = shield.get(writer, publication.id, held_id)
        if verdict == "release":
            notice_id = subscriptions.release(writer, process().tokens, links(), held, publication=publication, now=now())
        else:
            writer.delete(held)
    if notice_id:
        ring(send_notice, notice_id)
    said = mark("She gets her mail now.") if verdict == "release" else mark("Deleted.")
    return see_other(url_for("guard.show", slug=publication.slug), said)


@views.post("/admin/<slug>/shield/empty")
@role("editor")
def empty(publication: Publication) -> Reply:
    with writing() as writer:
        queries.empty_quarantine(writer, publication.id)
    return see_other(url_for("guard.show", slug=publication.slug), mark("The quarantine is empty."))


@views.get("/admin/<slug>/suppressions")
@role("editor")
def suppressions(publication: Publication) -> Reply:
    return _suppressions(publication)


def _suppressions(publication: Publication, status: int = 200, error: str = "", email: str = "", found: object = None, looked: bool = False) -> Reply:
    reasons = queries.suppression_reasons(session(), publication.id)
    return page("people/suppressions.html", status, reasons=reasons, error=error, email=email, found=found, looked=looked)


@views.post("/admin/<slug>/suppressions")
@role("editor")
def suppress(publication: Publication) -> Reply:
    """Look an address up, or never write to it again. Only a fresh double opt-in lifts that (B7)."""
    typed = request.form.get("email", "")
    try:
        address = parse(typed)
        if request.form.get("deed") == "add":
            with writing() as writer:
                subscriptions.suppress(writer, process().tokens, canonical=address.canonical, reason="by hand", publication_id=publication.id, now=now())
    except Refused as error:
        return _suppressions(publication, 422, error=speech().refusal(error), email=typed[:254])
    found = queries.suppression_of(session(), process().tokens, publication.id, address.canonical)
    return _suppressions(publication, email=address.text, found=found, looked=True)


def _from_the_beginning(rows: list[Stretch]) -> list[Stretch]:
    """Without the time before there was anybody, but never less than twelve stretches."""
    first = next((index for index, row in enumerate(rows) if row.joined or row.left), 0)
    return rows[min(first, len(rows) - 12) :]


@views.get("/admin/<slug>/growth")
@role("viewer")
def growth(publication: Publication) -> Reply:
    unit = request.args.get("unit", "month")
    unit = unit if unit in UNITS else "month"
    channel = request.args.get("channel", type=int)
    rows = _from_the_beginning(course(session(), publication.id, unit, now(), channel))
    year = now() - timedelta(days=365)
    joined, left = by_channel(session(), publication.id, "joined", year), by_channel(session(), publication.id, "left", year)
    channels = names(session(), publication.id)
    ways = sorted(((channels.get(one), number, left.get(one, 0)) for one, number in joined.items() if number > 0), key=lambda way: -way[1])
    return page(
        "people/growth.html", rows=rows, unit=unit, channel=channel, channels=channels, ways=ways, most=max(max(row.joined, row.left) for row in rows),
        gone=total(session(), publication.id, "left", now() - timedelta(days=30)),
        active=counts(session(), publication.id)["active"], joined=sum(row.joined for row in rows), left=sum(row.left for row in rows),
    )  # fmt: skip
