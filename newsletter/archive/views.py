"""The archive served for convenience, and its pages for editors."""

import re
from datetime import timedelta

from flask import Blueprint, Response, abort, make_response, redirect, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound as NotFoundPage
from werkzeug.security import safe_join

from archive_site import themes
from archive_site.visibility import VISIBILITIES
from newsletter.accounts.access import editor, role
from newsletter.archive import actions, building, forms, queries
from newsletter.archive.actors import build_archive, serve_target
from newsletter.broker import ring
from newsletter.errors import Conflict, Refused
from newsletter.federation import actions as federation
from newsletter.federation import queries as echoes
from newsletter.federation.policy import handle
from newsletter.http import Reply, links, no_referrer, now, open_to_all, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.issues.policy import listed_from, shown
from newsletter.issues.queries import get as issue_of
from newsletter.media.queries import images_of
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.publications.queries import get as publication_of
from newsletter.tokens import TokenInvalid

views = Blueprint("archive", __name__)

POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
SEARCH = POLICY + "; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"
TYPES = {"rss.xml": "application/rss+xml", "atom.xml": "application/atom+xml", "feed.json": "application/feed+json", "index.json": "application/activity+json"}
KEPT = timedelta(days=3650)


@views.get("/archive/<slug>/")
@views.get("/archive/<slug>/<path:path>")
@open_to_all
def serve(slug: str, path: str = "index.html") -> Reply:
    """A file of the static archive. Any static host would do as well."""
    root = process().settings.archive_dir / slug
    found = safe_join(str(root), path)
    if slug.startswith(".") or found is None or not (root / "index.html").is_file():
        abort(404)
    if (root / path).is_dir():
        if not path.endswith("/"):
            return redirect(f"{request.path}/", 301)  # type: ignore[return-value]
        path += "index.html"
    try:
        response: Response = send_from_directory(root, path, max_age=31_536_000 if path.startswith(("assets/", "media/")) else 300, conditional=True)
    except NotFoundPage:
        response = send_from_directory(root, "404.html", max_age=0)
        response.status_code = 404
    via = request.args.get("via", "")
    if via and path.endswith(".html") and re.fullmatch(VIA, via):
        response = _under_another_name(response, via)
    name = path.rpartition("/")[2]
    kind = TYPES.get(name) or {".md": "text/markdown", ".epub": "application/epub+zip", ".avif": "image/avif"}.get(f".{name.rpartition('.')[2]}")
    if kind:
        response.mimetype = kind
    if name.endswith((".xml", ".json", ".md")):
        response.headers["Access-Control-Allow-Origin"] = "*"
    if path.startswith(("assets/", "media/")):
        # The preview of the desk shows the page in a frame without an origin.
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Security-Policy"] = SEARCH if path.startswith("search/") else POLICY  # a worker has the policy of its own file
    return response


# Codes of links, slugs of channels; nothing else may come into a page that way.
VIA = r"[a-z0-9.-]{1,60}"


def _under_another_name(response: Response, via: str) -> Response:
    """The same page, whose form says through which link somebody came. It is nobody's own copy, so it is not kept."""
    response.direct_passthrough = False
    said = re.sub(rb'(<input type="hidden" name="via" value=")[^"]*(")', rb"\g<1>" + via.encode() + rb"\2", response.get_data())
    changed = make_response(said, response.status_code)
    response.close()
    changed.headers["Content-Type"] = response.headers["Content-Type"]
    changed.headers["Cache-Control"] = "no-store"
    return changed


@views.get("/read/<token>")
@open_to_all
def read(token: str) -> Reply:
    """An issue for those who have its mail. Nothing here leads to it, and nothing says who opens it."""
    try:
        issue = session().get(Issue, int(process().tokens.load("read", token, KEPT)))
    except (TokenInvalid, ValueError):
        abort(404)
    if issue is None or issue.state != "published":
        abort(404)
    publication = publication_of(session(), issue.publication_id)
    response = make_response(building.page_of(session(), process(), publication, issue))
    response.headers["Content-Security-Policy"] = POLICY
    return no_referrer(response)


@views.get("/admin/<slug>/archive")
@role("viewer")
def show(publication: Publication) -> Reply:
    return _show(publication, forms.looks_of(publication), {})


def _show(publication: Publication, values: dict[str, str], errors: dict[str, str], status: int = 200, target: dict[str, str] | None = None) -> Response:
    return page(
        "archive/show.html",
        status,
        build=queries.latest(session(), publication.id),
        address=archive_base(publication, links()),
        folder=process().settings.archive_dir / publication.slug,
        targets=queries.targets(session(), publication.id),
        themes=themes.names(building.themes_of(process())),
        images=[(image.name, image.original or image.name) for image in images_of(session(), publication.id)],
        values=values,
        errors=errors,
        target=target or {"kind": "folder", "place": ""},
        handle=handle(links(), publication),
        followers=echoes.followers(session(), publication.id),
        waiting=sum(row.state == "waiting" for row in echoes.mentions(session(), publication.id)),
    )


@views.post("/admin/<slug>/archive")
@role("editor")
def rebuild(publication: Publication) -> Reply:
    with writing() as writer:
        build_id = actions.request_build(writer, publication_id=publication.id, now=now())
    ring(build_archive, build_id)
    return see_other(url_for("archive.show", slug=publication.slug), mark("The archive is being brought up to date."))


@views.post("/admin/<slug>/archive/back")
@role("owner")
def take_back(publication: Publication) -> Reply:
    """Undo the last publish."""
    done = building.take_back(process(), publication.slug)
    say = mark("The archive is as it was before. The next change brings it up to date again.") if done else mark("There is nothing to take back.")
    return see_other(url_for("archive.show", slug=publication.slug), say)


