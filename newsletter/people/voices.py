"""Small questions, answered on the reader's own page: one press, counted once, and room for more words."""

from datetime import timedelta
from typing import NamedTuple

from flask import Blueprint, Response, abort, request

from newsletter.accounts.actions import count
from newsletter.conversations.receiving import speak_up
from newsletter.errors import Refused
from newsletter.http import Reply, links, no_referrer, now, open_to_all, page, process, session, speech, without_csrf, writing
from newsletter.i18n import mark
from newsletter.issues import margins
from newsletter.issues.composition import FEEDBACK, web_address
from newsletter.issues.models import Issue
from newsletter.issues.queries import feedback, shelf, votes
from newsletter.people.preferences import visit_of
from newsletter.people.queries import Person
from newsletter.publications.policy import greeting_of
from newsletter.rendering import merge
from newsletter.rendering.document import make_document
from newsletter.rendering.mail import WORTH_IT
from newsletter.tokens import TokenInvalid

views = Blueprint("voices", __name__)

# Below this many answers a share would tell who gave them.
ENOUGH = 5
WORDS_A_DAY = 5
TOO_QUICK, PATIENCE = timedelta(seconds=1), timedelta(days=1)


class Question(NamedTuple):
    """What was asked, and what can be answered. ``number`` is 0 for whether the letter was worth reading."""

    one: Person
    issue: Issue
    number: int
    html: str
    options: tuple[str, ...]


@views.get("/m/<secret>/say/<int:issue_id>/<int:question>/<int:choice>")
@open_to_all
def ask(secret: str, issue_id: int, question: int, choice: int) -> Reply:
    """Which answer was chosen, and a button. Programs that follow every link of a mail change nothing."""
    return _ask(_question(secret, issue_id, question, choice), choice)


def _question(secret: str, issue_id: int, question: int, choice: int) -> Question:
    one = visit_of(secret).one
    issue = session().get(Issue, issue_id)
    if issue is None or issue.publication_id != one.publication.id or issue.state != "published":
        abort(404)
    if question == 0:
        found = Question(one, issue, 0, speech()(WORTH_IT), tuple(speech()(words) for words in FEEDBACK))
    else:
        known = shelf(session(), one.publication, issue, links())
        block = make_document(issue.markdown, one.publication.language, None, known.snippets, known.cards).poll(question)
        if block is None:
            abort(404)
        found = Question(one, issue, question, merge.fill_html(block.html, merge.values_of("", greeting_of(one.publication))), tuple(block.options))
    if not 1 <= choice <= len(found.options):
        abort(404)
    return found


def _ask(found: Question, choice: int, status: int = 200, error: str = "") -> Response:
    shown = process().tokens.sign("voice shown", f"{found.one.subscription.id}-{found.issue.id}-{found.number}")
    return _page(found, "polls/own.html", status, choice=choice, chosen=found.options[choice - 1], shown=shown, error=error)


@views.post("/m/<secret>/say/<int:issue_id>/<int:question>/<int:choice>")
@open_to_all
@without_csrf
def say(secret: str, issue_id: int, question: int, choice: int) -> Reply:
    """The button was pressed; or words were added, which begin a conversation."""
    found = _question(secret, issue_id, question, choice)
    if "words" in request.form:
        return _more(found, request.form["words"])
    if wrong := _not_by_hand(found):
        return _ask(found, choice, 422, speech()(wrong))
    with writing() as writer:
        margins.say(writer, process().tokens, issue_id=issue_id, question=question, subscription_id=found.one.subscription.id, choice=choice)
    return _thanks(found)


def _not_by_hand(found: Question) -> str:
    """What speaks against a person having pressed: programs that look through mail press every button at once (A2)."""
    proof, about = request.form.get("shown", ""), f"{found.one.subscription.id}-{found.issue.id}-{found.number}"
    if loaded(proof, "voice shown", PATIENCE) != about:
        return TOO_LATE
    return TOO_EARLY if loaded(proof, "voice shown", TOO_QUICK) else ""


def loaded(proof: str, purpose: str, age: timedelta) -> str:
    """What a page's own proof says, or nothing when it is older than that, or none."""
    try:
        return process().tokens.load(purpose, proof, age)
    except TokenInvalid:
        return ""


TOO_LATE = mark("This page was open for too long. Press the button once more.")
TOO_EARLY = mark("That was quicker than a person reads. Press the button once more.")


def _more(found: Question, words: str) -> Response:
    try:
        with writing() as writer:
            if count(writer, key=f"words:{found.one.subscription.id}", window=timedelta(days=1), now=now()) <= WORDS_A_DAY:
                speak_up(writer, found.one.publication, found.one.subscriber, found.one.subscription, found.issue, words=words, now=now())
    except Refused as error:
        return _thanks(found, 422, speech().refusal(error))
    return _thanks(found, said=True)


def _thanks(found: Question, status: int = 200, error: str = "", *, said: bool = False) -> Response:
    counted = votes(session(), found.issue.id) if found.number else {(0, choice): number for choice, number in feedback(session(), found.issue.id).items()}
    numbers = [counted.get((found.number, choice), 0) for choice in range(1, len(found.options) + 1)]
    return _page(found, "polls/said.html", status, numbers=numbers, enough=found.number > 0 and sum(numbers) >= ENOUGH, said=said, error=error)


def _page(found: Question, template: str, status: int = 200, **values: object) -> Response:
    address = web_address(found.one.publication, found.issue, links())
    return no_referrer(
        page(template, status, publication=found.one.publication, question=found.html, options=found.options, number=found.number, address=address, **values)
    )
