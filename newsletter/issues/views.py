"""The writing desk: list, editor, saving, versions, preview."""

from flask import Blueprint, Response, g, jsonify, make_response, request, url_for

from newsletter.accounts.access import editor, role
from newsletter.errors import Conflict, Refused
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues import actions, queries
from newsletter.issues.composition import Composition, compose
from newsletter.issues.models import Issue
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of

views = Blueprint("issues", __name__)

# A preview is a page of its own in a frame without rights (P7). Inline styles are what mail is made of.
PREVIEW_POLICY = "sandbox; default-src 'none'; img-src {base} data:; style-src 'unsafe-inline' {base}; font-src {base}; frame-ancestors 'self'"


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


def _desk(publication: Publication, issue: Issue, status: int = 200, problem: str = "", typed: dict[str, str] | None = None) -> Response:
    composition = compose(session(), publication, issue, links(), now())
    number = queries.next_number(session(), publication.id)
    versions = len(queries.revisions(session(), issue.id))
    shown = typed or {"subject": issue.subject, "preheader": issue.preheader, "markdown": issue.markdown, "tags": ", ".join(issue.tags)}
    return page("issues/editor.html", status, issue=issue, shown=shown, composition=composition, number=number, versions=versions, problem=problem)


@views.post("/admin/<slug>/issues/<int:issue_id>")
@role("author")
def save(publication: Publication, issue_id: int) -> Reply:
    """Save by script (answers JSON) or by the button (answers with the page)."""
    issue = queries.get(session(), publication.id, issue_id)
    by_script = request.headers.get("Accept", "").startswith("application/json")
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in ("subject", "preheader", "markdown", "tags")}
    try:
        revision = _save(issue, typed)
    except Refused as error:
        status = 409 if isinstance(error, Conflict) else 422
        problem = speech().refusal(error)
        if by_script:
            return _json({"problem": problem}, status)
        return _desk(publication, issue, status, problem, typed)
    if not by_script:
        goal = "mailings.prepare" if request.form.get("then") == "send" else "issues.write"
        return see_other(url_for(goal, slug=publication.slug, issue_id=issue.id))
    return _json(_state(publication, issue, revision))


def _save(issue: Issue, typed: dict[str, str]) -> int:
    tags = list(dict.fromkeys(tag.strip()[:40] for tag in typed["tags"].split(",") if tag.strip()))[:12]
    with writing() as writer:
        return actions.save(
            writer,
            writer.merge(issue),
            revision=request.form.get("revision", 0, type=int),
            editor_id=editor().id,
            subject=" ".join(typed["subject"].split()),
            preheader=" ".join(typed["preheader"].split()),
            markdown=typed["markdown"],
            tags=tags,
            now=now(),
        )


def _state(publication: Publication, issue: Issue, revision: int) -> dict[str, object]:
    composition = compose(session(), publication, session().merge(issue), links(), now())
    words = speech().plural("%(n)s word", "%(n)s words", composition.document.words)
    return {
        "revision": revision,
        "saved": speech()("Saved at %(time)s", time=speech().time(now())),
        "words": f"{words} · {speech().plural('%(n)s minute', '%(n)s minutes', composition.document.minutes)}",
        "findings": tally(composition),
        "errors": len(composition.errors),
        "first": sentence(composition.findings[0].text, composition.findings[0].values) if composition.findings else "",
        "subject": composition.subject,
        "preheader": composition.preheader,
    }


def sentence(text: str, values: object) -> str:
    """A finding's sentence in the editor's language."""
    return speech()(text, **values) if isinstance(values, dict) and values else speech()(text)


def tally(composition: Composition) -> str:
    """„1 Fehler, 2 Warnungen“"""
    errors = len(composition.errors)
    warnings = len(composition.findings) - errors
    parts = []
    if errors:
        parts.append(speech().plural("%(n)s error", "%(n)s errors", errors))
    if warnings:
        parts.append(speech().plural("%(n)s warning", "%(n)s warnings", warnings))
    return ", ".join(parts) or speech()("Nothing to complain about")


def _json(values: dict[str, object], status: int = 200) -> Response:
    response = jsonify(values)
    response.status_code = status
    return response


@views.get("/admin/<slug>/issues/<int:issue_id>/preview/<medium>")
@role("viewer")
def preview(publication: Publication, issue_id: int, medium: str) -> Reply:
    """The issue as it will be seen: mail, dark, text or web."""
    issue = queries.get(session(), publication.id, issue_id)
    composition = compose(session(), publication, issue, links(), issue.published_at or now())
    name = g.editor.name
    parts = composition.for_reader(name, greeting_of(publication), links().leave("preview"))
    if medium == "text":
        return _framed(page("issues/preview_text.html", text=parts.text, publication=publication))
    if medium == "web":
        return _framed(
            page(
                "issues/preview_web.html",
                issue=issue,
                composition=composition,
                publication=publication,
                number=issue.number or queries.next_number(session(), publication.id),
            )
        )
    html = parts.html
    if medium == "dark":
        # The frame cannot change what its page prefers, so the condition is taken away.
        html = html.replace("@media (prefers-color-scheme: dark)", "@media all").replace('content="light dark"', 'content="dark"')
    return _framed(make_response(html))


def _framed(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY.format(base=links().base)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "no-store"
    return response


@views.get("/admin/<slug>/issues/<int:issue_id>/versions")
@role("author")
def versions(publication: Publication, issue_id: int) -> Reply:
    issue = queries.get(session(), publication.id, issue_id)
    return page("issues/versions.html", issue=issue, revisions=queries.revisions(session(), issue.id))


@views.get("/admin/<slug>/issues/<int:issue_id>/versions/<int:number>")
@role("author")
def version(publication: Publication, issue_id: int, number: int) -> Reply:
    issue = queries.get(session(), publication.id, issue_id)
    return page("issues/version.html", issue=issue, revision=queries.revision(session(), issue.id, number))


@views.post("/admin/<slug>/issues/<int:issue_id>/versions/<int:number>")
@role("author")
def restore(publication: Publication, issue_id: int, number: int) -> Reply:
    """Bring an old version back. What was there before becomes a version itself."""
    issue = queries.get(session(), publication.id, issue_id)
    old = queries.revision(session(), issue.id, number)
    with writing() as writer:
        current = writer.merge(issue)
        actions.save(writer, current, revision=current.revision, editor_id=None, subject=old.subject, preheader=old.preheader, markdown=old.markdown, now=now())
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue.id), mark("The old version is back. The one before it is kept, too."))


@views.post("/admin/<slug>/issues/<int:issue_id>/delete")
@role("editor")
def throw_away(publication: Publication, issue_id: int) -> Reply:
    issue = queries.get(session(), publication.id, issue_id)
    with writing() as writer:
        actions.throw_away(writer, writer.merge(issue))
    return see_other(url_for("issues.index", slug=publication.slug), mark("The draft is gone."))
