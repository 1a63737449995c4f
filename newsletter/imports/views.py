"""Bringing a list along, and taking it away again."""

from collections.abc import Iterator

from flask import Blueprint, Response, request, stream_with_context, url_for

from newsletter.accounts.access import editor, role
from newsletter.broker import ring
from newsletter.errors import Refused
from newsletter.forms.queries import fields_of
from newsletter.http import Reply, now, page, process, see_other, session, speech, takes, writing
from newsletter.i18n import mark
from newsletter.imports import actions, queries
from newsletter.imports.actors import run_import
from newsletter.imports.forms import MEANINGS, REASONS, list_as_csv, list_as_json
from newsletter.imports.models import Import
from newsletter.imports.reading import LARGEST_FILE
from newsletter.imports.running import progress
from newsletter.publications.models import Publication
from newsletter.segments.queries import fits

views = Blueprint("imports", __name__)


@views.get("/admin/<slug>/imports/")
@role("editor")
def index(publication: Publication) -> Reply:
    return page("imports/index.html", jobs=queries.all_of(session(), publication.id), error="")


@views.post("/admin/<slug>/imports/")
@role("editor")
@takes(LARGEST_FILE + 1024 * 1024)
def upload(publication: Publication) -> Reply:
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Refused(mark("Please choose a file."))
        with writing() as writer:
            job = actions.receive(
                writer, process().settings, publication_id=publication.id, editor_id=editor().id, stream=file.stream, file_name=file.filename, now=now()
            )  # fmt: skip
    except Refused as error:
        return page("imports/index.html", 422, jobs=queries.all_of(session(), publication.id), error=speech().refusal(error))
    finally:
        # A large upload lies in a file of the system's until it is closed.
        for one in request.files.values():
            one.close()
    return see_other(url_for("imports.show", slug=publication.slug, import_id=job.id))


@views.get("/admin/<slug>/imports/<int:import_id>")
@role("editor")
def show(publication: Publication, import_id: int) -> Reply:
    job = queries.get(session(), publication.id, import_id)
    if "part" in request.args:
        # How far it is; the page asks every second.
        return page("imports/progress.html", job=job, share_done=progress(session(), job), at_work=job.state in queries.AT_WORK)
    return _show(publication, job)


def _show(publication: Publication, job: Import, status: int = 200, error: str = "", values: dict[str, str] | None = None) -> Response:
    after = request.args.get("after", 0, int)
    refused = queries.refused(session(), job.id, after)
    return page(
        "imports/show.html", status, job=job, error=error, values=values or {"basis": job.basis, "evidence": job.evidence, "tags": ", ".join(job.tags)},
        meanings=MEANINGS, fields=fields_of(session(), publication.id), words=REASONS, reasons=queries.reasons(session(), job.id),
        refused=refused[: queries.PAGE], more=len(refused) > queries.PAGE, share_done=progress(session(), job), at_work=job.state in queries.AT_WORK,
    )  # fmt: skip


@views.post("/admin/<slug>/imports/<int:import_id>/check")
@role("editor")
def check(publication: Publication, import_id: int) -> Reply:
    """Say what the columns mean and why these people may be written to; then the file is looked through, and nothing else."""
    sent = request.form
    columns = {}
    for index in range(200):
        meaning = sent.get(f"column-{index}", "")
        if meaning == "field":
            meaning = f"field:{sent.get(f'key-{index}', '') or 'field'}"
        if meaning:
            columns[str(index)] = meaning
    values = {"mapping": {"columns": columns, "always": sent.get("always", "active")}, "update": "update" in sent}
    values |= {name: sent.get(name, "") for name in ("basis", "evidence", "tags")}
    try:
        with writing() as writer:
            job = queries.get(writer, publication.id, import_id)
            actions.prepare(writer, job, values=values, zone=publication.timezone)
    except Refused as error:
        said = {name: sent.get(name, "") for name in ("basis", "evidence", "tags")}
        return _show(publication, queries.get(session(), publication.id, import_id), 422, speech().refusal(error), said)
    ring(run_import, import_id)
    return see_other(url_for("imports.show", slug=publication.slug, import_id=import_id))


@views.post("/admin/<slug>/imports/<int:import_id>/<any(run, undo):stage>")
@role("editor")
def act(publication: Publication, import_id: int, stage: str) -> Reply:
    with writing() as writer:
        job = queries.get(writer, publication.id, import_id)
        actions.start(writer, job) if stage == "run" else actions.undo(writer, job)
    ring(run_import, import_id)
    return see_other(url_for("imports.show", slug=publication.slug, import_id=import_id))


@views.get("/admin/<slug>/subscribers/export.<any(csv, jsonl):kind>")
@role("editor")
def export(publication: Publication, kind: str) -> Reply:
    """The whole list, or a segment of it, with everything that is known: it belongs to the founder."""
    segment = request.args.get("segment", type=int)
    condition = fits(session(), publication, segment, now()) if segment else None
    lines: Iterator[str] = (list_as_csv if kind == "csv" else list_as_json)(session(), publication.id, condition=condition)
    form = "text/csv; charset=utf-8" if kind == "csv" else "application/x-ndjson"
    headers = {"Content-Disposition": f'attachment; filename="{publication.slug}.{kind}"'}
    return Response(stream_with_context(lines), headers=headers, content_type=form)
