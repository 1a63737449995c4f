"""The front page, and the page that shows every part of the design."""

from flask import Blueprint, abort

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


@views.get("/dev/design")
@open_to_all
def design() -> Reply:
    if not development():
        abort(404)
    return page("front/design.html")
