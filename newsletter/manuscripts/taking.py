"""Manuscripts become issues: drafts, or letters of the archive with the day on which they went out. Nobody gets a mail by it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from urllib.parse import unquote

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.archive.actions import request_build
from newsletter.errors import Refused
from newsletter.fetching import Web
from newsletter.i18n import mark
from newsletter.issues.actions import add_issue
from newsletter.issues.models import Issue
from newsletter.issues.queries import next_number
from newsletter.links import Links
from newsletter.manuscripts.reading import Bundle, Manuscript
from newsletter.media.taking import MOST, keep_pictures, picture_at, pictures_in
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.rendering.from_html import with_images

AT_A_TIME = 8


@dataclass
class Outcome:
    """What became of a file: issues by number, problems in words, and where each letter lies now."""

    source: str
    issues: list[int] = field(default_factory=list)
    published: int = 0
    pictures: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)


def gather(web: Web, bundle: Bundle) -> dict[str, bytes]:
    """The bytes of every picture that the manuscripts show: out of the file, or from the net."""
    wanted = list(dict.fromkeys(address for one in bundle.manuscripts for address in pictures_in(one.markdown)))[:MOST]
    found = {address: data for address in wanted if not address.startswith("http") and (data := bundle.pictures(unquote(address)))}
    outside = [address for address in wanted if address.startswith("http")]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = pool.map(partial(picture_at, web), outside)
    return found | {address: data for address, data in zip(outside, answers, strict=True) if data}


def take(
    session: Session, process: Process, publication: Publication, bundle: Bundle, pictures: dict[str, bytes], *, author_id: int | None, publish: bool
) -> Outcome:
    """Write the issues, in one transaction.

    Args:
        publish: whether those that have a day go into the archive; the others become drafts in any case.
    """
    outcome = Outcome(bundle.source, problems=list(bundle.problems))
    places = keep_pictures(session, process.settings, publication.id, pictures, now=process.clock())
    outcome.pictures = len(places)
    number = next_number(session, publication.id)
    known = set(session.scalars(select(Issue.subject).where(Issue.publication_id == publication.id, Issue.state == "published")))
    for manuscript in sorted(bundle.manuscripts, key=_when):
        gone = publish and manuscript.date is not None and manuscript.date <= process.clock()
        if gone and manuscript.subject in known:
            outcome.problems.append((manuscript.name, mark("It is in the archive already.")))
            continue
        try:
            issue = _write(session, process, publication, manuscript, places, author_id)
        except Refused as error:
            outcome.problems.append((manuscript.name, str(error)))
            continue
        if gone:
            _publish(issue, manuscript, number, process.clock())
            number += 1
            outcome.published += 1
            outcome.moved.append((manuscript.was or manuscript.slug, address_of(publication, issue, process.links)))
        outcome.issues.append(issue.id)
        foreign = [address for address in pictures_in(issue.markdown) if not address.startswith("/media/")]
        outcome.problems += [(manuscript.name, f"The picture {address[:120]} could not be fetched.") for address in foreign]
    session.flush()
    if outcome.published:
        request_build(session, publication_id=publication.id, now=process.clock())
    return outcome


def _when(manuscript: Manuscript) -> tuple[bool, float]:
    return manuscript.date is None, manuscript.date.timestamp() if manuscript.date else 0.0


def _write(session: Session, process: Process, publication: Publication, manuscript: Manuscript, places: dict[str, str], author_id: int | None) -> Issue:
    markdown = with_images(manuscript.markdown, lambda address: places.get(address, address))
    issue_id = add_issue(
        session, publication_id=publication.id, author_id=author_id, subject=" ".join(manuscript.subject.split()), now=process.clock(),
        preheader=" ".join(manuscript.preheader.split()), markdown=markdown, tags=_tags(manuscript.tags), slug=manuscript.slug,
    )  # fmt: skip
    return session.get_one(Issue, issue_id)


def _tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag.strip().strip("\"'")[:40] for tag in tags if tag.strip()))[:12]


def _publish(issue: Issue, manuscript: Manuscript, number: int, now: datetime) -> None:
    """It went out long ago: no mailing, and nobody is told of it."""
    issue.state, issue.number, issue.published_at, issue.announced_at = "published", number, manuscript.date, now
    issue.frozen = {"snippets": {}, "cards": {}}


def address_of(publication: Publication, issue: Issue, links: Links) -> str:
    """Where a letter lies now."""
    return f"{archive_base(publication, links)}{issue.slug}/"
