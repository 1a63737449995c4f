"""Signing up, confirming, leaving: the pages that everybody sees."""

from datetime import timedelta

from flask import Blueprint, Response, abort, g, make_response, request

from newsletter.broker import ring
from newsletter.errors import NotFound, Refused
from newsletter.http import Reply, links, network, no_referrer, now, open_to_all, page, process, session, speech, without_csrf, writing
from newsletter.i18n import Speech
from newsletter.issues.queries import published
from newsletter.mail.addresses import parse
from newsletter.notices.actors import send_notice
from newsletter.publications.models import Publication
from newsletter.publications.queries import by_slug, get
from newsletter.subscriptions import actions, policy, queries
from newsletter.tokens import TokenExpired, TokenInvalid, digest

views = Blueprint("subscriptions", __name__)


def _publication(slug: str) -> Publication:
    try:
        publication = by_slug(session(), slug)
    except NotFound:
        abort(404)
    _speak_as(publication)
    return publication


def _speak_as(publication: Publication) -> None:
    g.speech = Speech(publication.language, publication.timezone)


@views.get("/p/<slug>")
@open_to_all
def sign_up(slug: str) -> Reply:
    publication = _publication(slug)
    return _form(publication, via=request.args.get("via", "")[:60], email="", error="")


def _form(publication: Publication, *, via: str, email: str, error: str, status: int = 200) -> Response:
    form = queries.first_form(session(), publication.id)
    if form is None:
        abort(404)
    letters = published(session(), publication.id, limit=3)
    # Shown when; who answers faster than a person can is none (A1).
    shown = process().tokens.sign("form", publication.slug)
    return page("subscriptions/sign_up.html", status, publication=publication, form=form, letters=letters, via=via, email=email, error=error, shown=shown)


@views.post("/p/<slug>/subscribe")
@open_to_all
@without_csrf
def subscribe(slug: str) -> Reply:
    """Takes a plain HTML form from any site. The answer says nothing about who is subscribed (A1)."""
    publication = _publication(slug)
    form = queries.first_form(session(), publication.id)
    if form is None:
        abort(404)
    typed = request.form.get("email", "")
    wish = actions.Request(typed, request.form.get("name", "")[:120], request.form.get("via", ""), network(), request.headers.get("Origin", "")[:200])
    try:
        address = parse(typed)
        if not _machine():
            with writing() as writer:
                notice_id = actions.ask(writer, process().tokens, links(), publication=publication, form=form, request=wish, now=now())
            if notice_id:
                ring(send_notice, notice_id)
    except Refused as error:
        return _form(publication, via=wish.via, email=typed[:254], error=speech().refusal(error), status=422)
    until = now() + policy.CONFIRM_WITHIN
    return page("subscriptions/check_mail.html", publication=publication, email=address.text, until=until)


def _machine() -> bool:
    if request.form.get("website"):
        return True
    shown = request.form.get("shown", "")
    if not shown:
        return False  # a form on another site carries no such field
    try:
        process().tokens.load("form", shown, timedelta(days=7))
    except TokenInvalid:
        return False
    return _younger_than(shown, "form", policy.TOO_QUICK)


def _younger_than(token: str, purpose: str, age: timedelta) -> bool:
    try:
        process().tokens.load(purpose, token, age - timedelta(seconds=1))
    except TokenExpired:
        return False
    return True


@views.get("/p/<slug>/privacy")
@open_to_all
def privacy(slug: str) -> Reply:
    publication = _publication(slug)
    return page("subscriptions/privacy.html", publication=publication)


@views.get("/confirm/<token>")
@open_to_all
def question(token: str) -> Reply:
    """The question. Mail scanners open it, run its scripts and follow its links: nothing changes (A2)."""
    return _question(token)


def _question(token: str, hurried: bool = False) -> Response:
    secret, found = _open(token)
    if found is None:
        return no_referrer(page("subscriptions/expired.html", 410, publication=g.publication))
    confirmation, subscription, subscriber = found
    publication = get(session(), subscription.publication_id)
    _speak_as(publication)
    form = queries.first_form(session(), publication.id)
    if confirmation.used_at is not None or form is None:
        return no_referrer(page("subscriptions/confirmed.html", publication=publication, again=True, active=subscription.state == "active"))
    pressed = process().tokens.sign("press", digest(secret))
    return no_referrer(
        page("subscriptions/confirm.html", publication=publication, form=form, email=subscriber.email, token=token, pressed=pressed, hurried=hurried)
    )


def _open(token: str) -> tuple[str, queries.Question | None]:
    try:
        secret = process().tokens.load("confirm", token, policy.CONFIRM_WITHIN)
    except TokenInvalid:
        return "", None
    return secret, queries.open_question(session(), secret)


@views.post("/confirm/<token>")
@open_to_all
@without_csrf
def answer(token: str) -> Reply:
    """The button was pressed. The page's own proof must come along, and be two seconds old (A2)."""
    secret, found = _open(token)
    if found is None:
        return _question(token)
    pressed = request.form.get("pressed", "")
    try:
        if process().tokens.load("press", pressed, policy.CONFIRM_WITHIN) != digest(secret):
            return _question(token)
    except TokenInvalid:
        return _question(token)
    if _younger_than(pressed, "press", policy.TOO_QUICK):
        return _question(token, hurried=True)
    publication = get(session(), found[1].publication_id)
    _speak_as(publication)
    form = queries.first_form(session(), publication.id)
    with writing() as writer:
        done = form is not None and actions.confirm(writer, process().tokens, publication=publication, form=form, secret=secret, now=now())
    return no_referrer(
        page("subscriptions/confirmed.html", publication=publication, again=not done, active=True, letters=published(session(), publication.id, limit=3))
    )


@views.get("/u/<secret>")
@open_to_all
def leaving(secret: str) -> Reply:
    """Asks. Opening it changes nothing, whoever opens it (U5)."""
    found = queries.by_leave_link(session(), secret[:100])
    if found is None:
        return no_referrer(page("subscriptions/left.html", publication=None))
    subscription, subscriber = found
    publication = get(session(), subscription.publication_id)
    _speak_as(publication)
    if subscription.state == "unsubscribed":
        return no_referrer(page("subscriptions/left.html", publication=publication))
    return no_referrer(page("subscriptions/leave.html", publication=publication, email=subscriber.email, secret=secret))


@views.post("/u/<secret>")
@open_to_all
@without_csrf
def leave(secret: str) -> Reply:
    """Leaves, at once: by one click of a mail program (RFC 8058) or by the button of our page (U3, U4, U7)."""
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    if not one_click and request.form.get("leave") != "yes":
        return leaving(secret)
    how = "one click in the mail program (RFC 8058)" if one_click else "pressed the button on the unsubscribe page"
    with writing() as writer:
        subscription = actions.leave(writer, secret=secret[:100], how=how, now=now())
    if one_click:
        return no_referrer(make_response("ok\n", 200, {"Content-Type": "text/plain"}))
    publication = get(session(), subscription.publication_id) if subscription else None
    if publication:
        _speak_as(publication)
    return no_referrer(page("subscriptions/left.html", publication=publication))
