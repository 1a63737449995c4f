"""The people of a publication, seen by editors: the list, the story of one person, and what is done to many at once."""

import json
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from newsletter.accounts.access import editor, may, role
from newsletter.bounces import queries as bounces
from newsletter.broker import ring
from newsletter.channels.queries import names
from newsletter.conversations import queries as conversations
from newsletter.deliveries.queries import history
from newsletter.errors import NotFound, Refused
from newsletter.forms.queries import fields_of
from newsletter.growth.queries import total
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.notices.actors import send_notice
from newsletter.people import actions, journal, queries
from newsletter.people.queries import Person
from newsletter.publications.models import Publication
from newsletter.segments.queries import all_of, fits
from newsletter.sms.policy import masked
from newsletter.sms.queries import phone_of
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions import queries as people
from newsletter.subscriptions.consents import intact

views = Blueprint("people", __name__)

STATES = ("active", "paused", "pending", "unsubscribed")


def wanted(publication: Publication) -> people.Wanted:
    """Whom the address of a page asks for."""
    state, segment = request.values.get("state", ""), request.values.get("segment", type=int)
    return people.Wanted(
        publication.id,
        state=state if state in STATES else "",
        text=request.values.get("q", "")[:100],
        channel_id=request.values.get("channel", type=int),
        tag_id=request.values.get("tag", type=int),
        fits=fits(session(), publication, segment, now()) if segment else None,
    )


@views.get("/admin/<slug>/subscribers/")
@role("viewer")
def index(publication: Publication) -> Reply:
    return _index(publication)


def _index(publication: Publication, status: int = 200, error: str = "") -> Response:
    asked = wanted(publication)
    # A list that was asked for something shows what it found; only the whole one says how many there are.
    whole = not (asked.text or asked.tag_id or asked.fits is not None)
    rows, after = people.page_of(session(), asked, before=request.args.get("before", type=int), after=request.args.get("after", "")[:254])
    stroke = queries.last_stroke(session(), publication.id)
    return page(
        "people/index.html", status, rows=rows, after=after,
        counts=people.counts(session(), publication.id) if whole else {}, asked=asked, error=error, whole=whole,
        segment=request.values.get("segment", type=int), channels=names(session(), publication.id), tags=people.tags_of(session(), publication.id),
        segments=all_of(session(), publication.id), sign_up_url=links().sign_up(publication.slug),
        month=_month(publication), stroke=stroke if stroke and request.args.get("done") == str(stroke.id) else None,
    )  # fmt: skip


def _month(publication: Publication) -> tuple[int, int]:
    since = now() - timedelta(days=30)
    return total(session(), publication.id, "joined", since), total(session(), publication.id, "left", since)


@views.post("/admin/<slug>/subscribers/act")
@role("editor")
def act(publication: Publication) -> Reply:
    """Do something to those who are marked, or to all whom the filter finds. It can be taken back."""
    try:
        ids = [int(one) for one in request.form.getlist("id") if one.isascii() and one.isdigit()]
        if request.form.get("all") == "yes":
            ids = people.ids_of(session(), wanted(publication), actions.MOST_AT_ONCE)
        if not ids:
            raise Refused(mark("Please mark somebody first."))
        how = f"taken out by {editor().email}"
        with writing() as writer:
            stroke = actions.strike(
                writer, publication, kind=request.form.get("kind", ""), ids=ids, tag=request.form.get("tag_name", ""), editor_id=editor().id, how=how, now=now()
            )
    except Refused as error:
        return _index(publication, 422, error=speech().refusal(error))
    back: dict[str, Any] = {name: request.form[name] for name in ("q", "state", "channel", "tag", "segment") if request.form.get(name)}
    return see_other(url_for("people.index", slug=publication.slug, done=stroke.id if stroke else None, **back), "" if stroke else mark("That changes nobody."))


@views.post("/admin/<slug>/subscribers/undo/<int:stroke_id>")
@role("editor")
def undo(publication: Publication, stroke_id: int) -> Reply:
    with writing() as writer:
        stroke = queries.stroke(writer, publication.id, stroke_id)
        number = actions.take_back(writer, stroke, how=f"taken back by {editor().email}", now=now())
    return see_other(url_for("people.index", slug=publication.slug), mark("Taken back for %(n)s people."), n=number)


def _person(publication: Publication, subscription_id: int, reader: Session | None = None) -> Person:
    one = queries.person(reader or session(), subscription_id)
    if one.publication.id != publication.id:
        raise NotFound(mark("Nobody is there under this address."))
    return one


