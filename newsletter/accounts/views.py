"""Logging in and out, one's own account."""

from flask import Blueprint, Response, g, jsonify, request, url_for
from flask import session as cookie
from flask_wtf.csrf import generate_csrf

from newsletter.accounts import actions, queries
from newsletter.accounts.access import editor, enter, logged_in
from newsletter.errors import Refused
from newsletter.http import Reply, network, now, open_to_all, page, process, see_other, session, speech, tell, writing
from newsletter.i18n import LANGUAGES, mark

views = Blueprint("accounts", __name__)


@views.get("/admin/log-in")
@open_to_all
def log_in() -> Reply:
    if g.editor:
        return see_other(url_for("accounts.home"))
    if not queries.anyone(session()):
        return page("accounts/not_yet.html")
    return page("accounts/log_in.html", email="", error="", next=_inside(request.args.get("next", "")))


@views.post("/admin/log-in")
@open_to_all
def log_in_now() -> Reply:
    email, wanted = request.form.get("email", ""), _inside(request.form.get("next", ""))
    with writing() as writer:
        result = actions.log_in(
            writer, email=email, password=request.form.get("password", ""), network=network(), remember="remember" in request.form, now=now()
        )
    if result.secret:
        enter(result.secret)
        return see_other(wanted or url_for("accounts.home"))
    return page("accounts/log_in.html", 422, email=email, error=_sentence(result.tries_left), next=wanted)


def _sentence(tries: int) -> str:
    if tries == 0:
        return speech()("That was one try too many. Please wait a minute.")
    return speech().plural(
        "Address and password do not belong together. One more try, then a minute's break.",
        "Address and password do not belong together. %(n)s more tries, then a minute's break.",
        tries,
    )


def _inside(address: str) -> str:
    # Only a path of ours: „//evil“ and „/\evil“ lead elsewhere (A4).
    return address if address.startswith("/admin") and "\\" not in address and "//" not in address else ""


@views.post("/admin/log-out")
@logged_in
def log_out() -> Response:
    with writing() as writer:
        actions.log_out(writer, secret=cookie.get("who", ""))
    cookie.clear()
    return see_other(url_for("accounts.log_in"))


@views.get("/admin/")
@logged_in
def home() -> Reply:
    mine = queries.publications_of(session(), editor().id)
    if not mine:
        return see_other(url_for("setup.publication"))
    if len(mine) == 1:
        return see_other(url_for("today.show", slug=mine[0].slug))
    return page("accounts/home.html", publications=mine)


@views.get("/admin/token")
@logged_in
def token() -> Reply:
    """A fresh token for a page that was open while its log-in ended."""
    return jsonify(csrf_token=generate_csrf())


@views.get("/admin/account")
@logged_in
def account() -> Reply:
    return page("accounts/account.html", errors={})


@views.post("/admin/account/language")
@logged_in
def change_language() -> Reply:
    language = request.form.get("language", "")
    if language in LANGUAGES:
        with writing() as writer:
            writer.merge(editor()).language = language
    return see_other(url_for("accounts.account"))


@views.post("/admin/account/password")
@logged_in
def change_password() -> Reply:
    try:
        with writing() as writer:
            actions.change_password(writer, writer.merge(editor()), old=request.form.get("old", ""), new=request.form.get("password", ""))
            secret = actions.open_session(writer, editor_id=editor().id, now=now())
    except Refused as error:
        return page("accounts/account.html", 422, errors=tell({error.field: error}))
    enter(secret)
    return see_other(url_for("accounts.account"), mark("Your password is changed. Everybody who was logged in with the old one is logged out."))


@views.get("/healthz")
@open_to_all
def health() -> Reply:
    """The process answers. Says nothing about anything else."""
    return Response("ok\n", mimetype="text/plain")


@views.get("/readyz")
@open_to_all
def ready() -> Reply:
    """The database answers, too."""
    queries.anyone(session())
    return Response(f"ok {process().engine.dialect.name}\n", mimetype="text/plain")
