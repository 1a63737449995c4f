"""/dev/mail and /dev/sms: what the catcher caught. Only there while the installation is reachable from its own machine alone."""

import uuid

from flask import Blueprint, Response, abort, make_response, request

from newsletter.accounts.access import development
from newsletter.catcher.store import Caught, Store
from newsletter.http import Reply, open_to_all, page, process, without_csrf

views = Blueprint("catcher", __name__)


def _store() -> Store:
    if not development():
        abort(404)
    store = Store(process().settings.data_dir)
    store.prepare()
    return store


@views.get("/dev/mail")
@open_to_all
def index() -> Reply:
    to = request.args.get("to", "")[:100].replace("%", "").replace("_", "")
    return page("catcher/index.html", mails=_store().latest(recipient=to), to=to)


def _mail(mail_id: int) -> Caught:
    mail = _store().get(mail_id)
    if mail is None:
        abort(404)
    return mail


@views.get("/dev/sms")
@open_to_all
def texts() -> Reply:
    return page("catcher/texts.html", publication=None, texts=_store().texts())


@views.post("/dev/sms")
@open_to_all
@without_csrf
def catch_text() -> Reply:
    """The gateway for text messages that comes along: it takes JSON, and sends nothing."""
    store = _store()
    said = request.get_json(silent=True)
    if not isinstance(said, dict) or not str(said.get("to", "")).strip() or not str(said.get("text", "")).strip():
        return make_response({"error": "to and text are missing"}, 400)
    number = store.keep_text(str(said["to"])[:40], str(said["text"])[:2000], str(said.get("id") or uuid.uuid4().hex)[:80])
    return make_response({"id": number, "status": "ok"}, 201)


@views.get("/dev/mail/<int:mail_id>")
@open_to_all
def show(mail_id: int) -> Reply:
    mail = _mail(mail_id)
    return page("catcher/show.html", mail=mail, text=mail.body("plain"), headers=mail.message().items())


@views.get("/dev/mail/<int:mail_id>/html")
@open_to_all
def html(mail_id: int) -> Reply:
    response = make_response(_mail(mail_id).body("html"))
    # Links may open, in a new tab; nothing else is allowed (P7).
    base = process().settings.base_url
    response.headers["Content-Security-Policy"] = (
        f"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src {base} data:; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@views.get("/dev/mail/<int:mail_id>/source")
@open_to_all
def source(mail_id: int) -> Reply:
    return Response(_mail(mail_id).raw, mimetype="text/plain")
