"""The pictures of a publication: found, described, aimed, and where they are used. It needs the issues beside the images."""

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import role
from newsletter.errors import Conflict, Refused
from newsletter.http import Reply, now, page, process, see_other, session, speech, takes, writing
from newsletter.i18n import mark
from newsletter.issues.queries import is_in_a_version, pictures_used
from newsletter.media import actions, queries
from newsletter.media.models import Image
from newsletter.media.policy import LARGEST_FILE
from newsletter.publications.models import Publication

views = Blueprint("library", __name__)
PER_PAGE = 24


@views.get("/admin/<slug>/pictures")
@role("author")
def index(publication: Publication) -> Reply:
    return _index(publication)


def _index(publication: Publication, status: int = 200, error: str = "") -> Response:
    used = _used(publication)
    words, unused, before = request.args.get("q", "").strip(), "unused" in request.args, request.args.get("before", type=int)
    found = queries.search(session(), publication.id, words=words, before=before, limit=PER_PAGE + 1, without=set(used) if unused else None)
    shown = found[:PER_PAGE]
    values = {"images": shown, "more": len(found) > PER_PAGE, "used": used, "words": words, "unused": unused, "first": before is None, "error": error}
    return page("media/index.html", status, **values, total=queries.number_of(session(), publication.id), widths=queries.widths_of)


def _used(publication: Publication) -> dict[str, list[tuple[int, str]]]:
    """Every picture that something shows, with the issues that do."""
    used = pictures_used(session(), publication.id)
    for name in (publication.logo, publication.mail_logo):
        if name:
            used.setdefault(name, [])
    return used


@views.post("/admin/<slug>/pictures")
@role("author")
@takes(8 * LARGEST_FILE)
def add(publication: Publication) -> Reply:
    """Take pictures without an editor in between."""
    files = [file for file in request.files.getlist("file") if file.filename]
    try:
        if not files:
            raise Refused(mark("No file came along."))
        for file in files[:20]:
            with writing() as writer:
                folder = queries.folder(process().settings)
                data = file.stream.read(LARGEST_FILE + 1)
                actions.add_image(writer, folder=folder, publication_id=publication.id, data=data, original=file.filename or "", now=now())
    except Refused as error:
        return _index(publication, 422, speech().refusal(error))
    return see_other(url_for("library.index", slug=publication.slug), mark("Saved."))


@views.post("/admin/<slug>/pictures/<int:image_id>")
@role("author")
def change(publication: Publication, image_id: int) -> Reply:
    """Describe a picture and say what matters on it."""
    focus = request.form.get("focus_x", 50, type=int), request.form.get("focus_y", 50, type=int)
    with writing() as writer:
        image = queries.get(writer, publication.id, image_id)
        actions.describe(writer, image, folder=queries.folder(process().settings), alt=request.form.get("alt", ""), focus=focus)
    return see_other(url_for("library.index", slug=publication.slug) + f"#picture-{image_id}", mark("Saved."))


@views.post("/admin/<slug>/pictures/<int:image_id>/delete")
@role("editor")
def throw_away(publication: Publication, image_id: int) -> Reply:
    """Delete a picture that nothing shows."""
    try:
        image = queries.get(session(), publication.id, image_id)
        _refuse_used(publication, image)
        with writing() as writer:
            actions.throw_away(writer, queries.get(writer, publication.id, image_id), folder=queries.folder(process().settings))
    except Conflict as error:
        return _index(publication, 409, speech().refusal(error))
    return see_other(url_for("library.index", slug=publication.slug), mark("The picture is gone."))


def _refuse_used(publication: Publication, image: Image) -> None:
    if image.name in _used(publication):
        raise Conflict(mark("A letter or a page shows this picture. Take it out there first."))
    if is_in_a_version(session(), publication.id, image.name):
        raise Conflict(mark("An old version of a letter shows this picture; without it the version could not be brought back whole."))
