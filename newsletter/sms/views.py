"""The gateway, what a message costs, and what was sent, for editors."""

from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import MultiDict

from newsletter.accounts.access import development, editor, role
from newsletter.broker import ring
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.publications.models import Publication
from newsletter.sms import actions, policy, queries
from newsletter.sms.actors import send_text
from newsletter.sms.models import Gateway
from newsletter.sms.sending import ask

views = Blueprint("sms", __name__)

BODY = '{"to": "{to}", "text": "{text}", "from": "{from}", "id": "{id}"}'


def ending(publication: Publication) -> str:
    """How one leaves, behind every message."""
    return speech()("End: %(address)s", address=f"{links().sign_up(publication.slug)}/manage")


@views.get("/admin/<slug>/reach/sms")
@role("viewer")
def show(publication: Publication) -> Reply:
    return _show(publication)


def _show(publication: Publication, status: int = 200, errors: dict[str, str] | None = None, said: str = "") -> Response:
    gateway = queries.gateway(session(), publication.id)
    people = queries.reachable(session(), publication.id)
    typed = request.form if errors else MultiDict[str, str]()
    text = typed.get("text", "")
    size = policy.size(f"{policy.spelled(text)}\n{ending(publication)}")
    return page(
        "sms/show.html", status, gateway=gateway, people=people, notes=queries.notes(session(), publication.id), values=_values(gateway, typed),
        errors=errors or {}, said=said, text=text, size=size, cost=policy.cost(people, size.parts, gateway.price if gateway else 0), ending=ending(publication),
        example=policy.size("x" * 100 + ending(publication)).parts,
    )  # fmt: skip


def _values(gateway: Gateway | None, typed: "MultiDict[str, str]") -> dict[str, str]:
    """What stands in the fields: what was typed, what is kept, or the gateway that comes along."""
    if "address" in typed:
        return {name: typed.get(name, "") for name in ("address", "shape", "body", "sender", "success", "price")} | {"only": typed.get("only", "")}
    if gateway is None:
        test = f"{policy.HERE}/dev/sms" if development() else ""
        return {"address": test, "shape": "json", "body": BODY, "sender": "", "success": "", "price": "0,075", "only": "yes"}
    price = speech().number(gateway.price / 1000)
    return {
        "address": gateway.address, "shape": gateway.shape, "body": gateway.body, "sender": gateway.sender, "success": gateway.success, "price": price,
        "only": "yes" if gateway.only_emergencies else "",
    }  # fmt: skip


@views.post("/admin/<slug>/reach/sms/gateway")
@role("owner")
def describe(publication: Publication) -> Reply:
    """How messages leave; or that none do any more."""
    if "forget" in request.form:
        with writing() as writer:
            actions.forget_gateway(writer, publication.id)
        return see_other(url_for("sms.show", slug=publication.slug), mark("No text message leaves any more."))
    values = {name: request.form.get(name, "") for name in ("address", "shape", "headers", "body", "sender", "success")}
    try:
        price = _price(request.form.get("price", ""))
        with writing() as writer:
            actions.describe_gateway(
                writer, process().tokens, publication_id=publication.id, values=values, price=price, only_emergencies="only" in request.form, now=now()
            )
    except Refused as error:
        return _show(publication, 422, {error.field or "address": speech().refusal(error)})
    return see_other(url_for("sms.show", slug=publication.slug), mark("Saved. Send yourself a message to try it."))


def _price(text: str) -> int:
    """Thousandths of a euro: 0,075 is 75."""
    try:
        return round(float(text.strip().replace("€", "").replace(",", ".") or "0") * 1000)
    except ValueError as error:
        raise Refused(mark("Write the price in euros, like 0,075."), field="price") from error


@views.post("/admin/<slug>/reach/sms/test")
@role("owner")
def test(publication: Publication) -> Reply:
    """One message to a number of one's own."""
    try:
        number = policy.number(request.form.get("number", ""), publication.language)
        gateway = queries.gateway(session(), publication.id)
        if gateway is None:
            raise Refused(mark("Text messages are not possible here."), field="number")
        words = policy.spelled(speech()("A test of “%(name)s”. It works.", name=publication.name))
        with writing() as writer:
            row = actions.send_test(writer, publication_id=publication.id, number=number, text=words, now=now())
            message_id = row.id
    except Refused as error:
        return _show(publication, 422, {error.field: speech().refusal(error)})
    state, reply = ask(process(), gateway, number=number, text=words, key=f"{publication.id}-{message_id}")
    with writing() as writer:
        actions.settle(writer, message_id, state="failed" if state == "again" else state, reply=reply, now=now())
    said = mark("The gateway took it: %(reply)s") if state == "accepted" else mark("The gateway did not take it: %(reply)s")
    return _show(publication, 200 if state == "accepted" else 422, said=speech()(said, reply=reply))


@views.post("/admin/<slug>/reach/sms")
@role("editor")
def send(publication: Publication) -> Reply:
    """Look at the cost first; then send."""
    form = request.form
    if "send" not in form:
        return _show(publication, 200, {"": ""})
    try:
        with writing() as writer:
            note = actions.send_note(
                writer, publication=publication, text=form.get("text", ""), ending=ending(publication), drill_id=None, editor_id=editor().id,
                expected=(form.get("people", 0, int), form.get("cost", 0, int)), now=now(),
            )  # fmt: skip
            recipients = note.recipients
            due = queries.due(writer, now())
    except Refused as error:
        return _show(publication, 422, {error.field or "text": speech().refusal(error)})
    for message_id in due:
        ring(send_text, message_id)
    return see_other(url_for("sms.show", slug=publication.slug), mark("The message is on its way to %(n)s people."), n=recipients)
