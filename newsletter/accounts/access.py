"""Who may see what: deny by default, one decorator for each view (P4)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Response, abort, g, redirect, request, url_for
from flask import session as cookie

from newsletter.accounts import actions, queries
from newsletter.accounts.models import ROLES, Editor
from newsletter.errors import NotFound
from newsletter.http import now, process, session, writing
from newsletter.i18n import Speech, preferred
from newsletter.publications.models import Publication
from newsletter.publications.queries import by_slug

P = ParamSpec("P")
R = TypeVar("R")


def recognise() -> None:
    """Find out who asks, before every request."""
    g.editor, g.publication, g.role = None, None, ""
    secret = cookie.get("who", "")
    found = queries.by_session(session(), secret, now()) if secret else None
    if found:
        g.editor, row = found
        if (now() - row.seen_at).total_seconds() > 600:
            with writing() as writer:
                actions.keep_alive(writer, row, now=now())
    default = preferred(request.headers.get("Accept-Language", ""))
    g.speech = Speech(g.editor.language if g.editor else default)


def logged_in(view: Callable[P, R]) -> Callable[P, R | Response]:
    """The view needs somebody who is logged in."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        return view(*args, **kwargs) if g.editor else _to_log_in()

    guarded.access = "logged in"  # type: ignore[attr-defined]
    return guarded


def role(least: str) -> Callable[[Callable[Concatenate[Publication, P], R]], Callable[Concatenate[str, P], R | Response]]:
    """The view needs a role in the publication whose slug is its first argument; it gets the publication.

    Somebody without any role is told that there is no such publication (P4).
    """

    def decorate(view: Callable[Concatenate[Publication, P], R]) -> Callable[Concatenate[str, P], R | Response]:
        @wraps(view)
        def guarded(slug: str, /, *args: P.args, **kwargs: P.kwargs) -> R | Response:
            if not g.editor:
                return _to_log_in()
            return view(_enter(slug, least), *args, **kwargs)

        def entry(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            slug = str(kwargs.pop("slug"))
            return guarded(slug, *args, **kwargs)

        wraps(view)(entry)
        entry.access = least  # type: ignore[attr-defined]
        return entry  # type: ignore[return-value]

    return decorate


def _enter(slug: str, least: str) -> Publication:
    try:
        publication = by_slug(session(), slug)
    except NotFound:
        abort(404)
    found = queries.role_of(session(), g.editor.id, publication.id)
    if found is None:
        abort(404)
    if ROLES.index(found) < ROLES.index(least):
        abort(403)
    g.publication, g.role = publication, found
    g.speech = Speech(g.editor.language, publication.timezone)
    return publication


def may(least: str) -> bool:
    """Whether the editor has at least this role here; for what a page shows."""
    return bool(g.role) and ROLES.index(g.role) >= ROLES.index(least)


def editor() -> Editor:
    """Who is logged in. Only for views that need somebody."""
    found: Editor = g.editor
    return found


def enter(secret: str) -> None:
    """Give the browser its session. The cookie starts anew, so nothing from before the log-in survives (P1)."""
    cookie.clear()
    cookie["who"] = secret
    cookie.permanent = True


def _to_log_in() -> Response:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    response = redirect(url_for("accounts.log_in", next=wanted or None), 303)
    assert isinstance(response, Response)
    return response


def development() -> bool:
    """Whether this installation is only reachable from its own machine, and was asked by its own name.

    The second half keeps out a foreign site whose name was made to point at this machine (DNS rebinding).
    """
    base = process().settings.base_url
    asked = (urlsplit(f"//{request.host}").hostname or "") in ("127.0.0.1", "localhost", "::1")
    return asked and base.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
