"""The writing desk: list, editor, saving, versions, comments, snippets."""

from collections.abc import Iterable

from flask import Blueprint, Response, jsonify, request, url_for
from sqlalchemy.orm import Session

from newsletter import http
from newsletter.accounts.access import editor, role
from newsletter.accounts.queries import who_may
from newsletter.errors import Conflict, Refused
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues import actions, forms, margins, queries
from newsletter.issues.composition import Composition, compose
from newsletter.issues.merging import Merged, differences
from newsletter.issues.models import Issue
from newsletter.notices.actions import tell
from newsletter.publications.models import Publication
from newsletter.rendering.findings import Finding

views = Blueprint("issues", __name__)


@views.get("/admin/<slug>/issues/")
@role("viewer")
def index(publication: Publication) -> Reply:
    before = request.args.get("before", type=int)
    letters = queries.published(session(), publication.id, limit=51, before=before)
    drafts = [] if before else queries.drafts(session(), publication.id)
    return page("issues/index.html", drafts=drafts, letters=letters[:50], more=len(letters) > 50, first=before is None)


@views.post("/admin/<slug>/issues/")
@role("author")
def add(publication: Publication) -> Reply:
    with writing() as writer:
        issue_id = actions.add_issue(writer, publication_id=publication.id, author_id=editor().id, now=now())
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue_id))


@views.get("/admin/<slug>/issues/<int:issue_id>")
@role("author")
def write(publication: Publication, issue_id: int) -> Reply:
    issue = queries.get(session(), publication.id, issue_id)
    if issue.state == "published":
        return see_other(url_for("mailings.of_issue", slug=publication.slug, issue_id=issue.id))
    return _desk(publication, issue)


def _desk(publication: Publication, issue: Issue, status: int = 200, problem: str = "", typed: forms.Typed | None = None) -> Response:
    return page(
        "issues/editor.html",
        status,
        issue=issue,
        shown=typed or forms.text_of(issue),
        composition=compose(session(), publication, issue, links(), now()),
        number=queries.next_number(session(), publication.id),
        versions=queries.number_of_versions(session(), issue.id),
        comments=queries.comments(session(), issue.id),
        remarks=_remarks(issue),
        blocks=forms.blocks(speech(), publication.language, queries.snippets(session(), publication.id)),
        problem=problem,
    )


@views.post("/admin/<slug>/issues/<int:issue_id>")
@role("author")
def save(publication: Publication, issue_id: int) -> Reply:
    """Save by script (answers JSON) or by the button (answers with the page)."""
    issue = queries.get(session(), publication.id, issue_id)
    typed = forms.text_from(request.form)
    by_script = request.headers.get("Accept", "").startswith("application/json")
    try:
        with writing() as writer:
            current = writer.merge(issue)
            revision = _save(writer, current, typed)
    except Refused as error:
        return _refused(publication, issue, typed, error, by_script=by_script)
    if by_script:
        return _json(_state(issue, revision))
    goal = "mailings.prepare" if request.form.get("then") == "send" else "issues.write"
    return see_other(url_for(goal, slug=publication.slug, issue_id=issue.id))


def _save(writer: Session, issue: Issue, typed: forms.Typed) -> Merged | None:
    words = {"subject": typed.subject, "preheader": typed.preheader, "markdown": typed.markdown}
    base = forms.base_from(request.form)
    if base is not None and issue.revision != typed.revision:
        return actions.join(writer, issue, base=base, editor_id=editor().id, **words, tags=typed.tags, now=now())
    actions.save(writer, issue, revision=typed.revision, editor_id=editor().id, **words, tags=typed.tags, now=now())
    return None


def _refused(publication: Publication, issue: Issue, typed: forms.Typed, error: Refused, *, by_script: bool) -> Reply:
    status = 409 if isinstance(error, Conflict) else 422
    issue = queries.get(session(), publication.id, issue.id)
    gone = issue.state == "published"
    if by_script:
        # Who saves by script sends along what she began with, and both texts are put together.
        return _json({"problem": speech().refusal(error), "merge": status == 409 and not gone}, status)
    if status == 409:
        with writing() as writer:
            actions.set_aside(
                writer, writer.merge(issue), editor_id=editor().id, now=now(),
                subject=typed.subject[:200], preheader=typed.preheader[:200], markdown=typed.markdown,
            )  # fmt: skip
        goal = url_for("issues.versions", slug=publication.slug, issue_id=issue.id)
        return see_other(goal, mark("Somebody else saved in the meantime. Your text is kept as a version of its own, at the top."))
    return _desk(publication, issue, status, speech().refusal(error), typed)


def _state(issue: Issue, merged: Merged | None) -> dict[str, object]:
    versions = queries.number_of_versions(session(), issue.id)
    state: dict[str, object] = {
        "revision": issue.revision,
        "saved": speech()("Saved at %(time)s", time=speech().time(now())),
        "versions": speech().plural("one version", "%(n)s versions", versions),
        "comments": _remarks(issue),
    }
    if merged is None:
        return state
    if merged.clashes:
        places = speech().listing([str(line) for line in merged.clashes])
        said = speech().plural(
            "Somebody else wrote at the same time. In line %(places)s both texts stand one below the other: keep what you want.",
            "Somebody else wrote at the same time. In the lines %(places)s both texts stand one below the other: keep what you want.",
            len(merged.clashes), places=places,
        )  # fmt: skip
    else:
        said = speech()("Somebody else wrote at the same time. Both changes are in the text now.")
    return state | {"text": {"subject": issue.subject, "preheader": issue.preheader, "markdown": issue.markdown}, "said": said}


