"""Letters from elsewhere, brought along by hand."""

from dataclasses import asdict

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import editor, role
from newsletter.archive.actors import build_archive
from newsletter.archive.queries import latest
from newsletter.broker import ring
from newsletter.errors import Refused
from newsletter.http import Reply, page, process, session, speech, takes, writing
from newsletter.i18n import mark
from newsletter.issues.queries import numbered
from newsletter.manuscripts.reading import LARGEST, SOURCES, read
from newsletter.manuscripts.taking import Outcome, gather, take
from newsletter.publications.models import Publication

views = Blueprint("manuscripts", __name__)


@views.get("/admin/<slug>/issues/import")
@role("editor")
def begin(publication: Publication) -> Reply:
    return _begin()


def _begin(status: int = 200, error: str = "") -> Response:
    return page("issues/import.html", status, sources=SOURCES, error=error, outcome=None)


@views.post("/admin/<slug>/issues/import")
@role("editor")
@takes(LARGEST + 1024 * 1024)
def bring(publication: Publication) -> Reply:
    """Read a file, fetch its pictures, write its letters. Nobody gets a mail by it."""
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Refused(mark("No file came along."))
        bundle = read(file.filename, file.stream.read(LARGEST + 1))
        pictures = gather(process().web, bundle)
        with writing() as writer:
            publish = request.form.get("goal") == "archive"
            outcome = take(writer, process(), publication, bundle, pictures, author_id=editor().id, publish=publish)
    except Refused as error:
        return _begin(422, speech().refusal(error))
    return _show(publication, outcome)


def _show(publication: Publication, outcome: Outcome) -> Response:
    build = latest(session(), publication.id)
    if outcome.published and build is not None:
        ring(build_archive, build.id)
    values = asdict(outcome) | {"issues": numbered(session(), outcome.issues), "source": SOURCES[outcome.source]}
    return page("issues/import.html", 200, sources=SOURCES, error="", outcome=values, again=url_for("manuscripts.begin", slug=publication.slug))
