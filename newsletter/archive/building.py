"""Published issues -> source -> folder."""

import json
import logging
import threading
from pathlib import Path

from sqlalchemy.orm import Session

from archive_site.alone import alone
from archive_site.artifact import Report
from archive_site.build import asleep_until, build
from archive_site.build import take_back as undo
from archive_site.folder import save
from archive_site.site import Landing, Letter, Site
from archive_site.twins import CONTEXT, activity
from archive_site.visibility import Shown, decide
from newsletter.announcements import actions as announcements
from newsletter.archive import actions, queries
from newsletter.archive.models import Build
from newsletter.archive.source import DatabaseSource, letter_of, rendered
from newsletter.channels.queries import landings
from newsletter.federation import actions as federation
from newsletter.federation.policy import create, handle
from newsletter.federation.sending import look
from newsletter.forms.queries import first_form
from newsletter.i18n import Speech
from newsletter.issues.models import Issue
from newsletter.issues.policy import shown
from newsletter.media.queries import folder
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.publications.queries import get

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
        touched = queries.touched(session, publication_id)
    try:
        report = build_publication(process, publication_id, only=touched.issues)
    except Exception as error:
        log.warning("archive of publication %s", publication_id, exc_info=error)
        why = error.strerror if isinstance(error, OSError) else ""
        with process.writing() as session:
            actions.put_off(session, build_id, why or f"{type(error).__name__}: {error}", now=process.clock())
        return
    wakes = asleep_until(folder_of(process, publication_id))
    with process.writing() as session:
        actions.settle(session, build_id, report, touched=touched, wakes=wakes, now=process.clock())
        _announce(session, process, get(session, publication_id), report)


def _announce(session: Session, process: Process, publication: Publication, report: Report) -> None:
    """Tell other servers of what has become public."""
    now = process.clock()
    if handle(process.links, publication):
        federation.key_of(session, process.tokens, publication.id)
    if "atom.xml" in report.written:
        federation.tell_hub(session, process.links, publication, now=now)
    for issue in queries.not_announced(session, publication.id):
        if shown(publication, issue, now) == Shown.LISTED:
            letter = _letter(session, process, publication, issue)
            article = activity(site_of(session, process, publication), letter)
            federation.announce(session, process.links, publication, issue=issue, article=article, html=letter.html, now=now)
            announcements.announce(session, process.links, publication, issue=issue, now=now)


def folder_of(process: Process, publication_id: int) -> Path:
    """Where the archive of a publication lies on this machine."""
    with process.reading() as session:
        return process.settings.archive_dir / get(session, publication_id).slug


def build_publication(process: Process, publication_id: int, *, out: Path | None = None, only: list[int] | None = None, full: bool = False) -> Report:
    """Bring the archive of a publication up to date.

    Args:
        only: the issues that may have changed; None: find out.

    Raises:
        OSError: the folder cannot be written; the old archive stays.
        ThemeMissing: the theme is not there any more.
    """
    with process.reading() as session, _one_at_a_time:
        publication = get(session, publication_id)
        source = DatabaseSource(process, session, publication, site_of(session, process, publication))
        target = out or process.settings.archive_dir / publication.slug
        return build(source, target, now=process.clock(), only=only, full=full, themes=themes_of(process))


def site_of(session: Session, process: Process, publication: Publication) -> Site:
    """What everybody may know about a publication, and nothing else (C5)."""
    links = process.links
    speech = Speech(publication.language, publication.timezone)
    form = first_form(session, publication.id)
    return Site(
        name=publication.name,
        base=archive_base(publication, links),
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
        theme=publication.theme,
        accent=publication.accent,
        logo=publication.logo,
        ai_crawlers=publication.ai_crawlers,
        hub=publication.hub,
        handle=handle(links, publication),
        actor=links.actor(publication.slug),
        webmention=links.webmention(publication.slug),
        media=folder(process.settings),
        landings=tuple(
            Landing(link.code, link.headline or publication.promise or publication.name, link.lead, tuple((one["label"], one["url"]) for one in link.entries))
            for link in landings(session, publication.id)
        ),
    )


def _letter(session: Session, process: Process, publication: Publication, issue: Issue) -> Letter:
    return letter_of(session, process.links, publication, issue, rendered(session, process.links, publication, issue), process.clock())


def article_of(session: Session, process: Process, publication: Publication, issue: Issue) -> str:
    """An issue as an object of ActivityStreams that lies here and not in the archive."""
    article = activity(site_of(session, process, publication), _letter(session, process, publication, issue))
    return json.dumps({"@context": CONTEXT} | create(process.links, publication, article, issue.id)["object"], ensure_ascii=False)


def look_at_mention(process: Process, mention_id: int) -> None:
    """Look at a page that mentions an issue; if what stands below the issue changes, build it."""
    issue_id = look(process, mention_id)
    if issue_id is not None:
        with process.writing() as session:
            issue = session.get_one(Issue, issue_id)
            actions.request_build(session, publication_id=issue.publication_id, issue_id=issue_id, now=process.clock())


def export(session: Session, process: Process, publication: Publication, folder: Path) -> int:
    """Write what is public into a folder that ``python -m archive_site`` can build; give back how many letters."""
    source = DatabaseSource(process, session, publication, site_of(session, process, publication))
    now = process.clock()
    letters = [letter for letter in source.letters([stamp.id for stamp in source.stamps()]) if isinstance(letter, Letter)]
    public = [letter for letter in letters if decide(letter.visibility, letter.published, letter.listed_from, now) != Shown.HIDDEN]
    save(source.site, public, folder)
    return len(public)


def take_back(process: Process, slug: str) -> bool:
    """Undo the last publish; whether there was one. What has changed since then comes with the next build."""
    with _one_at_a_time:
        return undo(process.settings.archive_dir / slug)


def page_of(session: Session, process: Process, publication: Publication, issue: Issue) -> bytes:
    """The page of an issue that the archive does not show, as it would look there."""
    site = site_of(session, process, publication)
    return alone(site, _letter(session, process, publication, issue), process.links.archive(publication.slug), themes_of(process))


def themes_of(process: Process) -> Path:
    """Where themes of the owner lie."""
    return process.settings.data_dir / "themes"
