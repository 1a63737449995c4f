"""The page where the mail server is chosen and tried out."""

from dataclasses import dataclass

from flask import Blueprint, request, url_for
from werkzeug.datastructures import MultiDict

from newsletter.accounts import queries as accounts
from newsletter.accounts.access import editor, logged_in
from newsletter.errors import Forbidden, Refused
from newsletter.http import Reply, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, Sender, compose
from newsletter.mail.providers import name_of
from newsletter.publications.keys import signed
from newsletter.tokens import new_secret
from newsletter.transports import actions, queries, throttles
from newsletter.transports.queries import InUse, in_use

views = Blueprint("transports", __name__)


@dataclass(frozen=True)
class Choice:
    """What the form says: the built-in catcher, or a server."""

    kind: str
    host: str
    port: int
    security: str
    user: str
    password: str

    @property
    def address(self) -> str:
        return actions.address_of(self.host, self.port, self.security, self.user, self.password)


def parse_choice(form: MultiDict[str, str]) -> Choice:
    """Raises Refused when the fields make no mail server."""
    kind, host = form.get("kind", "catcher"), form.get("host", "").strip()
    security = form.get("security", "starttls")
    port = form.get("port", "").strip() or {"tls": "465", "none": "25"}.get(security, "587")
    if kind == "server" and (not host or len(host) > 250 or any(letter.isspace() or letter in "/@?#" for letter in host)):
        raise Refused(mark("Enter the name of the mail server, such as smtp.example.org."), field="host")
    if security not in actions.SECURITIES or not port.isdigit() or not 0 < int(port) < 65536:
        raise Refused(mark("A port is a number from 1 to 65535."), field="port")
    return Choice(kind, host, int(port), security, form.get("user", "").strip(), form.get("password", ""))


def keep(choice: Choice) -> None:
    """Store the choice."""
    with writing() as writer:
        if choice.kind == "server":
            actions.choose(writer, process().tokens, address=choice.address, now=now())
        else:
            actions.choose_catcher(writer)


def try_out(used: InUse, sender: str, name: str) -> str:
    """Send a test mail to whoever is logged in; give back the server's words.

    Raises:
        Refused: it did not work.
    """
    recipient = parse(editor().email)
    letter = Letter(
        sender=Sender(name, parse(sender)),
        recipient=recipient,
        subject=speech()("Brieftaube: the test mail"),
        text=speech()("It works: mail leaves this machine.") + "\n",
        html=f"<!doctype html><html><body><p>{speech()('It works: mail leaves this machine.')}</p></body></html>",
        reference=f"t.{new_secret()[:16]}",
    )
    raw = signed(session(), process().tokens, letter.sender.address.domain, compose(letter, now()))
    return actions.send_once(used.address, process().settings.bounce_domain, letter.sender.address.wire, recipient, raw)


def _owner() -> None:
    roles = [accounts.role_of(session(), editor().id, publication.id) for publication in accounts.publications_of(session(), editor().id)]
    if roles and "owner" not in roles:
        raise Forbidden(mark("Only an owner may change how mail leaves."))


def _show(status: int = 200, error: str = "", said: str = "") -> Reply:
    used = in_use(session(), process().settings, process().tokens)
    return page(
        "transports/show.html",
        status,
        used=used,
        servers=queries.rows(session()),
        health=throttles.health(session()),
        limits=queries.limited(session()),
        name_of=name_of,
        now=now(),
        error=error,
        said=said,
        form=request.form,
    )


def _number(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    # What is no number is refused where the range is checked.
    return int(text) if text.isdigit() else -1


@views.get("/admin/transport")
@logged_in
def show() -> Reply:
    _owner()
    return _show()


@views.post("/admin/transport")
@logged_in
def change() -> Reply:
    """The one mail server, or another one besides those that are there."""
    _owner()
    try:
        choice = parse_choice(request.form)
        if "besides" in request.form:
            with writing() as writer:
                actions.add(writer, process().tokens, address=choice.address, now=now())
        else:
            keep(choice)
    except Refused as error:
        return _show(422, error=speech().refusal(error))
    return see_other(url_for("transports.show"), mark("Saved. Send a test mail to see whether it works."))


@views.post("/admin/transport/<int:number>/<any(change, remove, wake):act>")
@logged_in
def tune(number: int, act: str) -> Reply:
    """Share, limit and warm-up of one mail server."""
    _owner()
    try:
        with writing() as writer:
            row = queries.get(writer, number)
            if act == "remove":
                actions.remove(writer, row)
            elif act == "wake":
                throttles.fine(writer, row.id)
            else:
                weight, count, seconds = _number("weight"), _number("count"), request.form.get("seconds", 60, type=int)
                actions.change(
                    writer, row, weight=-1 if weight is None else weight, count=count, seconds=seconds, warm_up="warm_up" in request.form, now=now()
                )  # fmt: skip
    except Refused as error:
        return _show(422, error=speech().refusal(error))
    return see_other(url_for("transports.show"), mark("Saved."))


@views.post("/admin/transport/limit")
@logged_in
def limit() -> Reply:
    """At most so many mails for one provider."""
    _owner()
    form = request.form
    try:
        with writing() as writer:
            used = in_use(writer, process().settings, process().tokens)
            number = form.get("number", used.id, type=int)
            actions.limit(writer, transport_id=number, provider=form.get("provider", ""), count=_number("count"), seconds=form.get("seconds", 60, type=int))
    except Refused as error:
        return _show(422, error=speech().refusal(error))
    return see_other(url_for("transports.show"), mark("Saved."))


@views.post("/admin/transport/test")
@logged_in
def test() -> Reply:
    _owner()
    sender = next((publication.from_address for publication in accounts.publications_of(session(), editor().id)), editor().email)
    used = in_use(session(), process().settings, process().tokens)
    try:
        return _show(said=try_out(used, sender, "Brieftaube"))
    except Refused as error:
        return _show(422, error=speech().refusal(error))
