"""The published issues of a publication as a source for archive_site: rendered once, and in two processes where it pays."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive_site.site import Letter, Site
from archive_site.source import Broken, Stamp
from archive_site.visibility import Shown
from newsletter.federation import queries as federation
from newsletter.federation.models import Mention
from newsletter.issues.composition import web_address
from newsletter.issues.models import Issue
from newsletter.issues.policy import listed_from, shown
from newsletter.issues.queries import reader_letters, with_reader_letters
from newsletter.issues.queries import shelf as shelf_of
from newsletter.links import Links
from newsletter.media.queries import pictures
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base, greeting_of
from newsletter.rendering import merge
from newsletter.rendering.blocks import Card
from newsletter.rendering.checks import Picture
from newsletter.rendering.containers import all_polls, for_readers_of_the_web, with_snippets
from newsletter.rendering.document import make_document
from newsletter.rendering.outside import Addresses, Outside
from newsletter.rendering.typography import typeset
from newsletter.rendering.web import to_web

# Another number renders every issue anew. It belongs to what rendering makes of Markdown.
RENDERER = "2"
WORTH_TWO = 200
CHUNK = 20
MEDIA = re.compile(r"/media/([A-Za-z0-9_-]+\.[a-z]+)")


class Manuscript(NamedTuple):
    """What rendering needs of one issue."""

    id: int
    markdown: str
    language: str
    greeting: str
    pictures: dict[str, Picture]
    outside: Outside
    snippets: dict[str, str]
    cards: dict[str, Card]


class Rendered(NamedTuple):
    """What comes of it."""

    html: str
    minutes: int
    problem: str


def render(manuscript: Manuscript) -> Rendered:
    """Markdown becomes the HTML of a page."""
    document = make_document(manuscript.markdown, manuscript.language, manuscript.pictures, manuscript.snippets, manuscript.cards)
    html = to_web(document, manuscript.greeting, outside=manuscript.outside)
    lost = next((finding for finding in document.findings if finding.id in ("text-too-long", "nested-too-deep")), None)
    return Rendered(html, document.minutes, (lost.text % lost.values if lost.values else lost.text) if lost else "")


class DatabaseSource:
    """Reads issues that went out. Everything else of the database stays there (C5)."""

    def __init__(self, process: Process, session: Session, publication: Publication, site: Site) -> None:
        self._session = session
        self._publication = publication
        self._links = process.links
        self._now = process.clock()
        self._site = site
        self._mentioned: set[int] = set()
        self._answered: set[int] = set()

    @property
    def site(self) -> Site:
        return self._site

    def stamps(self, only: list[int] | None = None) -> Iterator[Stamp]:
        told = (
            select(Mention.issue_id, func.count().label("n"), func.max(Mention.id).label("last"))
            .where(Mention.state == "shown")
            .group_by(Mention.issue_id)
            .subquery()
        )
        query = (
            select(Issue.id, Issue.revision, Issue.changed_at, Issue.published_at, Issue.slug, Issue.number, Issue.appearance, told.c.n, told.c.last)
            .outerjoin(told, told.c.issue_id == Issue.id)
            .where(Issue.publication_id == self._publication.id, Issue.state == "published", Issue.kind == "letter", Issue.published_at.is_not(None))
            .order_by(Issue.id)
        )
        if only is not None:
            query = query.where(Issue.id.in_(only))
        owner = self._publication
        common = f"{RENDERER} {owner.visibility} {owner.delay_days} {greeting_of(owner)} {owner.language} {self._site.base} {owner.imprint_email}"
        for row in self._session.execute(query):
            yield Stamp(row.id, hashlib.blake2b(f"{common} {tuple(row)}".encode(), digest_size=12).hexdigest())

    def letters(self, ids: Iterable[int]) -> Iterator[Letter | Broken]:
        wanted = list(ids)
        known = pictures(self._session, self._publication.id)
        self._mentioned = federation.mentioned(self._session, self._publication.id)
        self._answered = with_reader_letters(self._session, self._publication.id)
        if len(wanted) < WORTH_TWO:
            for issue in self._issues(wanted):
                yield self._letter(issue, render(self._manuscript(issue, known)))
            return
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            # A few chunks ahead of what is taken, so that ten thousand issues never lie in memory at once.
            waiting: list[tuple[list[Issue], Any]] = []
            for chunk in batched_ids(wanted, CHUNK):
                issues = list(self._issues(chunk))
                waiting.append((issues, pool.submit(_render_all, [self._manuscript(issue, known) for issue in issues])))
                if len(waiting) > 4:
                    yield from self._finished(*waiting.pop(0))
            for issues, future in waiting:
                yield from self._finished(issues, future)

    def _finished(self, issues: list[Issue], future: Any) -> Iterator[Letter | Broken]:
        for issue, rendered in zip(issues, future.result(), strict=True):
            yield self._letter(issue, rendered)
            self._session.expunge(issue)

    def _issues(self, ids: list[int]) -> Iterator[Issue]:
        for chunk in batched_ids(ids, 100):
            yield from self._session.scalars(select(Issue).where(Issue.id.in_(chunk), Issue.publication_id == self._publication.id).order_by(Issue.id))

    def _manuscript(self, issue: Issue, known: dict[str, Picture]) -> Manuscript:
        return manuscript(self._session, self._links, self._publication, issue, known)

    def _letter(self, issue: Issue, rendered: Rendered) -> Letter | Broken:
        if rendered.problem:
            return Broken(issue.id, issue.slug, rendered.problem)
        mentioned = issue.id in self._mentioned or issue.id in self._answered
        return letter_of(self._session, self._links, self._publication, issue, rendered, self._now, mentioned=mentioned)


def letter_of(session: Session, links: Links, publication: Publication, issue: Issue, rendered: Rendered, now: datetime, *, mentioned: bool = True) -> Letter:
    """An issue as the archive knows it.

    Args:
        mentioned: whether anything may stand below it; to look for each of ten thousand would take seconds.
    """
    mentions = federation.shown(session, issue.id) if mentioned else ()
    answers = reader_letters(session, issue.id) if mentioned else ()
    assert issue.number is not None
    assert issue.published_at is not None
    language = issue.language or publication.language
    return Letter(
        id=issue.id,
        number=issue.number,
        slug=issue.slug,
        title=_plain(issue.subject, language),
        html=rendered.html,
        published=issue.published_at,
        summary=_plain(issue.preheader, language),
        markdown=merge.fill(merge.mark(_source(issue)), merge.values_of("", greeting_of(publication)), str),
        language=language,
        tags=tuple(issue.tags),
        series=issue.series,
        authors=tuple(issue.authors),
        minutes=rendered.minutes,
        visibility=issue.visibility or publication.visibility,
        listed_from=listed_from(publication, issue),
        translations=_translations(session, links, issue, now),
        old_slugs=tuple(issue.old_slugs),
        cover=issue.cover,
        cover_alt=issue.cover_alt,
        mentions=tuple((mention.author or mention.source, mention.source, mention.words) for mention in mentions),
        answers=tuple((answer.name, answer.text) for answer in answers),
    )


def _source(issue: Issue) -> str:
    """The Markdown beside a page: snippets in their places, and nothing that only the mail says."""
    return for_readers_of_the_web(with_snippets(issue.markdown, (issue.frozen or {}).get("snippets", {}))[0])


def rendered(session: Session, links: Links, publication: Publication, issue: Issue) -> Rendered:
    """One issue as HTML."""
    return render(manuscript(session, links, publication, issue, pictures(session, publication.id)))


def manuscript(session: Session, links: Links, publication: Publication, issue: Issue, known: dict[str, Picture]) -> Manuscript:
    """What rendering needs of an issue; it may travel to another process, so every address of a poll is made beforehand."""
    language = issue.language or publication.language
    shelf = shelf_of(session, publication, issue, links)
    texts = (issue.markdown, *shelf.snippets.values())
    used = {name: known[name] for text in texts for name in MEDIA.findall(text) if name in known}
    address = web_address(publication, issue, links)
    polls = {(poll, choice): links.vote(issue.id, poll, choice) for poll, choice in all_polls(texts)}
    outside = Outside(language, _plain(issue.subject, language), address, publication.imprint_email, Addresses(polls))
    return Manuscript(issue.id, issue.markdown, language, greeting_of(publication), used, outside, shelf.snippets, shelf.cards)


def _translations(session: Session, links: Links, issue: Issue, now: datetime) -> tuple[tuple[str, str], ...]:
    """The same issue in the other language, when everybody may read that one, too."""
    other = session.get(Issue, issue.counterpart_id) if issue.counterpart_id is not None else None
    if other is None or other.state != "published":
        return ()
    publication = session.get_one(Publication, other.publication_id)
    if shown(publication, other, now) != Shown.LISTED:
        return ()
    return ((other.language or publication.language, f"{archive_base(publication, links)}{other.slug}/"),)


def _plain(text: str, language: str) -> str:
    return merge.fill(merge.mark(typeset(text.strip(), language)), {}, str)


def _render_all(manuscripts: list[Manuscript]) -> list[Rendered]:
    return [render(manuscript) for manuscript in manuscripts]


def batched_ids(ids: list[int], size: int) -> Iterator[list[int]]:
    """The ids in portions."""
    for at in range(0, len(ids), size):
        yield ids[at : at + size]
