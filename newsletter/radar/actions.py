"""Watching: whoever answers for a publication is told when the dependence rises."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.accounts.queries import owners_of
from newsletter.channels.models import Goal
from newsletter.i18n import Speech
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.notices.actions import queue
from newsletter.publications.models import Publication
from newsletter.radar.queries import measure
from newsletter.radar.words import alarm

AT_MOST_EVERY = timedelta(days=30)


def watch(session: Session, links: Links, *, now: datetime) -> int:
    """Look at every publication that has set itself a target; give back how many mails were queued."""
    mails = 0
    for goal in session.scalars(select(Goal).where(Goal.alert.is_(True))).all():
        if goal.alerted_at is not None and goal.alerted_at > now - AT_MOST_EVERY:
            continue
        publication = session.get_one(Publication, goal.publication_id)
        said = alarm(measure(session, publication, now).trend, goal.percent, goal.until)
        if said is None:
            continue
        goal.alerted_at = now
        for owner in owners_of(session, publication.id):
            sentence = Speech(owner.language)(said.text, **said.values)
            queue(
                session, publication=publication, kind="dependence", recipient=parse(owner.email), form_host="", now=now, language=owner.language,
                sentence=sentence, link=links.reach(publication.slug),
            )  # fmt: skip
            mails += 1
    session.flush()
    return mails
