"""What a reader sees who was asked whether her lines may be published. No log-in: the address was in her own mail."""

from flask import Blueprint, Response, abort, g, request

from newsletter.conversations import letters
from newsletter.errors import Refused
from newsletter.http import Reply, links, no_referrer, now, open_to_all, page, session, speech, without_csrf, writing
from newsletter.i18n import Speech
from newsletter.issues.composition import web_address
from newsletter.issues.models import Issue, ReaderLetter
from newsletter.publications.queries import get

views = Blueprint("readers", __name__)


@views.get("/reader-letter/<secret>")
@open_to_all
def show(secret: str) -> Reply:
    return _show(_letter(secret))


def _letter(secret: str) -> ReaderLetter:
    found = letters.by_secret(session(), secret[:100])
    if found is None:
        abort(404)
    g.speech = Speech(found.language)
    return found


def _show(letter: ReaderLetter, status: int = 200, error: str = "", name: str | None = None) -> Response:
    publication = get(session(), letter.publication_id)
    issue = session().get_one(Issue, letter.issue_id)
    address = web_address(publication, issue, links())
    return no_referrer(
        page(
            "conversations/reader.html",
            status,
            publication=publication,
            letter=letter,
            issue=issue,
            address=address,
            error=error,
            name=letter.name if name is None else name,
        )
    )


@views.post("/reader-letter/<secret>")
@open_to_all
@without_csrf
def decide(secret: str) -> Reply:
    """The button was pressed: yes, no, or take it back."""
    letter, name = _letter(secret), request.form.get("name", "")
    try:
        with writing() as writer:
            letters.decide(writer, writer.get_one(ReaderLetter, letter.id), agree=request.form.get("agree") == "yes", name=name, now=now())
    except Refused as error:
        return _show(letter, 422, speech().refusal(error), name)
    session().expire_all()
    return _show(_letter(secret))
