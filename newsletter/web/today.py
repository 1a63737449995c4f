"""Today: what happened, and what is next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, url_for

from newsletter.accounts.access import may, role
from newsletter.announcements.queries import waiting as posts_waiting
from newsletter.archive.queries import latest as latest_build
from newsletter.channels.models import Channel
from newsletter.channels.queries import names
from newsletter.conversations import queries as conversations
from newsletter.deliveries import tide
from newsletter.deliveries.queries import counts, latest
from newsletter.growth.queries import by_channel, total
from newsletter.http import Reply, links, now, page, process, see_other, session
from newsletter.i18n import mark
from newsletter.issues.queries import drafts, next_number
from newsletter.notices.queries import failed
from newsletter.publications.models import Publication
from newsletter.subscriptions import queries as people
from newsletter.transports.queries import in_use

views = Blueprint("today", __name__)


@views.post("/admin/<slug>/thaw")
@role("owner")
def thaw(publication: Publication) -> Reply:
    """After an older copy of the database was put back: a person has looked (P9)."""
    tide.confirm(process())
    return see_other(url_for("today.show", slug=publication.slug), mark("Letters leave again."))


@dataclass(frozen=True)
class Step:
    """One thing of the first days, done or not."""

    done: bool
    kind: str


@views.get("/admin/<slug>/")
@role("viewer")
def show(publication: Publication) -> Reply:
    month_ago = now() - timedelta(days=30)
    last = latest(session(), publication.id)
    mailing, issue = last or (None, None)
    readers = people.counts(session(), publication.id)
    waiting = drafts(session(), publication.id)
    arrivals = _arrivals(publication, month_ago)
    return page(
        "today/show.html",
        now=now(),
        mailing=mailing,
        issue=issue,
        counts=counts(session(), mailing.id) if mailing else {},
        readers=readers,
        scheduled=next((one for one in waiting if one.state == "scheduled"), None),
        missed=next((one for one in waiting if one.state == "draft" and one.scheduled_at), None),
        draft=next((one for one in waiting if one.state == "draft"), None),
        number=next_number(session(), publication.id),
        arrivals=arrivals,
        arrived=sum(count for _, count in arrivals),
        departed=total(session(), publication.id, "left", month_ago),
        failed=failed(session(), publication.id, month_ago),
        posts=posts_waiting(session(), publication.id),
        build=latest_build(session(), publication.id),
        answers=conversations.waiting(session(), publication.id) if may("editor") else None,
        catcher=in_use(session(), process().settings, process().tokens).is_catcher,
        links=links(),
        undo=process().settings.undo_seconds,
        steps=_steps(readers, waiting, mailing is not None),
    )


def _arrivals(publication: Publication, since: datetime) -> list[tuple[Channel | None, int]]:
    """Who confirmed since then, by channel, most first."""
    channels = names(session(), publication.id)
    found = by_channel(session(), publication.id, "joined", since)
    return sorted(((channels.get(channel_id), number) for channel_id, number in found.items() if number > 0), key=lambda row: -row[1])


def _steps(readers: dict[str, int], waiting: Sequence[object], sent: bool) -> list[Step]:
    return [Step(readers["active"] > 0, "subscribe"), Step(bool(waiting) or sent, "write"), Step(sent, "send")]
