"""Writing, scheduling and throwing away."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from archive_site.site import may_be_called
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.issues.merging import Merged, merge
from newsletter.issues.models import Issue, Revision
from newsletter.issues.policy import KEEP_REVISION_FOR, LONGEST_SUBJECT, LONGEST_TEXT
from newsletter.slugs import slugify, unused


def add_issue(
    session: Session,
    *,
    publication_id: int,
    author_id: int | None = None,
    subject: str = "",
    preheader: str = "",
    markdown: str = "",
    tags: list[str] | None = None,
    slug: str = "",
    now: datetime,
) -> int:
    """Begin an issue; give back its id.

    Raises:
        Refused: something is too long.
    """
    _check(subject, preheader, markdown)
    issue = Issue(
        publication_id=publication_id,
        author_id=author_id,
        subject=subject,
        preheader=preheader,
        markdown=markdown,
        tags=tags or [],
        slug=_slug(session, publication_id, slug or subject, None),
        created_at=now,
        changed_at=now,
    )
    session.add(issue)
    session.flush()
    _keep(session, issue, author_id, now)
    return issue.id


def save(
    session: Session,
    issue: Issue,
    *,
    revision: int,
    editor_id: int | None,
    subject: str,
    preheader: str,
    markdown: str,
    tags: list[str] | None = None,
    note: str = "",
    now: datetime,
) -> int:
    """Keep what was typed; give back the new revision.

    Args:
        revision: the one that was changed; who saves without having seen the latest is told so.
        note: how it came about, when not by typing; such a version is never taken together with the one before.

    Raises:
        Conflict: somebody saved in between (their words are kept), or the issue has gone out.
        Refused: something is too long.
    """
    _check(subject, preheader, markdown)
    if issue.state == "published":
        raise Conflict(mark("This issue has gone out. What was sent cannot be changed any more."))
    same = (issue.subject, issue.preheader, issue.markdown) == (subject, preheader, markdown)
    if same and (tags is None or tags == issue.tags):
        return issue.revision
    won = session.execute(update(Issue).where(Issue.id == issue.id, Issue.revision == revision).values(revision=revision + 1))
    assert isinstance(won, CursorResult)
    if won.rowcount != 1:
        raise Conflict(mark("Somebody else saved this issue in the meantime. Your text is still here: copy it, then load the page again."))
    session.refresh(issue)
    issue.subject, issue.preheader, issue.markdown = subject, preheader, markdown
    issue.tags = issue.tags if tags is None else tags
    issue.changed_at = now
    if issue.state == "draft" and issue.number is None:
        issue.slug = _slug(session, issue.publication_id, subject, issue.id)
    session.flush()
    _keep(session, issue, editor_id, now, note)
    return issue.revision


def join(
    session: Session,
    issue: Issue,
    *,
    base: Mapping[str, str],
    editor_id: int | None,
    subject: str,
    preheader: str,
    markdown: str,
    tags: list[str] | None = None,
    now: datetime,
) -> Merged:
    """Two people wrote at once: put both into one text, and keep each of the two as a version of its own.

    Args:
        base: subject, preheader and markdown as both of them had it before.

    Raises:
        Conflict: it has gone out.
        Refused: something is too long.
    """
    _check(subject, preheader, markdown)
    if issue.state == "published":
        raise Conflict(mark("This issue has gone out. What was sent cannot be changed any more."))
    merged = merge(base.get("markdown", ""), issue.markdown, markdown)
    lines = {
        name: mine if theirs == base.get(name, "") or mine != base.get(name, "") else theirs
        for name, theirs, mine in (("subject", issue.subject, subject), ("preheader", issue.preheader, preheader))
    }
    both = any(theirs != base.get(name, "") and mine not in (base.get(name, ""), theirs) for name, theirs, mine in
               (("subject", issue.subject, subject), ("preheader", issue.preheader, preheader)))  # fmt: skip
    if merged.clashes or both:
        aside = Revision(issue_id=issue.id, revision=issue.revision + 1, editor_id=editor_id, note="aside", created_at=now,
                         subject=subject, preheader=preheader, markdown=markdown)  # fmt: skip
        session.add(aside)
        issue.revision += 1
        session.flush()
    text = merged.text if len(merged.text) <= LONGEST_TEXT else markdown
    save(session, issue, revision=issue.revision, editor_id=editor_id, **lines, markdown=text, tags=tags, note="merge", now=now)
    return merged


def set_aside(session: Session, issue: Issue, *, editor_id: int | None, subject: str, preheader: str, markdown: str, now: datetime) -> int:
    """Keep a text as a version without making it the issue's; give back its number.

    For words that cannot be saved any more: the issue has gone out meanwhile, or nobody knows what they were a change of.
    """
    _check(subject, preheader, markdown)
    number = (session.scalar(select(func.max(Revision.revision)).where(Revision.issue_id == issue.id)) or 0) + 1
    number = max(number, issue.revision + 1)
    session.add(Revision(issue_id=issue.id, revision=number, editor_id=editor_id, note="aside", created_at=now,
                         subject=subject, preheader=preheader, markdown=markdown))  # fmt: skip
    issue.revision = number
    session.flush()
    return number


def schedule(session: Session, issue: Issue, *, at: datetime, zone: str, now: datetime) -> None:
    """Let an issue go out by itself. The moment is kept in UTC together with its zone (I12).

    Raises:
        Refused: the moment is over.
        Conflict: it has gone out.
    """
    if at <= now:
        raise Refused(mark("That moment is over. Choose one that is still to come."), field="at")
    if issue.state != "scheduled":
        issue.become("scheduled")
    issue.scheduled_at, issue.scheduled_zone = at, zone
    session.flush()


def unschedule(session: Session, issue: Issue) -> None:
    """Make it a draft again.

    Raises:
        Conflict: it has gone out.
    """
    issue.become("draft")
    issue.scheduled_at, issue.scheduled_zone = None, ""
    session.flush()


def throw_away(session: Session, issue: Issue) -> None:
    """Delete a draft with all its versions.

    Raises:
        Conflict: it is no draft.
    """
    if issue.state != "draft":
        raise Conflict(mark("Only a draft can be deleted."))
    session.execute(delete(Issue).where(Issue.id == issue.id))


def _check(subject: str, preheader: str, markdown: str) -> None:
    for text, longest, field in ((subject, LONGEST_SUBJECT, "subject"), (preheader, LONGEST_SUBJECT, "preheader"), (markdown, LONGEST_TEXT, "markdown")):
        if len(text) > longest:
            raise Refused(mark("%(n)s characters are too many here; %(limit)s are possible."), field=field, n=len(text), limit=longest)


def _slug(session: Session, publication_id: int, wish: str, issue_id: int | None) -> str:
    query = select(Issue.slug).where(Issue.publication_id == publication_id, Issue.id != (issue_id or 0))
    slug = slugify(wish) or "draft"
    # What the archive calls so itself counts as taken.
    return unused(slug, set(session.scalars(query)) | ({slug} if not may_be_called(slug) else set()))


def _keep(session: Session, issue: Issue, editor_id: int | None, now: datetime, note: str = "") -> None:
    last = session.scalar(select(Revision).where(Revision.issue_id == issue.id).order_by(Revision.revision.desc()).limit(1))
    values = {"subject": issue.subject, "preheader": issue.preheader, "markdown": issue.markdown}
    fresh = last is not None and last.editor_id == editor_id and now - last.created_at < KEEP_REVISION_FOR and not last.note and not note
    if last is not None and fresh and _only_grew(last.markdown, issue.markdown):
        last.revision = issue.revision
        for name, value in values.items():
            setattr(last, name, value)
    else:
        session.add(Revision(issue_id=issue.id, revision=issue.revision, editor_id=editor_id, created_at=now, note=note, **values))
    session.flush()


def _only_grew(before: str, after: str) -> bool:
    # A version is replaced only by one that lost little of it; so an accident stays recoverable.
    return len(after) >= 0.9 * len(before)
