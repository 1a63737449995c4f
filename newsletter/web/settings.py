"""The settings of a publication. They stand here because the archive follows them."""

from flask import Blueprint, request, url_for

from newsletter.accounts.access import role
from newsletter.archive.actions import request_build
from newsletter.archive.actors import build_archive
from newsletter.broker import ring
from newsletter.http import Reply, now, page, see_other, tell, writing
from newsletter.i18n import mark
from newsletter.publications import actions, policy
from newsletter.publications.forms import ZONES, values_from
from newsletter.publications.models import Publication

views = Blueprint("settings", __name__)


@views.get("/admin/<slug>/settings")
@role("owner")
def show(publication: Publication) -> Reply:
    values = {column: getattr(publication, column) for column in actions.COLUMNS}
    return page("publications/settings.html", values=values, errors={}, zones=ZONES)


@views.post("/admin/<slug>/settings")
@role("owner")
def change(publication: Publication) -> Reply:
    values = values_from(request.form)
    errors = tell(policy.check(values))
    if errors:
        return page("publications/settings.html", 422, values=values, errors=errors, zones=ZONES)
    with writing() as writer:
        actions.change_publication(writer, publication, values=values)
        build_id = request_build(writer, publication_id=publication.id, now=now())
    ring(build_archive, build_id)
    return see_other(url_for("settings.show", slug=publication.slug), mark("Saved."))
