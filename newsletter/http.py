"""What all views share: the process, the reader's language, writing in one transaction, answering."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any, ParamSpec, TypeVar

from flask import Response, current_app, flash, g, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from newsletter.database import db
from newsletter.errors import Refused
from newsletter.i18n import Speech
from newsletter.links import Links
from newsletter.orm import begin_writing
from newsletter.process import Process

P = ParamSpec("P")
R = TypeVar("R")
Reply = Response | tuple[str, int] | str


def process() -> Process:
    """The process that serves this request."""
    found: Process = current_app.extensions["brieftaube"]
    return found


def now() -> datetime:
    return process().clock()


def links() -> Links:
    return process().links


def session() -> Session:
    """The session of this request, for reading."""
    return db.session()


@contextmanager
def writing() -> Iterator[Session]:
    """One transaction that holds the write lock from its first statement; commits, or rolls back on an error."""
    db.session.commit()  # ends the reading transaction, without expiring what was read
    current = db.session()
    begin_writing(current)
    current.expire_all()  # what was read before the lock may be old by now
    try:
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise


def speech() -> Speech:
    """How the person at the other end is spoken to."""
    found: Speech = g.speech
    return found


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Marks a view that needs no log-in. A view without any mark is not reachable at all (P4)."""
    view.access = "all"  # type: ignore[attr-defined]
    return view


def without_csrf(view: Callable[P, R]) -> Callable[P, R]:
    """Marks a view that other sites may post to: sign-up forms and one-click unsubscribing (P2, U3)."""
    view.without_csrf = True  # type: ignore[attr-defined]
    return view


def takes(size: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a view that takes larger requests than others, from people who are logged in; in bytes."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        view.largest = size  # type: ignore[attr-defined]
        return view

    return mark


def page(template: str, status: int = 200, **values: Any) -> Response:
    """An HTML page."""
    return make_response(render_template(template, **values), status)


def see_other(address: str, say: str = "", **values: object) -> Response:
    """Go on to another page after a deed; a sentence may be said there."""
    if say:
        flash(speech()(say, **values))
    response = redirect(address, 303)
    assert isinstance(response, Response)
    return response


def tell(errors: Mapping[str, Refused]) -> dict[str, str]:
    """Refusals as sentences, by field."""
    return {field: speech().refusal(error) for field, error in errors.items()}


def network() -> str:
    """The network a request comes from: /24 or /64 (A5). Never stored, only counted."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return ""
    return str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def no_referrer(response: Response) -> Response:
    """For pages with a token in their address (T2), which must not be kept by anybody either."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
