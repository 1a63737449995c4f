"""A reader's number for emergencies: given on her own page, proved by a code, taken back by a button."""

from flask import Blueprint, Response, request

from newsletter.broker import ring
from newsletter.errors import Refused
from newsletter.http import Reply, no_referrer, now, open_to_all, page, process, session, speech, without_csrf, writing
from newsletter.i18n import mark
from newsletter.people import queries
from newsletter.people.preferences import Visit, visit_of
from newsletter.sms import actions
from newsletter.sms import queries as sms
from newsletter.sms.actors import send_text
from newsletter.sms.policy import masked

views = Blueprint("phones", __name__)


@views.get("/m/<secret>/phone")
@open_to_all
def show(secret: str) -> Reply:
    return _show(visit_of(secret, fresh=True))


def _show(visit: Visit, status: int = 200, error: str = "", said: str = "", typed: str = "") -> Response:
    one = visit.one
    phone = sms.phone_of(session(), one.subscription.id)
    possible = sms.gateway(session(), one.publication.id) is not None
    words = speech()(actions.CONSENT, name=one.publication.name)
    shown = masked(phone.number) if phone else ""
    return no_referrer(
        page(
            "people/phone.html",
            status,
            publication=one.publication,
            visit=visit,
            phone=phone,
            shown=shown,
            possible=possible,
            error=error,
            said=said,
            typed=typed,
            words=words,
        )
    )


@views.post("/m/<secret>/phone")
@open_to_all
@without_csrf
def change(secret: str) -> Reply:
    """Give a number, type in its code, or take it back."""
    visit = visit_of(secret, fresh=True)
    form = request.form
    language = visit.one.subscription.language or visit.one.publication.language
    message_id = None
    try:
        with writing() as writer:
            one = queries.person(writer, visit.one.subscription.id)
            if "end" in form:
                actions.end(writer, subscription=one.subscription, subscriber=one.subscriber, now=now())
                said = mark("Your number is deleted. No text message comes any more.")
            elif "code" in form:
                right = actions.confirm(
                    writer, process().tokens, publication=one.publication, subscription=one.subscription, subscriber=one.subscriber, code=form["code"][:20],
                    language=language, now=now(),
                )  # fmt: skip
                said = mark("Confirmed. You get a text message only when other ways have failed, or something urgent is to be said.") if right else ""
            else:
                message_id = actions.ask(
                    writer, process().tokens, publication=one.publication, subscription=one.subscription, text=form.get("number", ""), language=language,
                    now=now(),
                )  # fmt: skip
                said = mark("A code is on its way to your phone.")
    except Refused as error:
        return _show(visit, 422, error=speech().refusal(error), typed=form.get("number", "")[:40])
    if message_id:
        ring(send_text, message_id)
    if not said:
        return _show(visit_of(secret, fresh=True), 422, error=speech()("That was not the code, or it is too old. After five wrong ones you need a new one."))
    return _show(visit_of(secret, fresh=True), said=speech()(said))
