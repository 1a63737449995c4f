"""The first start: four short pages from an empty database to a sign-up form."""

from flask import Blueprint, request, url_for

from newsletter.accounts import actions as accounts
from newsletter.accounts import queries as who
from newsletter.accounts.access import editor, enter, logged_in
from newsletter.archive.actions import request_build
from newsletter.channels.actions import add_first_channels
from newsletter.errors import Refused
from newsletter.forms import actions as forms
from newsletter.forms.policy import BUTTON, CONSENT
from newsletter.forms.queries import first_form
from newsletter.http import Reply, links, no_referrer, now, open_to_all, page, process, see_other, session, speech, tell, writing
from newsletter.i18n import LANGUAGES
from newsletter.publications import actions as publications
from newsletter.publications import policy
from newsletter.publications.forms import ZONES, values_from
from newsletter.publications.models import Publication
from newsletter.tokens import digest
from newsletter.transports.queries import in_use
from newsletter.transports.views import keep, parse_choice, try_out

views = Blueprint("setup", __name__)

NEEDED = ("name", "from_name", "from_address", "imprint_person", "imprint_street", "imprint_place", "imprint_email", "timezone", "language")


@views.get("/setup/<secret>")
@open_to_all
def you(secret: str) -> Reply:
    """Step 1. Without the address from the console nobody gets further (P10)."""
    if who.anyone(session()) or who.fact(session(), "setup") != digest(secret):
        return no_referrer(page("setup/invalid.html", 410, taken=who.anyone(session())))
    return no_referrer(page("setup/you.html", secret=secret, values={}, errors={}))


@views.post("/setup/<secret>")
@open_to_all
def take_over(secret: str) -> Reply:
    form = request.form
    language = form.get("language", "") if form.get("language") in LANGUAGES else speech().language
    try:
        with writing() as writer:
            editor_id = accounts.take_over(
                writer, secret=secret, email=form.get("email", ""), name=form.get("name", ""), password=form.get("password", ""), language=language, now=now()
            )
            cookie = accounts.open_session(writer, editor_id=editor_id, now=now())
    except Refused as error:
        if not error.field:
            return no_referrer(page("setup/invalid.html", 410, taken=who.anyone(session())))
        return no_referrer(page("setup/you.html", 422, secret=secret, values=form, errors=tell({error.field: error})))
    enter(cookie)
    return see_other(url_for("accounts.home") if who.publications_of(session(), editor_id) else url_for("setup.publication"))


@views.get("/admin/setup/publication")
@logged_in
def publication() -> Reply:
    """Step 2, and the way to further publications."""
    values = {
        "from_name": editor().name,
        "from_address": editor().email,
        "imprint_person": editor().name,
        "imprint_email": editor().email,
        "language": editor().language,
        "timezone": ZONES[0],
    }
    return page("setup/publication.html", values=values, errors={}, zones=ZONES)


@views.post("/admin/setup/publication")
@logged_in
def add_publication() -> Reply:
    values = dict.fromkeys(NEEDED, "") | values_from(request.form)
    errors = tell(policy.check(values))
    if errors:
        return page("setup/publication.html", 422, values=values, errors=errors, zones=ZONES)
    with writing() as writer:
        publication_id = publications.add_publication(writer, values=values, now=now())
        accounts.join(writer, editor_id=editor().id, publication_id=publication_id, role="owner")
        add_first_channels(writer, publication_id=publication_id, language=values["language"], now=now())
        request_build(writer, publication_id=publication_id, now=now())
    return see_other(url_for("setup.transport"))


def _newest() -> Publication | None:
    mine = who.publications_of(session(), editor().id)
    return max(mine, key=lambda one: one.id, default=None)


@views.get("/admin/setup/transport")
@logged_in
def transport() -> Reply:
    """Step 3."""
    return _transport()


def _transport(status: int = 200, error: str = "", said: str = "") -> Reply:
    if _newest() is None:
        return see_other(url_for("setup.publication"))
    return page("setup/transport.html", status, used=in_use(session(), process().settings, process().tokens), error=error, said=said, form=request.form)


@views.post("/admin/setup/transport")
@logged_in
def choose_transport() -> Reply:
    newest = _newest()
    if newest is None:
        return see_other(url_for("setup.publication"))
    try:
        keep(parse_choice(request.form))
        if request.form.get("then") == "test":
            used = in_use(session(), process().settings, process().tokens)
            return _transport(said=try_out(used, newest.from_address, newest.from_name))
    except Refused as error:
        return _transport(422, error=speech().refusal(error))
    return see_other(url_for("setup.form"))


@views.get("/admin/setup/form")
@logged_in
def form() -> Reply:
    """Step 4."""
    newest = _newest()
    if newest is None:
        return see_other(url_for("setup.publication"))
    consent = CONSENT[newest.language].format(name=newest.name)
    values = {"headline": newest.promise or newest.name, "lead": newest.about, "button": BUTTON[newest.language], "consent": consent}
    return page("setup/form.html", newest=newest, values=values, error="", links=links())


@views.post("/admin/setup/form")
@logged_in
def add_form() -> Reply:
    newest = _newest()
    if newest is None:
        return see_other(url_for("setup.publication"))
    values = {name: request.form.get(name, "").strip() for name in ("headline", "lead", "button", "consent")}
    values |= {"headline": values["headline"][:200], "button": values["button"][:60]}
    if not values["headline"] or not values["button"] or not values["consent"]:
        return page("setup/form.html", 422, newest=newest, values=values, error=speech()("Headline, button and consent cannot be empty."), links=links())
    with writing() as writer:
        old = first_form(writer, newest.id)
        if old:
            forms.change_form(writer, old, values=values | {"ask_name": "ask_name" in request.form}, now=now())
        else:
            forms.add_form(
                writer, publication=newest, name=newest.name, headline=values["headline"][:200], lead=values["lead"], button=values["button"][:60],
                consent=values["consent"], ask_name="ask_name" in request.form, now=now(),
            )  # fmt: skip
        request_build(writer, publication_id=newest.id, now=now())
    return see_other(url_for("today.show", slug=newest.slug))