@views.get("/admin/<slug>/subscribers/<int:subscription_id>")
@role("viewer")
def show(publication: Publication, subscription_id: int) -> Reply:
    one = _person(publication, subscription_id)
    consents = people.consents_of(session(), subscription_id)
    wordings = people.wordings_of(session(), consents)
    deliveries = history(session(), one.subscriber.id, publication.id)
    events: list[tuple[datetime, str, object]] = [(row.at, "consent", (row, wordings[row.wording_id])) for row in consents]
    events += [(delivery.changed_at, "delivery", (delivery, issue)) for delivery, _, issue in deliveries]
    events += [(one.subscription.answered_at, "answer", None)] if one.subscription.answered_at else []
    events += [(one.subscription.paused_at, "pause", None)] if one.subscription.paused_at else []
    events += [(row.at, "bounce", row) for row in bounces.of_person(session(), one.subscriber.id, publication.id)]
    events.sort(key=lambda event: event[0], reverse=True)
    ways = names(session(), publication.id)
    known = phone_of(session(), subscription_id)
    phone = known if known is not None and known.state == "active" else None
    return page(
        "people/show.html", one=one, events=events, deliveries=deliveries, intact=intact(consents, wordings), tags=people.tags_of(session(), publication.id),
        channel=ways.get(one.subscription.channel_id or 0), told=ways.get(one.subscription.heard_id or 0),
        texts=masked(phone.number) if phone else "", fields=fields_of(session(), publication.id),
        answers=json.loads(one.subscription.answers), talks=conversations.of_person(session(), publication.id, one.subscriber.id) if may("editor") else (),
        blocked=queries.suppression_of(session(), process().tokens, publication.id, one.subscriber.canonical),
    )  # fmt: skip


@views.post("/admin/<slug>/subscribers/<int:subscription_id>/<any(pause, resume, leave, answered, tags, key):deed>")
@role("editor")
def change(publication: Publication, subscription_id: int, deed: str) -> Reply:
    """What an editor may decide for somebody: less, never more. Only she herself can come back."""
    notice_id = None
    with writing() as writer:
        one = _person(publication, subscription_id, writer)
        match deed:
            case "pause":
                subscriptions.pause(writer, one.subscription, until=now() + actions.PAUSES["month"], now=now())
            case "resume":
                subscriptions.resume(writer, one.subscription)
            case "leave":
                subscriptions.end(writer, one.subscription, one.subscriber, how=f"taken out by {editor().email}", now=now())
            case "answered":
                subscriptions.wrote_back(writer, one.subscription, now=now())
            case "tags":
                wanted_tags = [tag for tag in request.form.get("tags", "").split(",") if tag.strip()]
                one.subscription.tags = subscriptions.with_tags("", [subscriptions.tag(writer, publication.id, tag) for tag in wanted_tags[:200]])
            case _:
                notice_id = actions.send_key(writer, process().tokens, links(), one, now=now())
    if notice_id:
        ring(send_notice, notice_id)
    return see_other(url_for("people.show", slug=publication.slug, subscription_id=subscription_id), mark("Saved."))


@views.get("/admin/<slug>/subscribers/<int:subscription_id>/proof")
@role("viewer")
def proof(publication: Publication, subscription_id: int) -> Reply:
    """The proof of a consent on one page, to print (L2)."""
    one = _person(publication, subscription_id)
    consents = people.consents_of(session(), subscription_id)
    wordings = people.wordings_of(session(), consents)
    sent = queries.notices_of(session(), [row.message_id for row in consents])
    return page("people/proof.html", one=one, consents=consents, wordings=wordings, sent=sent, intact=intact(consents, wordings), at=now())


@views.get("/admin/<slug>/subscribers/<int:subscription_id>/data.json")
@role("editor")
def data(publication: Publication, subscription_id: int) -> Reply:
    """Everything that is kept about somebody, the consents and their words among it."""
    one = _person(publication, subscription_id)
    found = queries.everything(session(), one)
    body = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    return Response(body, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{publication.slug}-{subscription_id}.json"'})


@views.get("/admin/<slug>/subscribers/<int:subscription_id>/erase")
@role("editor")
def erasing(publication: Publication, subscription_id: int) -> Reply:
    return page("people/erasing.html", one=_person(publication, subscription_id), years=process().settings.proof_years)


@views.post("/admin/<slug>/subscribers/<int:subscription_id>/erase")
@role("editor")
def erase(publication: Publication, subscription_id: int) -> Reply:
    """Forget somebody who asked for it (Art. 17 GDPR)."""
    with writing() as writer:
        one = _person(publication, subscription_id, writer)
        fingerprint = actions.erase(writer, process().tokens, one, years=process().settings.proof_years, now=now())
    journal.note(process(), publication.id, fingerprint)
    return see_other(url_for("people.index", slug=publication.slug), mark("Forgotten. Only a keyed hash stays, so that nobody signs her up again."))
