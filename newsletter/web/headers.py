"""Security headers on every response (P8)."""

import logging
import secrets
import time
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, g, request

from newsletter.http import process

log = logging.getLogger("newsletter.web")

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def attach(app: Flask) -> None:
    """Add a nonce to each request and the headers to each response."""

    @app.before_request
    def draw_nonce() -> None:
        g.nonce = secrets.token_urlsafe(16)
        g.began = time.perf_counter()
        structlog.contextvars.bind_contextvars(request=secrets.token_hex(4))

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        if request.endpoint in ("static", "front.icon"):
            # The preview runs in a sandbox without an origin and still needs our styles and fonts.
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            headers["Access-Control-Allow-Origin"] = "*"
            if "v" not in request.args:
                # Asked for by another file and so without a version: it has to be looked at again.
                headers["Cache-Control"] = "public, max-age=600"
        headers.setdefault("Content-Security-Policy", POLICY.format(nonce=g.get("nonce", "")))
        headers.setdefault("X-Content-Type-Options", "nosniff")
        if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
            # The older header knows no list; where a frame is allowed, frame-ancestors says by whom.
            headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), interest-cohort=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith("/admin"):
            headers.setdefault("Cache-Control", "no-store")
        if process().settings.secure:
            headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        if request.endpoint != "static":
            # The rule and not the address: addresses carry tokens (T2).
            rule = request.url_rule.rule if request.url_rule else "unknown"
            spent = (time.perf_counter() - g.get("began", time.perf_counter())) * 1000
            log.info("%s %s %s %.0f ms", request.method, rule, response.status_code, spent)
        return response


def refuse_foreign() -> None:
    """Refuse a request that another site made the browser send (P2)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin", "")
    if origin and origin != "null" and urlsplit(origin).netloc not in (request.host, urlsplit(process().settings.base_url).netloc):
        abort(403)
