"""The people of a publication, seen by editors: the list, and the story of one person.

It stands here because a story is told by the ledger as well as by consents.
"""

from datetime import datetime

from flask import Blueprint, request

from newsletter.accounts.access import role
from newsletter.channels.queries import names
from newsletter.deliveries.queries import history
from newsletter.http import Reply, links, page, session
from newsletter.publications.models import Publication
from newsletter.subscriptions import queries
from newsletter.subscriptions.consents import intact

views = Blueprint("people", __name__)

STATES = ("active", "paused", "pending", "unsubscribed")


@views.get("/admin/<slug>/subscribers/")
@role("viewer")
def index(publication: Publication) -> Reply:
    state = request.args.get("state", "")
    text, channel = request.args.get("q", "")[:100], request.args.get("channel", type=int)
    rows = queries.page_of(
        session(), publication.id, state=state if state in STATES else "", text=text, channel_id=channel, before=request.args.get("before", type=int)
    )
    return page(
        "subscriptions/people.html",
        rows=rows[: queries.PAGE],
        more=len(rows) > queries.PAGE,
        counts=queries.counts(session(), publication.id),
        state=state,
        text=text,
        channel=channel,
        channels=names(session(), publication.id),
        sign_up_url=links().sign_up(publication.slug),
    )


@views.get("/admin/<slug>/subscribers/<int:subscription_id>")
@role("viewer")
def show(publication: Publication, subscription_id: int) -> Reply:
    reader = queries.reader(session(), publication.id, subscription_id)
    consents = queries.consents_of(session(), subscription_id)
    deliveries = history(session(), reader.subscriber.id, publication.id)
    events: list[tuple[datetime, str, object]] = [(row.at, "consent", row) for row in consents]
    events += [(delivery.changed_at, "delivery", (delivery, issue)) for delivery, _, issue in deliveries]
    events.sort(key=lambda event: event[0], reverse=True)
    return page("subscriptions/person.html", reader=reader, events=events, deliveries=deliveries, intact=intact(consents))
