"""Published issues -> Site -> folder."""

import logging
import threading
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from archive_site.artifact import Report
from archive_site.build import build
from archive_site.site import Letter, Site
from newsletter.archive import actions
from newsletter.archive.models import Build
from newsletter.i18n import Speech
from newsletter.issues.models import Issue
from newsletter.issues.queries import published
from newsletter.links import Links
from newsletter.media.queries import folder, pictures
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of
from newsletter.publications.queries import get
from newsletter.rendering import merge
from newsletter.rendering.checks import Picture
from newsletter.rendering.document import make_document
from newsletter.rendering.typography import typeset
from newsletter.rendering.web import to_web
from newsletter.settings import Settings
from newsletter.subscriptions.queries import first_form

log = logging.getLogger(__name__)

# Two builds of one folder at a time would tread on each other's releases.
_one_at_a_time = threading.Lock()


def run(process: Process, build_id: int) -> None:
    """Make one build that was asked for."""
    with process.reading() as session:
        row = session.get(Build, build_id)
        if row is None or row.state != "queued":
            return
        publication_id = row.publication_id
    try:
        report = build_publication(process, publication_id)
    except Exception as error:
        log.warning("archive of publication %s", publication_id, exc_info=error)
        why = error.strerror if isinstance(error, OSError) else ""
        with process.writing() as session:
            actions.put_off(session, build_id, why or f"{type(error).__name__}: {error}", now=process.clock())
        return
    with process.writing() as session:
        actions.settle(session, build_id, report, now=process.clock())


def build_publication(process: Process, publication_id: int, *, out: Path | None = None, full: bool = False) -> Report:
    """Bring the archive of a publication up to date.

    Raises:
        OSError: the folder cannot be written; the old archive stays.
    """
    with process.reading() as session:
        publication = get(session, publication_id)
        site = site_of(session, publication, process.settings, now=process.clock())
    with _one_at_a_time:
        return build(site, out or process.settings.archive_dir / publication.slug, full=full)


def site_of(session: Session, publication: Publication, settings: Settings, *, now: datetime) -> Site:
    """Everything public about a publication, and nothing else (C5): no draft, no address of a person."""
    links = Links(settings.base_url)
    speech = Speech(publication.language, publication.timezone)
    form = first_form(session, publication.id)
    known = pictures(session, publication.id)
    issues = [issue for issue in published(session, publication.id) if issue.published_at is not None and issue.published_at <= now]
    letters = tuple(_letter(issue, publication, known) for issue in issues)
    used = {name for name in known if any(f"/media/{name}" in letter.html for letter in letters)}
    return Site(
        name=publication.name,
        base=links.archive(publication.slug),
        language=publication.language,
        timezone=publication.timezone,
        byline=publication.byline,
        author=publication.imprint_person or publication.from_name,
        about=publication.about,
        promise=publication.promise,
        sign_up_url=links.sign_up(publication.slug),
        form_action=links.sign_up(publication.slug) + "/subscribe" if form else "",
        form_via="archiv" if publication.language == "de" else "archive",
        form_button=form.button if form else "",
        form_hint=speech(
            "We keep your address and how you came here, nothing else. You confirm with a button in the first mail; you leave with one click in every mail."
        ),
        privacy_url=links.sign_up(publication.slug) + "/privacy",
        imprint=tuple(publication.imprint_lines()),
        letters=letters,
        media={name: folder(settings) / name for name in sorted(used) if (folder(settings) / name).is_file()},
    )


def _letter(issue: Issue, publication: Publication, known: dict[str, Picture]) -> Letter:
    document = make_document(issue.markdown, publication.language, known)
    assert issue.number is not None
    assert issue.published_at is not None
    return Letter(
        number=issue.number,
        slug=issue.slug,
        title=_plain(issue.subject, publication.language),
        summary=_plain(issue.preheader, publication.language),
        html=to_web(document, greeting_of(publication)),
        published=issue.published_at,
        tags=tuple(issue.tags),
        minutes=document.minutes,
    )


def _plain(text: str, language: str) -> str:
    return merge.fill(merge.mark(typeset(text.strip(), language)), {}, str)
