"""The web server of ``brieftaube web``: waitress."""

import logging
import signal
import sys
from types import FrameType

from waitress.server import create_server

from newsletter.accounts.actions import offer_setup
from newsletter.errors import SettingsError
from newsletter.links import Links
from newsletter.process import Process
from newsletter.supervisor import follow_lifeline
from newsletter.web.app import create_app

log = logging.getLogger(__name__)


def serve(process: Process) -> None:
    """Serve until a signal; a request that runs is finished first.

    Raises:
        SettingsError: the port is taken.
    """
    settings = process.settings
    app = create_app(process)
    try:
        server = create_server(app, host=settings.host, port=settings.port, threads=16, ident="", clear_untrusted_proxy_headers=not settings.trusted_proxies)
    except OSError as error:
        raise SettingsError(f"Port {settings.port} on {settings.host} cannot be used: {error.strerror or error}.") from error

    def stop(number: int = 0, frame: FrameType | None = None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    follow_lifeline(lambda: signal.raise_signal(signal.SIGTERM))
    _greet(process)
    server.run()


def _greet(process: Process) -> None:
    """Say where it is, and how to set it up when nobody has yet. The address is for the console alone."""
    with process.writing() as session:
        secret = offer_setup(session, now=process.clock())
    base = process.settings.base_url
    lines = [f"Brieftaube is at {base}/"]
    if secret:
        lines = ["", "Welcome! Open this address to set Brieftaube up / Zum Einrichten diese Adresse öffnen:", "", f"    {Links(base).setup(secret)}", ""]
    print("\n".join(lines), file=sys.stderr, flush=True)
