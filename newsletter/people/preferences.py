"""What readers decide for themselves, behind the link in a mail, without a log-in and without script.

A letter may be forwarded, and its link with it. So the link of a letter pauses, changes how often and leaves; what shows
or ends a person's data needs a link that went to her own mailbox within the last hour (L9).
"""

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, make_response, request
from sqlalchemy.orm import Session

from newsletter.accounts.actions import count
from newsletter.broker import ring
from newsletter.channels.policy import share_code
from newsletter.errors import NotFound, Refused
from newsletter.http import Reply, links, network, no_referrer, now, open_to_all, page, process, session, speech, without_csrf, writing
from newsletter.i18n import Speech, mark
from newsletter.issues.composition import web_address
from newsletter.mail.addresses import mailbox_key, parse
from newsletter.notices.actors import send_notice
from newsletter.people import actions, journal, queries
from newsletter.people.queries import Person
from newsletter.publications.models import Publication
from newsletter.publications.queries import by_slug
from newsletter.shield import policy as shield
from newsletter.sms.queries import gateway
from newsletter.spreadsheets import safe
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions import policy
from newsletter.subscriptions import queries as people
from newsletter.subscriptions.asking import Wish
from newsletter.subscriptions.queries import reader_by_email
from newsletter.subscriptions.views import desk, speak_as
from newsletter.tokens import TokenInvalid

views = Blueprint("preferences", __name__)


@dataclass(frozen=True)
class Visit:
    """Somebody at her page. ``fresh``: her own mailbox let her in just now."""

    one: Person
    secret: str
    fresh: bool


def visit_of(secret: str, fresh: bool = False) -> Visit:
    """Who stands at this door; a page that says that the key does not fit, if nobody may."""
    found = _by_key(secret)
    if found is None and not fresh and (link := people.by_leave_link(session(), secret[:100])) is not None:
        found = Visit(queries.person(session(), link[0].id), secret, False)
    if found is None:
        abort(no_referrer(page("people/no_key.html", 410, publication=None)))
    speak_as(found.one.publication, found.one.subscription.language)
    return found


def _by_key(secret: str) -> Visit | None:
    try:
        inner = process().tokens.load("key", secret, policy.KEY_WITHIN)
    except TokenInvalid:
        return None
    question = people.open_question(session(), inner, "key")
    return Visit(queries.person(session(), question[1].id), secret, True) if question else None


@views.get("/m/<secret>")
@open_to_all
def show(secret: str) -> Reply:
    return _show(visit_of(secret))


def _show(visit: Visit, status: int = 200, said: str = "", error: str = "") -> Response:
    one = visit.one
    zone = ZoneInfo(one.publication.timezone)
    here = now().astimezone(zone)
    return no_referrer(
        page(
            "people/preferences.html",
            status,
            publication=one.publication,
            one=one,
            visit=visit,
            said=said,
            error=error,
            week=here + timedelta(days=7),
            month=here + timedelta(days=30),
            tomorrow=here + timedelta(days=1),
            last=here + actions.LONGEST_PAUSE,
            clicks_wording=clicks_wording(one.publication, speech().language),
            missed=[(issue, web_address(one.publication, issue, links())) for issue in queries.missed(session(), one.subscription)],
            siblings=queries.siblings(session(), one.publication, one.subscriber.id) if visit.fresh else [],
            share=links().shared(share_code(process().tokens, one.subscription.id)) if one.subscription.state == "active" else "",
            texting=gateway(session(), one.publication.id) is not None,
        )
    )


@views.post("/m/<secret>")
@open_to_all
@without_csrf
def change(secret: str) -> Reply:
    """Pause, rhythm, language, or leaving; only what is sent changes."""
    visit = visit_of(secret)
    zone_now = now().astimezone(ZoneInfo(visit.one.publication.timezone))
    try:
        with writing() as writer:
            one = queries.person(writer, visit.one.subscription.id)
            if request.form.get("leave") == "yes":
                subscriptions.end(writer, one.subscription, one.subscriber, how="pressed the button on the preference page", now=now())
            else:
                _change(writer, one, zone_now)
    except Refused as error:
        return _show(visit, 422, error=speech().refusal(error))
    if request.form.get("leave") == "yes":
        return no_referrer(page("subscriptions/left.html", publication=visit.one.publication))
    visit = visit_of(secret)
    return _show(visit, said=speech()("Saved at %(time)s.", time=speech().time(now())))


def clicks_wording(publication: Publication, language: str) -> str:
    """What a reader agrees to (L8): her words are part of the proof."""
    return Speech(language)(CLICKS, name=publication.name)


