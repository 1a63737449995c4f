"""create_app: the composition of all views."""

from datetime import timedelta

from flask import Flask, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from newsletter import process as processes
from newsletter import schema
from newsletter.accounts import access
from newsletter.accounts.actions import REMEMBERED
from newsletter.accounts.views import views as accounts
from newsletter.announcements.views import views as announcements
from newsletter.archive.views import views as archive
from newsletter.broker import connect
from newsletter.catcher.views import views as catcher
from newsletter.channels.views import views as channels
from newsletter.conversations.readers import views as readers
from newsletter.database import db
from newsletter.deliveries.leaving import views as mailings
from newsletter.drills.views import views as drills
from newsletter.federation.policy import handle
from newsletter.federation.views import views as federation
from newsletter.forms.views import views as forms
from newsletter.imports.views import views as imports
from newsletter.inbound.views import views as returns
from newsletter.issues.views import sentence, tally, tally_of
from newsletter.issues.views import views as issues
from newsletter.media.views import views as media
from newsletter.orm import prepare
from newsletter.people.guard import views as guard
from newsletter.people.phones import views as phones
from newsletter.people.preferences import views as preferences
from newsletter.people.views import views as people
from newsletter.people.voices import views as voices
from newsletter.process import Process
from newsletter.resources import directory
from newsletter.segments.views import views as segments
from newsletter.settings import load
from newsletter.sms.views import views as sms
from newsletter.subscriptions.api import views as api
from newsletter.subscriptions.views import views as subscriptions
from newsletter.transports.views import views as transports
from newsletter.web import compression, errors, headers, templating
from newsletter.web.calendar import views as calendar
from newsletter.web.clicks import views as clicks
from newsletter.web.design import views as design
from newsletter.web.domain import views as domain
from newsletter.web.front import views as front
from newsletter.web.inbox import views as inbox
from newsletter.web.library import views as library
from newsletter.web.links import views as landings
from newsletter.web.manuscripts import views as manuscripts
from newsletter.web.polls import views as polls
from newsletter.web.reach import views as reach
from newsletter.web.settings import views as publications
from newsletter.web.setup import views as setup
from newsletter.web.studio import views as studio
from newsletter.web.today import views as today

BLUEPRINTS = (
    front,
    accounts,
    setup,
    today,
    publications,
    domain,
    transports,
    channels,
    landings,
    announcements,
    reach,
    drills,
    sms,
    phones,
    people,
    guard,
    preferences,
    voices,
    inbox,
    returns,
    readers,
    imports,
    segments,
    forms,
    subscriptions,
    api,
    media,
    library,
    issues,
    studio,
    design,
    calendar,
    manuscripts,
    polls,
    clicks,
    mailings,
    archive,
    federation,
    catcher,
)

# Forms are small; what is not says so itself, by http.takes.
LARGEST_REQUEST = 12 * 1024 * 1024

csrf = CSRFProtect()


def create_app(process: Process | None = None) -> Flask:
    """The application for a process; for a server that knows no process, one is made from the settings.

    Raises:
        SettingsError: the settings or the database cannot work.
    """
    if process is None:
        process = processes.use(processes.new_process(load()))
        schema.upgrade(process.engine)
        connect(process.settings.broker_url)
    app = Flask("newsletter.web", template_folder=str(directory("templates") / "web"), static_folder="static")
    settings = process.settings
    app.config.update(
        SECRET_KEY=settings.secret_keys[-1],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[:-1]),
        SESSION_COOKIE_NAME="__Host-brieftaube" if settings.secure else "brieftaube",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=REMEMBERED,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,
        MAX_FORM_PARTS=100,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # headers.refuse_foreign looks at Sec-Fetch-Site and Origin instead
        WTF_CSRF_CHECK_DEFAULT=False,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
    )
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.extensions["brieftaube"] = process
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    csrf.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(_guard)
    headers.attach(app)
    compression.attach(app)
    errors.attach(app)
    templating.attach(app)
    app.jinja_env.globals.update(sentence=sentence, tally=tally, tally_of=tally_of, fediverse=lambda publication: handle(process.links, publication))
    return app


def _guard() -> None:
    """Deny by default, and ask every unsafe request for its token (P2, P4)."""
    from flask import abort, current_app, g

    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint == "static" or view is None:
        access.recognise() if view is None else None
        return
    access.recognise()
    if not hasattr(view, "access"):
        abort(404)
    if g.editor:
        # Before the body is read, which looking for the token does; strangers may not fill the disk.
        request.max_content_length = getattr(view, "largest", LARGEST_REQUEST)
    if not g.editor and getattr(view, "access", "") != "all" and request.accept_mimetypes.best == "application/json":
        # A script of the desk has to learn that the log-in is over, and not that its token is stale.
        abort(401)
    if request.method not in ("GET", "HEAD", "OPTIONS") and not getattr(view, "without_csrf", False):
        headers.refuse_foreign()
        csrf.protect()
