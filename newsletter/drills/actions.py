"""Beginning a drill, doing it dry or for real, and laying down its protocol."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.announcements import actions as announcements
from newsletter.channels.models import Channel, Goal
from newsletter.channels.queries import figures, is_at_home, names
from newsletter.deliveries.queries import pace
from newsletter.drills import policy, queries
from newsletter.drills.models import Drill
from newsletter.errors import Conflict
from newsletter.i18n import Speech, mark
from newsletter.issues.actions import add_issue
from newsletter.links import Links
from newsletter.notices.actions import tell_owners
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.radar.queries import measure
from newsletter.segments.actions import save
from newsletter.segments.models import Segment
from newsletter.sms.queries import reachable


def everything(language: str) -> str:
    """What all closed platforms together are called."""
    return Speech(language)(mark("All closed platforms"))


def begin(session: Session, links: Links, *, publication: Publication, target: str, span: str, editor_id: int, who: str, now: datetime) -> int:
    """Begin a drill: today's figures are laid down, an emergency issue and posts are prepared. Nothing leaves. Gives back its id.

    Raises:
        Refused: target or span is none. Conflict: one is open already.
    """
    if queries.open_one(session, publication.id) is not None:
        raise Conflict(mark("A drill is open already. Finish it first."))
    channels = list(names(session, publication.id).values())
    gone = policy.target(policy.targets(channels, everything(publication.language)), target)
    found = policy.outcome(measure(session, publication, now), gone, span, texts=reachable(session, publication.id), a_second=pace(session, publication.id))
    facts = facts_of(links, publication, channels, gone, span)
    subject, preheader, text = policy.letter(facts)
    issue_id = add_issue(session, publication_id=publication.id, author_id=editor_id, subject=subject, preheader=preheader, markdown=text, now=now)
    drill = Drill(
        publication_id=publication.id, target=gone.key, name=gone.name[:160], span=span, editor_id=editor_id, issue_id=issue_id, outcome=found,
        events=[], begun_at=now,
    )  # fmt: skip
    session.add(drill)
    session.flush()
    prepared = announcements.prepare_emergency(
        session, links, publication, drill_id=drill.id, news=policy.news(facts), without=set(gone.channels), now=now
    )  # fmt: skip
    note(session, drill, "begun", now=now, who=who, posts=prepared)
    return drill.id


def facts_of(links: Links, publication: Publication, channels: list[Channel], gone: policy.Target, span: str) -> policy.Facts:
    """What the prepared texts say: which ways are left."""
    others = tuple((one.name, one.profile) for one in channels if one.profile and one.ended_at is None and one.id not in gone.channels)
    what = gone.name if gone.key != "closed" else everything(publication.language)
    # Several platforms of one house: their own names say more to readers than the company's.
    if gone.key.startswith("operator:"):
        what = Speech(publication.language).listing([one.name for one in channels if one.id in gone.channels])
    sender = publication.imprint_person or publication.from_name
    return policy.Facts(what, span, publication.language, publication.name, sender, archive_base(publication, links), links.sign_up(publication.slug), others)


def note(session: Session, drill: Drill, what: str, *, now: datetime, **values: Any) -> None:
    """Write a line of the protocol."""
    drill.events = [*drill.events, {"at": now.isoformat(), "what": what, **values}]
    session.flush()


def take_part(session: Session, drill: Drill, *, publication: Publication, now: datetime) -> int:
    """The readers who came by what has failed, as a segment: it is they who wait there."""
    channels = list(names(session, publication.id).values())
    gone = policy.target(policy.targets(channels, everything(publication.language)), drill.target)
    rules = [{"about": "channel", "how": "is", "value": str(number)} for number in gone.channels]
    name = Speech(publication.language)(mark("Came by %(name)s"), name=drill.name)[:60]
    known = session.scalar(select(Segment).where(Segment.publication_id == publication.id, Segment.name == name))
    return save(session, publication_id=publication.id, segment=known, name=name, every=False, rules=rules, now=now)


def finish(session: Session, drill: Drill, *, text: str, missing: list[str], now: datetime) -> None:
    """Lay down the protocol. An emergency issue that was not sent goes back into the drawer, as a draft.

    Args:
        text: what somebody wants to remember.
        missing: the names of ways that were not ready.

    Raises:
        Conflict: it is finished already.
    """
    if drill.state != "open":
        raise Conflict(mark("This drill is finished already."))
    drill.state, drill.closed_at, drill.note = "closed", now, text.strip()[:2000]
    note(session, drill, "finished", now=now, missing=missing)


def remind(session: Session, links: Links, *, now: datetime) -> int:
    """Tell owners once a quarter that no outage was rehearsed; give back how many mails were queued."""
    mails = 0
    for publication in session.scalars(select(Publication).where(Publication.state == "active", Publication.created_at <= now - policy.EVERY)):
        known = figures(session, publication.id)
        closed = [one for one in names(session, publication.id).values() if one.ownership == "closed" and one.ended_at is None and is_at_home(one, known)]
        goal = session.get(Goal, publication.id)
        done = queries.last(session, publication.id)
        told = goal.reminded_at if goal is not None else None
        if not closed or any(moment is not None and moment > now - policy.EVERY for moment in (done, told)):
            continue
        if goal is None:
            goal = Goal(publication_id=publication.id, alert=False)  # she has set herself no target yet
            session.add(goal)
        goal.reminded_at = now
        mails += tell_owners(session, publication, "drill", now=now, link=f"{links.reach(publication.slug)}/drills", never=done is None)
    session.flush()
    return mails