CLICKS = mark("%(name)s may count which links of the letter are followed. Only how often is counted, not by whom; I can take this back here at any time.")


def _change(writer: Session, one: Person, zone_now: datetime) -> None:
    wish = request.form
    if one.subscription.state == "unsubscribed":
        raise Refused(mark("You are unsubscribed. To get the letter again, ask for it anew."))
    if wish.get("rhythm") in ("each", "monthly"):
        one.subscription.rhythm = wish["rhythm"]
    if wish.get("language") in ("de", "en"):
        one.subscription.language = wish["language"] if wish["language"] != one.publication.language else ""
    if "asks_clicks" in wish and one.publication.count_clicks:
        language = one.subscription.language or one.publication.language
        actions.agree_to_clicks(
            writer, one, agreed=wish.get("clicks") == "yes", wording=clicks_wording(one.publication, language), language=language, now=now()
        )
    if wish.get("pause") == "none" and one.subscription.state == "paused":
        subscriptions.resume(writer, one.subscription)
    elif wish.get("pause", "none") not in ("none", "keep"):
        subscriptions.pause(writer, one.subscription, until=actions.pause_until(wish["pause"], wish.get("until", ""), zone_now), now=now())


@views.post("/m/<secret>/key")
@open_to_all
@without_csrf
def key(secret: str) -> Reply:
    """Send the link that opens everything, to the address itself."""
    visit = visit_of(secret)
    _send_key(visit.one)
    return no_referrer(page("people/key_sent.html", publication=visit.one.publication, email=visit.one.subscriber.email))


def _send_key(one: Person) -> None:
    with writing() as writer:
        mailbox = process().tokens.fingerprints("throttle", mailbox_key(one.subscriber.canonical))[0][:40]
        # The same measure as for questions: nobody's mailbox is filled by pressing a button (A1).
        if count(writer, key=f"key:{mailbox}", window=shield.HOUR, now=now()) > 3:
            return
        notice_id = actions.send_key(writer, process().tokens, links(), queries.person(writer, one.subscription.id), now=now())
    ring(send_notice, notice_id)


@views.get("/p/<slug>/manage")
@open_to_all
def find(slug: str) -> Reply:
    return _find(slug)


def _find(slug: str, status: int = 200, error: str = "", email: str = "", sent: bool = False) -> Reply:
    try:
        publication = by_slug(session(), slug)
    except NotFound:
        abort(404)
    speak_as(publication)
    return page("people/find.html", status, publication=publication, error=error, email=email, sent=sent)


@views.post("/p/<slug>/manage")
@open_to_all
@without_csrf
def send_link(slug: str) -> Reply:
    """For everybody who has no mail at hand. The answer is the same whether the address reads along or not (A1)."""
    typed = request.form.get("email", "")
    try:
        address = parse(typed)
    except Refused as error:
        return _find(slug, 422, error=speech().refusal(error), email=typed[:254])
    reply = _find(slug, email=address.text, sent=True)
    with writing() as writer:
        here = process().tokens.fingerprints("throttle", network())[0][:40]
        often = count(writer, key=f"find:{here}", window=shield.HOUR, now=now()) > shield.PER_NETWORK[1]
    if not often:
        try:
            reader = reader_by_email(session(), by_slug(session(), slug).id, address.text)
        except NotFound:
            return reply
        _send_key(queries.person(session(), reader.subscription.id))
    return reply


@views.get("/m/<secret>/address")
@open_to_all
def address(secret: str) -> Reply:
    return _address(visit_of(secret, fresh=True))


def _address(visit: Visit, status: int = 200, error: str = "", email: str = "", sent: bool = False) -> Response:
    return no_referrer(page("people/address.html", status, publication=visit.one.publication, visit=visit, error=error, email=email, sent=sent))


@views.post("/m/<secret>/address")
@open_to_all
@without_csrf
def new_address(secret: str) -> Reply:
    visit = visit_of(secret, fresh=True)
    typed = request.form.get("email", "")
    try:
        wanted = parse(typed)
    except Refused as error:
        return _address(visit, 422, error=speech().refusal(error), email=typed[:254])
    notice_id = None
    with writing() as writer:
        mailbox = process().tokens.fingerprints("throttle", mailbox_key(wanted.canonical))[0][:40]
        if count(writer, key=f"ask:1:{mailbox}", window=shield.PER_MAILBOX[0][0], now=now()) <= shield.PER_MAILBOX[0][1]:
            one = queries.person(writer, visit.one.subscription.id)
            notice_id = actions.ask_to_move(writer, process().tokens, links(), one, wanted, now=now())
    if notice_id:
        ring(send_notice, notice_id)
    return _address(visit, email=wanted.text, sent=True)


