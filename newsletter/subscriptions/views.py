"""Signing up, confirming, leaving: the pages that everybody sees."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, make_response, request

from newsletter.broker import ring
from newsletter.channels.policy import share_code
from newsletter.channels.queries import names
from newsletter.errors import NotFound, Refused
from newsletter.forms import policy as forms
from newsletter.forms.queries import get as form_of
from newsletter.forms.queries import wording_of
from newsletter.growth.actions import add
from newsletter.http import Reply, links, network, no_referrer, now, open_to_all, page, process, session, tell, without_csrf, writing
from newsletter.i18n import Speech
from newsletter.issues.queries import published
from newsletter.mail.addresses import parse
from newsletter.mail.headers import guard
from newsletter.notices.actors import send_notice
from newsletter.publications.models import Publication
from newsletter.publications.queries import get
from newsletter.rendering.merge import clean
from newsletter.shield import work
from newsletter.shield.policy import TOO_QUICK, WAIT, WORK_BITS
from newsletter.subscriptions import actions, policy, queries
from newsletter.subscriptions.asking import Setting, Wish
from newsletter.subscriptions.desk import Desk
from newsletter.tokens import TokenExpired, TokenInvalid, digest

views = Blueprint("subscriptions", __name__)


def desk() -> Desk:
    """Where this process takes sign-ups."""
    found: Desk = current_app.extensions.setdefault("desk", Desk(process()))
    return found


def setting_of(slug: str, form: str = "", *, fresh: bool = False) -> Setting:
    try:
        setting = desk().setting(slug, form, fresh=fresh)
    except NotFound:
        abort(404)
    speak_as(setting.publication, setting.form.language)
    return setting


def speak_as(publication: Publication, language: str = "") -> None:
    """Speak to whoever reads this page in the language of a publication, or of a form or a person."""
    g.speech = Speech(language or publication.language, publication.timezone)


@views.get("/p/<slug>")
@open_to_all
def sign_up(slug: str) -> Reply:
    return _form(setting_of(slug, fresh=True), typed={"via": request.args.get("via", "")[:60]})


@views.get("/p/<slug>/f/<form>")
@open_to_all
def form_page(slug: str, form: str) -> Reply:
    return _form(setting_of(slug, form, fresh=True), typed={"via": request.args.get("via", "")[:60]})


@views.get("/p/<slug>/f/<form>/embed")
@open_to_all
def embedded(slug: str, form: str) -> Reply:
    """The form alone, for a frame on another site. It runs no script, there or here."""
    setting = setting_of(slug, form, fresh=True)
    return _framed(setting, _form(setting, typed={"via": request.args.get("via", "")[:60]}, embedded=True))


def _framed(setting: Setting, response: Response) -> Response:
    """Let the sites that a form names show this page in a frame."""
    sites = " ".join(setting.form.origins) or "*"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'self' {sites}"
    )
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _form(setting: Setting, *, typed: dict[str, str], errors: dict[str, str] | None = None, status: int = 200, embedded: bool = False) -> Response:
    publication, form = setting.publication, setting.form
    if form.state == "closed":
        return page("subscriptions/closed.html", 410, publication=publication)
    letters = published(session(), publication.id, limit=3) if form.show_letters and not embedded else []
    readers = queries.counts(session(), publication.id)["active"] if form.show_readers else 0
    return page(
        "subscriptions/embedded.html" if embedded else "subscriptions/sign_up.html",
        status, publication=publication, form=form, letters=letters, readers=readers, typed=typed, errors=errors or {}, shown=_shown(setting),
        wording=next(reversed(setting.wordings)), embedded=embedded,
    )  # fmt: skip


def _shown(setting: Setting) -> str:
    """Shown when: who answers faster than a person can is none (A1)."""
    return process().tokens.sign("form", setting.publication.slug)


@views.post("/p/<slug>/subscribe")
@open_to_all
@without_csrf
def subscribe(slug: str) -> Reply:
    """Takes a plain HTML form from any site that the form allows. The answer says nothing about who is subscribed (A1)."""
    setting = setting_of(slug, request.form.get("form", "")[:60])
    if not may_post(setting):
        return page("subscriptions/foreign.html", 403, publication=setting.publication)
    framed = "embedded" in request.form
    wish, errors = wish_of(setting, request.form.to_dict())
    wrong: dict[str, Any] = {"typed": request.form.to_dict(), "errors": tell(errors), "status": 422, "embedded": framed}
    response = _form(setting, **wrong) if wish is None else _ask(setting, wish)
    return _framed(setting, response) if framed else response


def may_post(setting: Setting) -> bool:
    return forms.may_post(setting.form.origins, request.headers.get("Origin", ""), process().settings.base_url, setting.publication.archive_base)


def _ask(setting: Setting, wish: Wish) -> Response:
    desk().ask(wish)
    if wish.outcome == "work":
        return _ask_for_work(setting, request.form.to_dict(), tried="work" in request.form)
    if wish.notice_id:
        ring(send_notice, wish.notice_id)
    publication = setting.publication
    mailbox = policy.mailbox_of(wish.address.domain, publication.from_address)
    return page(
        "subscriptions/check_mail.html",
        publication=publication, form=setting.form, email=wish.address.text, until=now() + policy.CONFIRM_WITHIN, mailbox=mailbox,
        embedded="embedded" in request.form,
    )  # fmt: skip


def wish_of(setting: Setting, given: dict[str, str]) -> tuple[Wish | None, dict[str, Refused]]:
    """What a page or a program sent, checked; or what is wrong with it, by field."""
    answers, errors = forms.answers(setting.form.fields, {name.removeprefix("field-"): value for name, value in given.items() if name.startswith("field-")})
    try:
        address = parse(given.get("email", ""))
        name = clean(guard(given.get("name", "")[:120], "name"))
    except Refused as error:
        return None, {error.field or "email": error} | errors
    if errors:
        return None, errors
    wording = given.get("wording", "")
    wish = Wish(
        setting, address, name, answers, given.get("via", "")[:60], network(), request.headers.get("Origin", "")[:200],
        int(wording) if wording.isascii() and wording.isdigit() and len(wording) < 10 else 0, _machine(given),
    )  # fmt: skip
    if given.get("work"):
        wish.worked = _has_worked(given["work"], given.get("number", ""))
    return wish, {}


def _has_worked(challenge: str, number: str) -> bool:
    if not work.is_done(process().tokens, challenge, number):
        return False
    with writing() as writer:
        return work.use_up(writer, challenge, now=now())


def _machine(given: dict[str, str]) -> str:
    """Why this looks like a machine's; nothing, when it does not (A1)."""
    if given.get("website"):
        return "trap"
    shown = given.get("shown", "")
    if not shown:
        return ""  # a form on another site carries no such field
    try:
        process().tokens.load("form", shown, timedelta(days=7))
    except TokenInvalid:
        return ""
    return "quick" if _younger_than(shown, "form", TOO_QUICK) else ""


