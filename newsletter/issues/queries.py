"""Reading issues and revisions."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from newsletter.accounts.models import Editor
from newsletter.errors import NotFound
from newsletter.i18n import Speech, mark
from newsletter.issues.models import Comment, Idea, Issue, ReaderLetter, Revision, Snippet, Voice, Vote
from newsletter.links import Links
from newsletter.media.queries import crops
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.rendering.blocks import Card
from newsletter.rendering.containers import named


def get(session: Session, publication_id: int, issue_id: int) -> Issue:
    """An issue of this publication.

    Raises:
        NotFound: there is none.
    """
    issue = session.get(Issue, issue_id)
    if issue is None or issue.publication_id != publication_id:
        raise NotFound(mark("There is no such issue."))
    return issue


def drafts(session: Session, publication_id: int) -> list[Issue]:
    """What is being written or waits for its hour, newest first."""
    query = select(Issue).where(Issue.publication_id == publication_id, Issue.state != "published", Issue.kind == "letter")
    return list(session.scalars(query.order_by(Issue.state.desc(), Issue.changed_at.desc())))


def between(session: Session, publication_id: int, first: datetime, last: datetime) -> list[Issue]:
    """Letters that stand in a part of the calendar: gone out, having an hour, or meant for a day. Earliest first."""
    moment = func.coalesce(Issue.published_at, Issue.scheduled_at)
    here = Issue.publication_id == publication_id, Issue.kind == "letter"
    timed = and_(Issue.state != "draft", moment >= first, moment < last)
    meant = and_(Issue.state == "draft", Issue.planned_on >= first.date(), Issue.planned_on <= last.date())
    return list(session.scalars(select(Issue).where(*here, or_(timed, meant)).order_by(moment, Issue.id)))


def days_with_letters(session: Session, publication_id: int, zone: ZoneInfo, now: datetime) -> list[date]:
    """The days around now on which a letter went out or will."""
    rows = between(session, publication_id, now - timedelta(days=40), now + timedelta(days=400))
    moments = [one.published_at or one.scheduled_at for one in rows if one.state != "draft"]
    return [moment.astimezone(zone).date() for moment in moments if moment]


def published(session: Session, publication_id: int, limit: int | None = None, before: int | None = None) -> list[Issue]:
    """What went out, newest first, by keyset on the number."""
    query = select(Issue).where(Issue.publication_id == publication_id, Issue.state == "published", Issue.kind == "letter")
    if before is not None:
        query = query.where(Issue.number < before)
    return list(session.scalars(query.order_by(Issue.number.desc()).limit(limit)))


def numbered(session: Session, ids: list[int]) -> list[Issue]:
    """Issues by their ids, in that order."""
    found = {issue.id: issue for issue in session.scalars(select(Issue).where(Issue.id.in_(ids)))} if ids else {}
    return [found[one] for one in ids if one in found]


def next_number(session: Session, publication_id: int) -> int:
    """The number that the next issue gets."""
    return (session.scalar(select(func.max(Issue.number)).where(Issue.publication_id == publication_id)) or 0) + 1


def due(session: Session, now: datetime) -> list[int]:
    """Scheduled issues whose hour has come."""
    return list(session.scalars(select(Issue.id).where(Issue.state == "scheduled", Issue.scheduled_at <= now).limit(20)))


MEDIA_NAME = re.compile(r"/media/([A-Za-z0-9_-]{8,50}\.(?:jpg|png|gif|webp))")


class Version(NamedTuple):
    """A revision without its text, for lists."""

    revision: int
    subject: str
    note: str
    size: int
    editor: str
    created_at: datetime


def versions(session: Session, issue_id: int, limit: int = 2000) -> list[Version]:
    """What an issue said before, newest first, without the texts: a thousand of them are a page and not a book."""
    query = (
        select(Revision.revision, Revision.subject, Revision.note, func.length(Revision.markdown), func.coalesce(Editor.name, ""), Revision.created_at)
        .outerjoin(Editor, Editor.id == Revision.editor_id)
        .where(Revision.issue_id == issue_id)
        .order_by(Revision.revision.desc())
        .limit(limit)
    )
    return [Version(*row) for row in session.execute(query)]


def number_of_versions(session: Session, issue_id: int) -> int:
    """How many versions are kept."""
    return session.scalar(select(func.count()).select_from(Revision).where(Revision.issue_id == issue_id)) or 0


def before(session: Session, issue_id: int, number: int) -> Revision | None:
    """The version that came before one."""
    query = select(Revision).where(Revision.issue_id == issue_id, Revision.revision < number, Revision.note != "aside")
    return session.scalar(query.order_by(Revision.revision.desc()).limit(1))


class Shelf(NamedTuple):
    """What the text of an issue names: snippets and other issues."""

    snippets: dict[str, str]
    cards: dict[str, Card]


def shelf(session: Session, publication: Publication, issue: Issue, links: Links, markdown: str = "") -> Shelf:
    """What the text of an issue names, as it is now; of one that has left, as it was then (I7)."""
    if issue.frozen is not None:
        return Shelf(dict(issue.frozen["snippets"]), {slug: Card(**card) for slug, card in issue.frozen["cards"].items()})
    source = markdown or issue.markdown
    wanted = named(source, "snippet")
    found = {snippet.name: snippet.markdown for snippet in snippets(session, publication.id) if snippet.name in wanted} if wanted else {}
    slugs = [slug for text in (source, *found.values()) for slug in named(text, "card")]
    return Shelf(found, _cards(session, publication, slugs, links) if slugs else {})


def _cards(session: Session, publication: Publication, slugs: list[str], links: Links) -> dict[str, Card]:
    speech = Speech(publication.language, publication.timezone)
    query = select(Issue).where(Issue.publication_id == publication.id, Issue.state == "published", Issue.kind == "letter", Issue.slug.in_(slugs))
    cards = {}
    issues = list(session.scalars(query))
    parts = crops(session, publication.id, [issue.cover for issue in issues if issue.cover])
    for issue in issues:
        if (issue.visibility or publication.visibility) in ("public", "unlisted") and issue.published_at is not None:
            line = speech("No. %(number)s · %(date)s", number=issue.number, date=speech.day(issue.published_at))
            address = f"{archive_base(publication, links)}{issue.slug}/"
            src, alt = parts.get(issue.cover, (issue.cover, ""))
            cards[issue.slug] = Card(issue.subject, issue.preheader, address, line, f"/media/{src}" if src else "", issue.cover_alt or alt)
    return cards


def snippets(session: Session, publication_id: int) -> list[Snippet]:
    """The snippets of a publication, by name."""
    return list(session.scalars(select(Snippet).where(Snippet.publication_id == publication_id).order_by(Snippet.name)))


def pictures_used(session: Session, publication_id: int) -> dict[str, list[tuple[int, str]]]:
    """Every picture that an issue or a snippet shows, with the issues that do: number and subject."""
    used: dict[str, list[tuple[int, str]]] = {}
    rows = session.execute(select(Issue.id, Issue.subject, Issue.markdown, Issue.cover).where(Issue.publication_id == publication_id).order_by(Issue.id.desc()))
    for issue_id, subject, markdown, cover in rows.yield_per(200):
        for name in {*MEDIA_NAME.findall(markdown), cover} - {""}:
            used.setdefault(name, []).append((issue_id, subject))
    for snippet in snippets(session, publication_id):
        for name in MEDIA_NAME.findall(snippet.markdown):
            used.setdefault(name, [])
    return used


def is_in_a_version(session: Session, publication_id: int, name: str) -> bool:
    """Whether an old version of an issue shows a picture."""
    here = select(Revision.id).join(Issue, Issue.id == Revision.issue_id).where(Issue.publication_id == publication_id)
    return session.scalar(here.where(Revision.markdown.contains(f"/media/{name}", autoescape=True)).limit(1)) is not None


def votes(session: Session, issue_id: int) -> dict[tuple[int, int], int]:
    """How often each answer was chosen, by poll and answer."""
    found = {(row[0], row[1]): row[2] for row in session.execute(select(Vote.poll, Vote.choice, Vote.count).where(Vote.issue_id == issue_id))}
    # On the web an answer is a number that rises; from a mail it is counted once for each person. The sum is what is shown.
    voices = select(Voice.question, Voice.choice, func.count()).where(Voice.issue_id == issue_id, Voice.question > 0).group_by(Voice.question, Voice.choice)
    for poll, choice, count in session.execute(voices):
        found[poll, choice] = found.get((poll, choice), 0) + count
    return found


def feedback(session: Session, issue_id: int) -> dict[int, int]:
    """What readers thought of an issue: 1 much, 2 some, 3 little."""
    rows = select(Voice.choice, func.count()).where(Voice.issue_id == issue_id, Voice.question == 0).group_by(Voice.choice)
    return {row[0]: row[1] for row in session.execute(rows)}


def comments(session: Session, issue_id: int) -> list[tuple[Comment, str]]:
    """What is still open about an issue, oldest first, with who said it."""
    query = select(Comment, func.coalesce(Editor.name, "")).outerjoin(Editor, Editor.id == Comment.editor_id)
    return [(row[0], row[1]) for row in session.execute(query.where(Comment.issue_id == issue_id, Comment.settled_at.is_(None)).order_by(Comment.id))]


def ideas(session: Session, publication_id: int) -> list[Idea]:
    """What one could write about, newest first."""
    return list(session.scalars(select(Idea).where(Idea.publication_id == publication_id).order_by(Idea.id.desc()).limit(200)))


def revision(session: Session, issue_id: int, number: int) -> Revision:
    """One old version.

    Raises:
        NotFound: there is none.
    """
    found = session.scalar(select(Revision).where(Revision.issue_id == issue_id, Revision.revision == number))
    if found is None:
        raise NotFound(mark("There is no such version."))
    return found


def reader_letters(session: Session, issue_id: int) -> Sequence[ReaderLetter]:
    """What readers wrote about an issue and want to be read, in the order in which they agreed."""
    query = select(ReaderLetter).where(ReaderLetter.issue_id == issue_id, ReaderLetter.state == "agreed")
    return session.scalars(query.order_by(ReaderLetter.decided_at, ReaderLetter.id)).all()


def with_reader_letters(session: Session, publication_id: int) -> set[int]:
    """The issues below which such letters stand."""
    query = select(ReaderLetter.issue_id).where(ReaderLetter.publication_id == publication_id, ReaderLetter.state == "agreed").distinct()
    return set(session.scalars(query))
