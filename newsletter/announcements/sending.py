"""Posts what is due. Nothing is posted twice: what a server may have already is looked for first."""

import logging

from sqlalchemy.orm import Session

from newsletter.announcements import actions, bluesky, mastodon
from newsletter.announcements.models import Announcement, Outlet
from newsletter.announcements.policy import Later, Post, Posted, Rejected
from newsletter.channels.models import Link
from newsletter.issues.models import Issue
from newsletter.media.queries import folder
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.tokens import TokenInvalid

log = logging.getLogger(__name__)


def post(process: Process, announcement_id: int) -> None:
    """Post one announcement, once; it may be tried again later."""
    with process.writing() as session:
        before = actions.claim(session, announcement_id, now=process.clock())
    if before is None:
        return
    with process.reading() as session:
        row = session.get_one(Announcement, announcement_id)
        outlet = session.get(Outlet, row.outlet_id) if row.outlet_id else None
        said = _post(process, session, row)
    sure = not before
    try:
        if outlet is None:
            raise Rejected("Its account is not connected any more.")
        found = _find(process, outlet, said) if before else None
        sure = True
        found = found or _send(process, outlet, said)
    except Later as error:
        with process.writing() as session:
            actions.put_off(session, announcement_id, error, sure=sure, now=process.clock())
        return
    except Rejected as error:
        log.warning("announcement %s: %s", announcement_id, error)
        with process.writing() as session:
            actions.refuse(session, announcement_id, error, sure=sure, now=process.clock())
        return
    with process.writing() as session:
        actions.posted(session, announcement_id, found, now=process.clock())


def _find(process: Process, outlet: Outlet, said: Post) -> Posted | None:
    if outlet.kind == "mastodon":
        return mastodon.find(process.web, outlet.server, _secret(process, outlet), outlet.facts, said)
    return bluesky.find(process.web, outlet.server, outlet.handle, _secret(process, outlet), outlet.facts, said)


def _send(process: Process, outlet: Outlet, said: Post) -> Posted:
    if outlet.kind == "mastodon":
        return mastodon.post(process.web, outlet.server, _secret(process, outlet), outlet.facts, said)
    return bluesky.post(process.web, outlet.server, outlet.handle, _secret(process, outlet), outlet.facts, said)


def _secret(process: Process, outlet: Outlet) -> str:
    try:
        return process.tokens.decrypt(outlet.secret)
    except TokenInvalid as error:
        raise Rejected("Its key cannot be read: SECRET_KEY is not the one it was stored with.", account=True) from error


def _post(process: Process, session: Session, row: Announcement) -> Post:
    publication = session.get_one(Publication, row.publication_id)
    issue = session.get(Issue, row.issue_id) if row.issue_id else None
    link = session.get(Link, row.link_id) if row.link_id else None
    title = issue.subject.strip() if issue else publication.name
    summary = (issue.preheader.strip() if issue else "") or publication.promise
    return Post(
        key=row.key, text=row.text, link=process.links.short(link.code) if link else process.links.sign_up(publication.slug),
        language=(issue.language if issue else "") or publication.language, at=row.created_at, number=row.id, title=title, summary=summary,
        image=picture(process, publication, issue, row.image), alt=issue.cover_alt if issue and issue.cover else title,
    )  # fmt: skip


def picture(process: Process, publication: Publication, issue: Issue | None, name: str) -> bytes:
    """The picture of an announcement: the cover of its issue, or the card that the archive made; nothing, if it is not there."""
    if issue is None or not name:
        return b""
    path = process.settings.archive_dir / publication.slug / issue.slug / "card.png" if name == "card" else folder(process.settings) / name
    return path.read_bytes() if path.is_file() else b""
