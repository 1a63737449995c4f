"""The monthly digest, for those who want everything at once: made of the month's letters, and sent like any other mailing."""

import logging
import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.deliveries import actions
from newsletter.deliveries.preflight import refuse_sender
from newsletter.errors import Refused
from newsletter.i18n import Speech
from newsletter.issues.actions import add_issue
from newsletter.issues.composition import web_address
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.media.queries import pictures
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.rendering.document import make_document
from newsletter.rendering.text import to_text
from newsletter.subscriptions.models import IS_MONTHLY, Subscription

log = logging.getLogger(__name__)

HOUR = 9
EXCERPT = 280
LATE = timedelta(days=5)


def last_friday(year: int, month: int) -> date:
    """The day of the digest."""
    end = date(year, month, monthrange(year, month)[1])
    return end - timedelta(days=(end.weekday() - 4) % 7)


def moment_of(publication: Publication, year: int, month: int) -> datetime:
    """When the digest of a month leaves: on its last Friday at nine, where the publication lives."""
    day = last_friday(year, month)
    return datetime(day.year, day.month, day.day, HOUR, tzinfo=ZoneInfo(publication.timezone))


def due(session: Session, now: datetime) -> list[int]:
    """Publications whose digest should leave now: its hour has come, somebody wants it, and it was not made yet."""
    found = []
    # Asked after every commit; the index has nobody but those who want it so.
    wanted = select(Subscription.publication_id).where(IS_MONTHLY, Subscription.state == "active").distinct()
    if last_friday_may_be(now):
        for publication in session.scalars(select(Publication).where(Publication.id.in_(wanted), Publication.state == "active")):
            here = now.astimezone(ZoneInfo(publication.timezone))
            moment = moment_of(publication, here.year, here.month)
            if moment <= now < moment + LATE and not _made(session, publication.id, slug_of(moment)) and _letters(session, publication, moment):
                found.append(publication.id)
    return found


def last_friday_may_be(now: datetime) -> bool:
    """Whether it is late enough in the month to look: a last Friday is the 22nd at the earliest, and in the east it begins a day before ours."""
    return now.day >= 21


def slug_of(moment: datetime) -> str:
    """What makes a digest the only one of its month."""
    return f"digest-{moment:%Y-%m}"


def _made(session: Session, publication_id: int, slug: str) -> bool:
    return session.scalar(select(Issue.id).where(Issue.publication_id == publication_id, Issue.slug == slug)) is not None


def _letters(session: Session, publication: Publication, moment: datetime) -> Sequence[Issue]:
    """What went out since the last digest, oldest first; without one, in the last month."""
    here = Issue.publication_id == publication.id, Issue.state == "published"
    last = session.scalar(select(func.max(Issue.published_at)).where(*here, Issue.kind == "digest"))
    since = last or moment - timedelta(days=31)
    query = select(Issue).where(*here, Issue.kind == "letter", Issue.published_at > since, Issue.published_at <= moment, Issue.segment_id.is_(None))
    return session.scalars(query.order_by(Issue.published_at)).all()


def make(process: Process, publication_id: int) -> int | None:
    """Write the digest and start its mailing; gives back the mailing. Several workers may try, one makes it."""
    now = process.clock()
    try:
        with process.reading() as session:
            refuse_sender(process, session, session.get_one(Publication, publication_id))
        with process.writing() as session:
            publication = session.get_one(Publication, publication_id, with_for_update=True)
            here = now.astimezone(ZoneInfo(publication.timezone))
            moment = moment_of(publication, here.year, here.month)
            letters = _letters(session, publication, moment)
            if not letters or _made(session, publication.id, slug_of(moment)):
                return None
            issue_id = _write(session, process.links, publication, letters, moment, now)
            return actions.start(session, process.links, publication=publication, issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=now)
    except Refused as error:
        log.warning("the digest of publication %s could not be sent: %s", publication_id, error)
        return None


def _write(session: Session, links: Links, publication: Publication, letters: Sequence[Issue], moment: datetime, now: datetime) -> int:
    speech = Speech(publication.language, publication.timezone)
    month = speech.month(moment)
    parts = ["{{ greeting }},", speech.plural("here is the letter of this month.", "here are the %(n)s letters of this month.", len(letters))]
    for issue in letters:
        day = speech.day(issue.published_at) if issue.published_at else ""
        parts += [f"## {issue.subject}", f"*{speech('No. %(number)s · %(date)s', number=issue.number, date=day)}*", excerpt(session, publication, issue)]
        parts.append(f"[{speech('Read the whole letter')}]({web_address(publication, issue, links)})")
    issue_id = add_issue(
        session, publication_id=publication.id, subject=speech("%(name)s in %(month)s", name=publication.name, month=month),
        preheader=" · ".join(issue.subject for issue in letters)[:200], markdown="\n\n".join(parts) + "\n", now=now,
    )  # fmt: skip
    made = session.get_one(Issue, issue_id)
    made.kind, made.slug, made.visibility, made.announced_at = "digest", slug_of(moment), "subscribers", now
    session.flush()
    return issue_id


def excerpt(session: Session, publication: Publication, issue: Issue) -> str:
    """The beginning of a letter, at most so long, cut at a word."""
    text = to_text(make_document(issue.markdown, publication.language, pictures(session, publication.id)).blocks)
    text = re.sub(r"\ue010[^\ue011]*\ue011", "", text)
    words = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if len(part.split()) > 8]
    found = words[0] if words else ""
    found = re.sub(r"<?https?://\S+>?", "", found).replace("[", "").replace("]", "").replace("*", "").replace("#", "").strip()
    return found if len(found) <= EXCERPT else found[:EXCERPT].rsplit(" ", 1)[0] + " …"
