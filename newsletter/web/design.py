"""How the letters of a publication look: layout, colours, type, logo, footer, seen while choosing."""

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, make_response, request, url_for
from sqlalchemy import inspect

from newsletter.accounts.access import editor, role
from newsletter.http import Reply, links, now, page, see_other, session, speech, tell, writing
from newsletter.i18n import mark
from newsletter.issues import queries
from newsletter.issues.composition import compose, look_of
from newsletter.issues.models import Issue
from newsletter.media.queries import images_of
from newsletter.publications.looks import NAMES, check, looks_from, looks_of, put_looks
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of
from newsletter.rendering import preview
from newsletter.rendering.look import ENOUGH, LAYOUTS, Look, contrast, inverted
from newsletter.rendering.showcase import everything
from newsletter.web.studio import STILL_POLICY, framed

views = Blueprint("design", __name__)


@views.get("/admin/<slug>/design")
@role("editor")
def show(publication: Publication) -> Reply:
    return _show(publication, looks_of(publication), {})


def _show(publication: Publication, values: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    images = [(image.name, image.original or image.name) for image in images_of(session(), publication.id)]
    words = _words_on(look_of(publication, links()))
    return page("publications/design.html", status, values=values, errors=errors, images=images, layouts=LAYOUTS, names=NAMES, words=words)


@views.post("/admin/<slug>/design")
@role("editor")
def change(publication: Publication) -> Reply:
    values = looks_from(request.form)
    errors = tell(check(values, {image.name for image in images_of(session(), publication.id)}))
    if errors:
        return _show(publication, values, errors, 422)
    with writing() as writer:
        put_looks(writer.merge(publication), values)
    return see_other(url_for("design.show", slug=publication.slug), mark("Saved. From the next letter on they look so."))


@views.post("/admin/<slug>/design/look")
@role("editor")
def look(publication: Publication) -> Reply:
    """The letter as it would look; nothing is saved."""
    values = looks_from(request.form)
    errors = check(values, {image.name for image in images_of(session(), publication.id)})
    if errors:
        return jsonify(problem=speech().refusal(next(iter(errors.values()))))
    tried = Publication(**{column.key: getattr(publication, column.key) for column in inspect(Publication).column_attrs})
    put_looks(tried, values)
    return jsonify(html=_letter(tried, request.form.get("medium", "mail")), words=_words_on(look_of(tried, links())))


@views.get("/admin/<slug>/design/letter")
@role("editor")
def letter(publication: Publication) -> Reply:
    """The same as it is saved."""
    return framed(make_response(_letter(publication, "mail")), STILL_POLICY)


def _letter(publication: Publication, medium: str) -> str:
    """The latest letter; before there is one, a letter with every block in it."""
    latest = [*queries.drafts(session(), publication.id), *queries.published(session(), publication.id, limit=1)]
    issue = next((one for one in latest if len(one.markdown) > 200), None)
    if issue is None:
        words = everything(publication.language)
        issue = Issue(subject=publication.name, preheader=publication.promise, markdown=words, slug="x", kind="letter", tags=[], id=0)
    composition = compose(session(), publication, issue, links(), issue.published_at or now())
    parts = composition.for_reader(editor().name, greeting_of(publication), links().leave("preview"))
    shown = {"dark": preview.as_dark, "inverted": preview.inverted}.get(medium, str)
    return shown(parts.html)


def _words_on(look: Look) -> list[str]:
    """What the chosen colours mean for those who read."""

    found = []
    if contrast("#1d1b18", look.paper) < ENOUGH:
        found.append(speech()("On this paper the text is too faint. Choose a lighter one."))
    if look.link != look.accent:
        found.append(speech()("As a link the colour would be too faint on this paper, so links get %(colour)s.", colour=look.link))
    if contrast(inverted(look.link), inverted(look.paper)) < ENOUGH:
        found.append(speech()("Programs that turn colours over show links too faint."))
    return found or [
        speech()("Everything can be read well, in light and in dark: a contrast of %(ratio)s.", ratio=speech().decimal(contrast(look.link, look.paper), 1))
    ]
