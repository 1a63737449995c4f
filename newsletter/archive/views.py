"""The archive served for convenience, and its page for editors."""

from flask import Blueprint, Response, abort, redirect, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound as NotFoundPage
from werkzeug.security import safe_join

from newsletter.accounts.access import role
from newsletter.archive import actions, queries
from newsletter.archive.actors import build_archive
from newsletter.broker import ring
from newsletter.http import Reply, links, now, open_to_all, page, process, see_other, session, writing
from newsletter.i18n import mark
from newsletter.issues.queries import published
from newsletter.publications.models import Publication

views = Blueprint("archive", __name__)

POLICY = "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
TYPES = {"rss.xml": "application/rss+xml", "atom.xml": "application/atom+xml", "feed.json": "application/feed+json"}


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
        response: Response = send_from_directory(root, path, max_age=300, conditional=True)
    except NotFoundPage:
        response = send_from_directory(root, "404.html", max_age=0)
        response.status_code = 404
    kind = TYPES.get(path.rpartition("/")[2])
    if kind:
        response.mimetype = kind
    response.headers["Content-Security-Policy"] = POLICY
    return response


@views.get("/admin/<slug>/archive")
@role("viewer")
def show(publication: Publication) -> Reply:
    return page(
        "archive/show.html",
        build=queries.latest(session(), publication.id),
        letters=published(session(), publication.id, limit=1),
        address=links().archive(publication.slug),
        folder=process().settings.archive_dir / publication.slug,
    )


@views.post("/admin/<slug>/archive")
@role("editor")
def rebuild(publication: Publication) -> Reply:
    with writing() as writer:
        build_id = actions.request_build(writer, publication_id=publication.id, now=now())
    ring(build_archive, build_id)
    return see_other(url_for("archive.show", slug=publication.slug), mark("The archive is being brought up to date."))
