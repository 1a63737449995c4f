"""Reading issues and revisions."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.accounts.models import Editor
from newsletter.errors import NotFound
from newsletter.i18n import Speech, mark
from newsletter.issues.models import Comment, Idea, Issue, Revision, Snippet, Vote
from newsletter.links import Links
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.rendering.containers import named
from newsletter.rendering.document import Card


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


def published(session: Session, publication_id: int, limit: int | None = None, before: int | None = None) -> list[Issue]:
    """What went out, newest first, by keyset on the number."""
    query = select(Issue).where(Issue.publication_id == publication_id, Issue.state == "published", Issue.kind == "letter")
    if before is not None:
        query = query.where(Issue.number < before)
    return list(session.scalars(query.order_by(Issue.number.desc()).limit(limit)))


def next_number(session: Session, publication_id: int) -> int:
    """The number that the next issue gets."""
    return (session.scalar(select(func.max(Issue.number)).where(Issue.publication_id == publication_id)) or 0) + 1


def due(session: Session, now: datetime) -> list[int]:
    """Scheduled issues whose hour has come."""
    return list(session.scalars(select(Issue.id).where(Issue.state == "scheduled", Issue.scheduled_at <= now).limit(20)))


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
    for issue in session.scalars(query):
        if (issue.visibility or publication.visibility) in ("public", "unlisted") and issue.published_at is not None:
            line = speech("No. %(number)s · %(date)s", number=issue.number, date=speech.day(issue.published_at))
            address = f"{archive_base(publication, links)}{issue.slug}/"
            src = f"/media/{issue.cover}" if issue.cover else ""
            cards[issue.slug] = Card(issue.subject, issue.preheader, address, line, src, issue.cover_alt)
    return cards


def snippets(session: Session, publication_id: int) -> list[Snippet]:
    """The snippets of a publication, by name."""
    return list(session.scalars(select(Snippet).where(Snippet.publication_id == publication_id).order_by(Snippet.name)))


def votes(session: Session, issue_id: int) -> dict[tuple[int, int], int]:
    """How often each answer was chosen, by poll and answer."""
    rows = session.execute(select(Vote.poll, Vote.choice, Vote.count).where(Vote.issue_id == issue_id))
    return {(poll, choice): count for poll, choice, count in rows}


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