def _younger_than(token: str, purpose: str, age: timedelta) -> bool:
    try:
        process().tokens.load(purpose, token, age - timedelta(seconds=1))
    except TokenExpired:
        return False
    return True


def _ask_for_work(setting: Setting, given: dict[str, str], tried: bool) -> Response:
    """So many sign up that each has to show that somebody is behind it: a second page, with what was typed in it."""
    kept = {name: value[:500] for name, value in given.items() if name not in ("work", "number", "website", "shown")}
    challenge = work.challenge(process().tokens)
    return page(
        "subscriptions/work.html", 429,
        publication=setting.publication, kept=kept, challenge=challenge, bits=WORK_BITS, wait=int(WAIT.total_seconds()), tried=tried,
        embedded="embedded" in given,
    )  # fmt: skip


@views.get("/p/<slug>/privacy")
@open_to_all
def privacy(slug: str) -> Reply:
    setting = setting_of(slug)
    return page("subscriptions/privacy.html", publication=setting.publication, years=process().settings.proof_years, days=process().settings.forget_after_days)


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
    form = form_of(session(), publication.id, confirmation.form_id) or desk().setting(publication.slug).form
    speak_as(publication, subscription.language or form.language)
    if confirmation.used_at is not None:
        return no_referrer(page("subscriptions/confirmed.html", publication=publication, form=form, again=True, active=subscription.state == "active"))
    pressed = process().tokens.sign("press", digest(secret))
    return no_referrer(
        page(
            "subscriptions/confirm.html",
            publication=publication,
            form=form,
            email=subscriber.email,
            token=token,
            pressed=pressed,
            hurried=hurried,
            wording=wording_of(session(), form),
            days=process().settings.forget_after_days,
        )
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
    confirmation, subscription, _ = found
    if not _pressed(secret):
        return _ignored(token, subscription.publication_id)
    if _younger_than(request.form.get("pressed", ""), "press", TOO_QUICK):
        return _ignored(token, subscription.publication_id, hurried=True)
    publication = get(session(), subscription.publication_id)
    form = form_of(session(), publication.id, confirmation.form_id) or desk().setting(publication.slug).form
    speak_as(publication, subscription.language or form.language)
    with writing() as writer:
        done = actions.confirm(
            writer, process().tokens, links(), publication=publication, form=form, secret=secret, wording_id=request.form.get("wording", 0, int), now=now()
        )
    letters = published(session(), publication.id, limit=3)
    ways = [one for one in names(session(), publication.id).values() if one.ended_at is None]
    share = links().shared(share_code(process().tokens, subscription.id))
    return no_referrer(
        page("subscriptions/confirmed.html", publication=publication, form=form, again=done is None, active=True, letters=letters, ways=ways, share=share)
    )


@views.post("/confirm/<token>/heard")
@open_to_all
@without_csrf
def heard(token: str) -> Reply:
    """How she heard of it, in her own words: a second source beside the links. The link of the confirmation is the proof."""
    secret, found = _open(token)
    if found is None:
        return _question(token)
    publication = get(session(), found[1].publication_id)
    channel_id = request.form.get("channel", 0, int)
    with writing() as writer:
        known = channel_id if channel_id in names(writer, publication.id) else 0
        actions.heard(writer, secret=secret, channel_id=known, now=now())
    form = form_of(session(), publication.id, found[0].form_id) or desk().setting(publication.slug).form
    speak_as(publication, found[1].language or form.language)
    return no_referrer(page("subscriptions/heard.html", publication=publication))


def _pressed(secret: str) -> bool:
    try:
        return process().tokens.load("press", request.form.get("pressed", ""), policy.CONFIRM_WITHIN) == digest(secret)
    except TokenInvalid:
        return False


def _ignored(token: str, publication_id: int, hurried: bool = False) -> Response:
    """A press that no person made changes nothing but a number that the founder can see (A2)."""
    with writing() as writer:
        add(writer, publication_id, "scanner", now=now())
    return _question(token, hurried=hurried)


@views.get("/u/<secret>")
@open_to_all
def leaving(secret: str) -> Reply:
    """Asks. Opening it changes nothing, whoever opens it (U5)."""
    found = queries.by_leave_link(session(), secret[:100])
    if found is None:
        return no_referrer(page("subscriptions/left.html", publication=None))
    subscription, subscriber = found
    publication = get(session(), subscription.publication_id)
    speak_as(publication, subscription.language)
    if subscription.state == "unsubscribed":
        return no_referrer(page("subscriptions/left.html", publication=publication))
    return no_referrer(page("subscriptions/leave.html", publication=publication, subscription=subscription, email=subscriber.email, secret=secret))


@views.post("/u/<secret>")
@open_to_all
@without_csrf
def leave(secret: str) -> Reply:
    """Leaves, at once: by one click of a mail program (RFC 8058) or by the button of our page (U3, U4, U7)."""
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    if not one_click and request.form.get("leave") != "yes":
        return _not_leaving(secret)
    how = "one click in the mail program (RFC 8058)" if one_click else "pressed the button on the unsubscribe page"
    with writing() as writer:
        subscription = actions.leave(writer, secret=secret[:100], how=how, now=now())
    if one_click:
        return no_referrer(make_response("ok\n", 200, {"Content-Type": "text/plain"}))
    publication = get(session(), subscription.publication_id) if subscription else None
    if publication and subscription:
        speak_as(publication, subscription.language)
    return no_referrer(page("subscriptions/left.html", publication=publication))


def _not_leaving(secret: str) -> Reply:
    found = queries.by_leave_link(session(), secret[:100])
    if found is not None:
        with writing() as writer:
            add(writer, found[0].publication_id, "scanner", now=now())
    reply: Any = leaving(secret)
    return reply  # type: ignore[no-any-return]