def _remarks(issue: Issue) -> str:
    count = len(queries.comments(session(), issue.id))
    return speech().plural("one comment", "%(n)s comments", count) if count else speech()("Comments")


def sentence(text: str, values: object) -> str:
    """A finding's sentence in the editor's language."""
    return speech()(text, **values) if isinstance(values, dict) and values else speech()(text)


def tally(composition: Composition) -> str:
    """„1 Fehler, 2 Warnungen“"""
    return tally_of(composition.findings)


def tally_of(findings: Iterable[Finding]) -> str:
    """The same of any findings."""
    levels = [finding.level for finding in findings]
    errors, warnings, hints = (levels.count(level) for level in ("error", "warning", "hint"))
    parts = []
    if errors:
        parts.append(speech().plural("%(n)s error", "%(n)s errors", errors))
    if warnings:
        parts.append(speech().plural("%(n)s warning", "%(n)s warnings", warnings))
    if hints:
        parts.append(speech().plural("%(n)s hint", "%(n)s hints", hints))
    return ", ".join(parts) or speech()("Nothing to complain about")


def _json(values: dict[str, object], status: int = 200) -> Response:
    response = jsonify(values)
    response.status_code = status
    return response


@views.get("/admin/<slug>/issues/<int:issue_id>/versions")
@role("author")
def versions(publication: Publication, issue_id: int) -> Reply:
    issue = queries.get(session(), publication.id, issue_id)
    return page("issues/versions.html", issue=issue, revisions=queries.versions(session(), issue.id))


@views.get("/admin/<slug>/issues/<int:issue_id>/versions/<int:number>")
@role("author")
def version(publication: Publication, issue_id: int, number: int) -> Reply:
    """One version, with what changed: against the one before, or against the text of today."""
    issue = queries.get(session(), publication.id, issue_id)
    revision = queries.revision(session(), issue.id, number)
    before = queries.before(session(), issue.id, number)
    against = request.args.get("against", "before")
    old, new = (revision.markdown, issue.markdown) if against == "now" else (before.markdown if before else "", revision.markdown)
    return page("issues/version.html", issue=issue, revision=revision, before=before, against=against, rows=differences(old, new))


@views.post("/admin/<slug>/issues/<int:issue_id>/versions/<int:number>")
@role("author")
def restore(publication: Publication, issue_id: int, number: int) -> Reply:
    """Bring an old version back. What was there before becomes a version itself."""
    issue = queries.get(session(), publication.id, issue_id)
    old = queries.revision(session(), issue.id, number)
    with writing() as writer:
        current = writer.merge(issue)
        actions.save(
            writer, current, revision=current.revision, editor_id=editor().id, note="back", now=now(),
            subject=old.subject, preheader=old.preheader, markdown=old.markdown,
        )  # fmt: skip
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue.id), mark("The old version is back. The one before it is kept, too."))


@views.post("/admin/<slug>/issues/<int:issue_id>/comments")
@role("author")
def remark(publication: Publication, issue_id: int) -> Reply:
    """Say something about a passage, or say that it is done."""
    issue = queries.get(session(), publication.id, issue_id)
    done = request.form.get("done", type=int)
    with writing() as writer:
        if done is not None:
            margins.settle(writer, writer.merge(issue), done, now=now())
        else:
            words = request.form.get("words", "")
            margins.comment(writer, writer.merge(issue), editor_id=editor().id, quote=request.form.get("quote", ""), words=words, now=now())
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue.id))


@views.post("/admin/<slug>/issues/<int:issue_id>/ready")
@role("author")
def ready(publication: Publication, issue_id: int) -> Reply:
    """„Ready for review“: its author has done her part."""
    issue = queries.get(session(), publication.id, issue_id)
    calls = request.form.get("ready") == "yes"
    with writing() as writer:
        current = writer.merge(issue)
        margins.call_ready(writer, current, editor_id=editor().id, ready=calls, now=now())
        if calls:
            facts = {"subject": issue.subject, "author": editor().name, "link": links().issue(publication.slug, issue.id)}
            tell(writer, publication, "ready", who_may(writer, publication.id, "editor", but=editor().id), now=now(), **facts)
    said = mark("It is ready for review. Whoever may send has got a mail.") if calls else mark("It is being written again.")
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue.id), said)


@views.post("/admin/<slug>/issues/<int:issue_id>/delete")
@role("editor")
def throw_away(publication: Publication, issue_id: int) -> Reply:
    issue = queries.get(session(), publication.id, issue_id)
    with writing() as writer:
        actions.throw_away(writer, writer.merge(issue))
    return see_other(url_for("issues.index", slug=publication.slug), mark("The draft is gone."))


@views.get("/admin/<slug>/snippets")
@role("author")
def snippets(publication: Publication) -> Reply:
    return _snippets(publication, {}, {})


def _snippets(publication: Publication, typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    return page("issues/snippets.html", status, snippets=queries.snippets(session(), publication.id), typed=typed, errors=errors)


@views.post("/admin/<slug>/snippets")
@role("author")
def put_snippet(publication: Publication) -> Reply:
    """Write a snippet, or delete one."""
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("name", "markdown")}
    drop = request.form.get("drop", type=int)
    try:
        with writing() as writer:
            if drop is not None:
                margins.drop_snippet(writer, publication.id, drop)
            else:
                margins.put_snippet(writer, publication.id, **typed, now=now())
    except Refused as error:
        return _snippets(publication, typed, http.tell({error.field: error}), 422)
    said = mark("Saved.") if drop is None else mark("The snippet is gone. Letters that have left keep its words.")
    return see_other(url_for("issues.snippets", slug=publication.slug), said)
