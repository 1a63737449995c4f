"""Errors as pages that help."""

import logging

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from newsletter.database import db
from newsletter.errors import Conflict, Forbidden, NotFound, Refused
from newsletter.http import page
from newsletter.i18n import Speech, mark, preferred

log = logging.getLogger(__name__)

TEXTS = {
    400: (mark("This could not be read."), mark("Something in the request was not as it should be. Go back and try once more.")),
    401: (mark("Your log-in is over."), mark("Log in again; what you wrote is kept.")),
    403: (mark("You may not do that here."), mark("Your role in this publication does not allow it. Its owner can change that.")),
    404: (mark("Nothing lies at this address."), mark("Perhaps a character got lost in copying.")),
    405: (mark("That does not work this way."), mark("This address wants something else. Go back and try once more.")),
    409: (mark("Somebody was faster."), mark("Load the page again to see how things stand.")),
    413: (mark("That is too much at once."), mark("At most 12 MB can be sent at a time.")),
    500: (mark("Something went wrong on our side."), mark("It is written down in the log. What you saved before is safe.")),
    503: (mark("The database does not answer."), mark("What you sent was not saved. Try again in a moment.")),
}


def attach(app: Flask) -> None:
    """Register the handlers."""

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if error.response is not None or (error.code or 500) < 400:
            return error.get_response()  # type: ignore[return-value]
        return _page(error.code or 500)

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> Response:
        return _page(400, mark("This page was open for too long."), mark("Load it again, then press the button once more."))

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        status = {NotFound: 404, Forbidden: 403, Conflict: 409}.get(type(error), 422)
        return _page(status, error.message, "", error.values)

    @app.errorhandler(OperationalError)
    def database(error: OperationalError) -> Response:
        db.session.rollback()
        log.error("the database failed: %s", error.orig)
        return _page(503)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        db.session.rollback()
        log.error("%s %s failed", request.method, request.endpoint, exc_info=error)
        return _page(500)


def _page(status: int, title: str = "", lead: str = "", values: object = None) -> Response:
    if "speech" not in g:
        g.speech = Speech(preferred(request.headers.get("Accept-Language", "")))
        g.editor, g.publication = None, None
    known = TEXTS.get(status, TEXTS[400] if status < 500 else TEXTS[500])
    words = dict(values) if isinstance(values, dict) else {}
    return page("error.html", status, code=status, title=g.speech(title or known[0], **words), lead=g.speech(lead or known[1]) if lead or not title else "")
