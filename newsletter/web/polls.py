"""Answers of polls. A number rises; who pressed is neither asked nor stored."""

from datetime import timedelta
from typing import NamedTuple

from flask import Blueprint, Response, abort, g, request

from newsletter.accounts.actions import count as counted_in
from newsletter.http import Reply, links, no_referrer, now, open_to_all, page, process, session, speech, without_csrf, writing
from newsletter.i18n import Speech
from newsletter.issues import margins
from newsletter.issues.composition import web_address
from newsletter.issues.models import Issue
from newsletter.issues.queries import get as issue_of
from newsletter.issues.queries import shelf, votes
from newsletter.people.voices import ENOUGH, PATIENCE, TOO_EARLY, TOO_LATE, TOO_QUICK, loaded
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of
from newsletter.publications.queries import get as publication_of
from newsletter.rendering import merge
from newsletter.rendering.blocks import Block
from newsletter.rendering.document import make_document
from newsletter.tokens import TokenInvalid, new_secret

views = Blueprint("polls", __name__)

# A link in a letter works as long as the letter lies in somebody's mailbox.
KEPT = timedelta(days=3650)


class Found(NamedTuple):
    """An answer of a poll in an issue that has left."""

    issue: Issue
    publication: Publication
    block: Block
    number: int
    choice: int


@views.get("/v/<token>")
@open_to_all
def ask(token: str) -> Reply:
    """Which answer was chosen, and a button. A look at it changes nothing."""
    return _ask(_found(token))


def _ask(found: Found, status: int = 200, wrong: str = "") -> Response:
    # The number in the proof counts, not its characters: a signed token can be written in several ways (T3).
    shown = process().tokens.sign("vote shown", f"{new_secret()} {found.issue.id} {found.number}")
    return _page(found, "polls/ask.html", status, choice=found.block.options[found.choice - 1], shown=shown, wrong=wrong)


@views.post("/v/<token>")
@open_to_all
@without_csrf
def count(token: str) -> Reply:
    """The button was pressed. The page's own proof must come along; each proof counts once."""
    found = _found(token)
    proof = request.form.get("shown", "")
    nonce, _, about = loaded(proof, "vote shown", PATIENCE).partition(" ")
    if about != f"{found.issue.id} {found.number}":
        return _ask(found, 422, speech()(TOO_LATE))
    if loaded(proof, "vote shown", TOO_QUICK):
        return _ask(found, 422, speech()(TOO_EARLY))
    with writing() as writer:
        if counted_in(writer, key=f"vote:{nonce}", window=PATIENCE, now=now()) == 1:
            margins.vote(writer, found.issue.id, found.number, found.choice)
    counted = votes(session(), found.issue.id)
    numbers = [counted.get((found.number, answer), 0) for answer in range(1, len(found.block.options) + 1)]
    return _page(found, "polls/thanks.html", numbers=numbers, enough=sum(numbers) >= ENOUGH)


def _found(token: str) -> Found:
    try:
        issue_id, number, choice = (int(part) for part in process().tokens.load("vote", token, KEPT).split("-"))
        row = session().get(Issue, issue_id)
        if row is None or row.state != "published":
            abort(404)
        publication = publication_of(session(), row.publication_id)
        issue = issue_of(session(), publication.id, issue_id)
    except (TokenInvalid, ValueError):
        abort(404)
    g.speech = Speech(publication.language, publication.timezone)
    known = shelf(session(), publication, issue, links())
    block = make_document(issue.markdown, publication.language, None, known.snippets, known.cards).poll(number)
    if block is None or not 1 <= choice <= len(block.options):
        abort(404)
    return Found(issue, publication, block, number, choice)


def _page(found: Found, template: str, status: int = 200, **values: object) -> Response:
    question = merge.fill_html(found.block.html, merge.values_of("", greeting_of(found.publication)))
    address = web_address(found.publication, found.issue, links())
    return no_referrer(page(template, status, publication=found.publication, block=found.block, question=question, address=address, **values))
