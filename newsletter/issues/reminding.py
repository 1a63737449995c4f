"""A gentle mail to those who write, two days before a promised letter, when nothing is planned."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.accounts.queries import who_may
from newsletter.i18n import Speech
from newsletter.issues import queries
from newsletter.links import Links
from newsletter.notices.actions import tell
from newsletter.publications import rhythm
from newsletter.publications.models import Publication

AHEAD = timedelta(days=2)


def remind(session: Session, links: Links, *, now: datetime) -> int:
    """Write the reminders that are due, each once; give back for how many publications."""
    found = 0
    query = select(Publication).where(Publication.state == "active", Publication.cadence != "", Publication.cadence_from.is_not(None))
    for publication in session.scalars(query).all():
        zone = ZoneInfo(publication.timezone)
        today = now.astimezone(zone).date()
        due = rhythm.next_due(publication.cadence, publication.cadence_from, queries.days_with_letters(session, publication.id, zone, now), today)
        if due is None or not today <= due <= today + AHEAD or publication.reminded_for == due:
            continue
        day = Speech(publication.language, publication.timezone).day(due)
        ideas = [" ".join(idea.words.split())[:120] for idea in queries.ideas(session, publication.id)[:3]]
        tell(session, publication, "rhythm", who_may(session, publication.id, "author"), now=now, day=day, ideas=ideas, link=links.calendar(publication.slug))
        publication.reminded_for = due
        found += 1
    session.flush()
    return found
