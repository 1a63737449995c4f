"""The front page, and the page that shows every part of the design."""

from flask import Blueprint, abort, current_app

from newsletter.accounts.access import development
from newsletter.accounts.queries import anyone
from newsletter.http import Reply, open_to_all, page, session
from newsletter.publications.queries import everything

views = Blueprint("front", __name__)


@views.get("/")
@open_to_all
def index() -> Reply:
    """The publications that one can subscribe to."""
    return page("front/index.html", publications=[one for one in everything(session()) if one.state == "active"], anyone=anyone(session()))


@views.get("/favicon.ico")
@open_to_all
def icon() -> Reply:
    """Browsers ask for it on pages that name no icon, such as a mail in the preview."""
    return current_app.send_static_file("logo.svg")


@views.get("/dev/design")
@open_to_all
def design() -> Reply:
    if not development():
        abort(404)
    return page("front/design.html")