@views.get("/move/<token>")
@open_to_all
def moving(token: str) -> Reply:
    """Asks. Opening it changes nothing (A2)."""
    question = _question(token)
    if question is None or question[0].used_at is not None:
        return no_referrer(page("people/no_key.html", 410, publication=None))
    one = queries.person(session(), question[1].id)
    speak_as(one.publication, one.subscription.language)
    return no_referrer(page("people/move.html", publication=one.publication, old=one.subscriber.email, new=question[0].email, token=token))


def _question(token: str) -> people.Question | None:
    try:
        return people.open_question(session(), process().tokens.load("move", token, policy.CONFIRM_WITHIN), "move")
    except TokenInvalid:
        return None


@views.post("/move/<token>")
@open_to_all
@without_csrf
def move(token: str) -> Reply:
    if _question(token) is None or request.form.get("move") != "yes":
        return moving(token)
    with writing() as writer:
        one = actions.move(writer, secret=process().tokens.load("move", token, policy.CONFIRM_WITHIN), now=now())
    if one is None:
        return no_referrer(page("people/no_key.html", 410, publication=None))
    speak_as(one.publication, one.subscription.language)
    return no_referrer(page("people/moved.html", publication=one.publication, email=one.subscriber.email))


@views.get("/m/<secret>/data.<kind>")
@open_to_all
def data(secret: str, kind: str) -> Reply:
    """Everything that is kept about somebody, as JSON or CSV (Art. 15 and 20 GDPR)."""
    visit = visit_of(secret, fresh=True)
    found = queries.everything(session(), visit.one)
    if kind == "json":
        body, form = json.dumps(found, ensure_ascii=False, indent=1) + "\n", "application/json"
    elif kind == "csv":
        body, form = _as_csv(found), "text/csv; charset=utf-8"
    else:
        abort(404)
    name = f"{visit.one.publication.slug}.{kind}"
    return no_referrer(make_response(body, 200, {"Content-Type": form, "Content-Disposition": f'attachment; filename="{name}"'}))


def _as_csv(found: dict[str, list[dict[str, object]]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["table", "row", "column", "value"])
    for table, rows in found.items():
        for number, row in enumerate(rows, 1):
            writer.writerows([table, number, column, safe("" if value is None else str(value))] for column, value in row.items())
    return stream.getvalue()


@views.get("/m/<secret>/erase")
@open_to_all
def erasing(secret: str) -> Reply:
    visit = visit_of(secret, fresh=True)
    return no_referrer(page("people/erase.html", publication=visit.one.publication, visit=visit, years=process().settings.proof_years))


@views.post("/m/<secret>/erase")
@open_to_all
@without_csrf
def erase(secret: str) -> Reply:
    """Forgets, at once and for good (L5)."""
    visit = visit_of(secret, fresh=True)
    if request.form.get("erase") != "yes":
        return erasing(secret)
    publication = visit.one.publication
    with writing() as writer:
        one = queries.person(writer, visit.one.subscription.id)
        fingerprint = actions.erase(writer, process().tokens, one, years=process().settings.proof_years, now=now())
    journal.note(process(), publication.id, fingerprint)
    speak_as(by_slug(session(), publication.slug))
    return no_referrer(page("people/erased.html", publication=by_slug(session(), publication.slug)))


@views.post("/m/<secret>/letters")
@open_to_all
@without_csrf
def letters(secret: str) -> Reply:
    """Another letter of the same house: asked for like any other, or left."""
    visit = visit_of(secret, fresh=True)
    known = {publication.slug: subscription for publication, subscription in queries.siblings(session(), visit.one.publication, visit.one.subscriber.id)}
    wanted = request.form.get("letter", "")
    if wanted not in known:
        abort(404)
    subscription = known[wanted]
    if request.form.get("leave") == "yes" and subscription is not None:
        with writing() as writer:
            one = queries.person(writer, subscription.id)
            subscriptions.end(writer, one.subscription, one.subscriber, how="pressed the button on the preference page", now=now())
        return _show(visit_of(secret), said=speech()("That one does not come any more."))
    setting = desk().setting(wanted)
    wish = Wish(setting, parse(visit.one.subscriber.email), network=network(), page="/m/", worked=True)
    desk().ask(wish)
    if wish.notice_id:
        ring(send_notice, wish.notice_id)
    return _show(
        visit_of(secret), said=speech()("A mail with a question is on its way. Only when you confirm in it does %(name)s come.", name=setting.publication.name)
    )