@views.post("/admin/<slug>/archive/looks")
@role("owner")
def looks(publication: Publication) -> Reply:
    values = forms.looks_from(request.form)
    errors = {field: speech().refusal(error) for field, error in forms.check(values, building.themes_of(process())).items()}
    if errors:
        return _show(publication, values, errors, 422)
    with writing() as writer:
        forms.put_looks(writer.merge(publication), values)
        build_id = actions.request_build(writer, publication_id=publication.id, now=now())
    ring(build_archive, build_id)
    return see_other(url_for("archive.show", slug=publication.slug), mark("Saved."))


@views.post("/admin/<slug>/archive/targets")
@role("owner")
def add_target(publication: Publication) -> Reply:
    form = request.form
    typed = {"kind": form.get("kind", ""), "place": form.get("place", "")}
    try:
        with writing() as writer:
            home = process().settings.data_dir / "targets"
            values = typed | {"secret": form.get("secret", "")}
            target_id = actions.add_target(writer, process().tokens, publication_id=publication.id, home=home, now=now(), **values)
    except Refused as error:
        return _show(
            publication, forms.looks_of(publication), {error.field or "place": speech().refusal(error)}, 409 if isinstance(error, Conflict) else 422, typed
        )
    ring(serve_target, target_id)
    return see_other(url_for("archive.show", slug=publication.slug) + "#targets", mark("The archive is on its way there."))


@views.post("/admin/<slug>/archive/targets/<int:target_id>/<act>")
@role("owner")
def change_target(publication: Publication, target_id: int, act: str) -> Reply:
    """Send, check, pause or forget."""
    with writing() as writer:
        actions.wish(writer, queries.target(writer, publication.id, target_id), what=act, now=now())
    ring(serve_target, target_id)
    return see_other(url_for("archive.show", slug=publication.slug) + "#targets", mark("Done."))


@views.get("/admin/<slug>/issues/<int:issue_id>/archive")
@role("author")
def appearance(publication: Publication, issue_id: int) -> Reply:
    issue = issue_of(session(), publication.id, issue_id)
    return _appearance(publication, issue, forms.appearance_of(issue, publication.timezone), {})


def _appearance(publication: Publication, issue: Issue, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    others = [(str(other.id), f"{other.number} · {other.subject}") for other in queries.partners(session(), issue, editor().id)]
    return page(
        "archive/appearance.html",
        status,
        issue=issue,
        values=values,
        errors=errors,
        visibilities=VISIBILITIES,
        shown=shown(publication, issue, now()),
        listed_from=listed_from(publication, issue),
        address=f"{archive_base(publication, links())}{issue.slug}/",
        secret=links().read(issue.id),
        others=others,
        images=[(image.name, image.original or image.name) for image in images_of(session(), publication.id)],
    )


@views.post("/admin/<slug>/issues/<int:issue_id>/archive")
@role("author")
def appear(publication: Publication, issue_id: int) -> Reply:
    issue = issue_of(session(), publication.id, issue_id)
    typed = forms.appearance_from(request.form)
    try:
        values = forms.appearance_values(typed, publication.timezone)
        mine = {None, issue.counterpart_id, *(other.id for other in queries.partners(session(), issue, editor().id))}
        if values["counterpart_id"] not in mine:
            raise Refused(mark("There is no such issue."), field="counterpart_id")
        with writing() as writer:
            build_id = actions.appear(writer, issue_of(writer, publication.id, issue_id), values=values, slug=typed["slug"], now=now())
    except Refused as error:
        return _appearance(publication, issue, typed, {error.field or "slug": speech().refusal(error)}, 409 if isinstance(error, Conflict) else 422)
    ring(build_archive, build_id)
    return see_other(url_for("archive.appearance", slug=publication.slug, issue_id=issue_id), mark("Saved."))


@views.get("/admin/<slug>/mentions")
@role("viewer")
def mentions(publication: Publication) -> Reply:
    rows = echoes.mentions(session(), publication.id)
    titles = {row.issue_id: issue_of(session(), publication.id, row.issue_id).subject for row in rows}
    return page(
        "archive/mentions.html",
        mentions=rows,
        titles=titles,
        pings=echoes.pings(session(), publication.id),
        followers=echoes.followers(session(), publication.id),
        handle=handle(links(), publication),
    )


@views.post("/admin/<slug>/mentions/<int:mention_id>/<act>")
@role("editor")
def decide(publication: Publication, mention_id: int, act: str) -> Reply:
    """Show a mention below its issue, or do not."""
    if act not in ("show", "refuse"):
        abort(404)
    with writing() as writer:
        mention = echoes.mention(writer, publication.id, mention_id)
        federation.decide(writer, mention, show=act == "show")
        build_id = actions.request_build(writer, publication_id=publication.id, issue_id=mention.issue_id, now=now())
    ring(build_archive, build_id)
    return see_other(url_for("archive.mentions", slug=publication.slug), mark("Saved."))


@views.get("/ap/<slug>/issues/<int:issue_id>")
@open_to_all
def article(slug: str, issue_id: int) -> Reply:
    """An issue as an object of ActivityStreams, for servers that believe it only from here."""
    issue = session().get(Issue, issue_id)
    publication = publication_of(session(), issue.publication_id) if issue is not None else None
    if issue is None or publication is None or publication.slug != slug or shown(publication, issue, now()) != "listed":
        abort(404)
    response = make_response(building.article_of(session(), process(), publication, issue))
    response.mimetype = "application/activity+json"
    return response
