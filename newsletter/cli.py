"""The command ``brieftaube``. Each group of commands lives in the feature it belongs to.

Imports stay inside the functions: the supervisor should not carry a web server around.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click

from newsletter import __version__
from newsletter.errors import BrieftaubeError, Refused

if TYPE_CHECKING:
    from newsletter.process import Process
    from newsletter.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def fail(sentence: str) -> NoReturn:
    """Say why on standard error and end with status 1."""
    click.echo(sentence, err=True)
    raise SystemExit(1)


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Our errors end a command with one sentence instead of a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from sqlalchemy.exc import OperationalError

        try:
            return command(*args, **kwargs)
        except Refused as error:
            fail(f"{error} {error.hint % error.values if error.values else error.hint}".strip())
        except BrieftaubeError as error:
            fail(str(error))
        except OperationalError as error:
            fail(f"The database does not work: {str(error.orig).splitlines()[0]}")
        except OSError as error:
            fail(f"{error.filename or 'The system'}: {error.strerror or error}.")

    return run


def settings(**overrides: object) -> "Settings":
    """The settings, with the options of a command over them."""
    from newsletter.settings import load

    return load(None, **overrides)


def new_process(name: str, *, migrate: bool = True) -> "Process":
    """A process for a command, with a database that is up to date."""
    from newsletter import process as processes
    from newsletter import schema
    from newsletter.broker import connect
    from newsletter.logs import configure

    given = settings()
    configure(given.log_format, name)
    process = processes.use(processes.new_process(given))
    if migrate:
        schema.upgrade(process.engine)
    connect(given.broker_url)
    return process


def show(value: dict[str, Any] | list[Any], as_json: bool, words: str) -> None:
    """Print a result for machines or for people."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else words)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="brieftaube")
def main() -> None:
    """Brieftaube: a newsletter of your own."""


@main.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=int, help="The port to listen on.")
@sentences
def run(host: str | None, port: int | None) -> None:
    """Migrate, then run web, worker and mail catcher together. One Ctrl-C stops all."""
    from newsletter.supervisor import Supervisor, free_port, port_problem

    given = settings(host=host, port=port)
    problem = port_problem(given.host, given.port)
    if problem:
        fail(problem)
    overrides = {
        "BRIEFTAUBE_DATA_DIR": str(given.data_dir),
        "BRIEFTAUBE_HOST": given.host,
        "BRIEFTAUBE_PORT": str(given.port),
        "BRIEFTAUBE_CATCHER_PORT": str(given.catcher_port or free_port(besides=given.port)),
        "PYTHONUNBUFFERED": "1",
    }
    me = [sys.executable, "-m", "newsletter"]
    commands = {name: [*me, name] for name in ("web", "smtpd", "worker")}
    # The web server migrates; the others come when it listens, so that trouble is said once and pages come first.
    first = ("web", lambda: not port_problem(given.host, given.port))
    raise SystemExit(Supervisor(commands, dict(os.environ) | overrides, first).run())


@main.command()
@click.option("--host", help="The address to listen on.")
@click.option("--port", type=int, help="The port to listen on.")
@sentences
def web(host: str | None, port: int | None) -> None:
    """Run the web server."""
    from newsletter.web.server import serve

    if host:
        os.environ["BRIEFTAUBE_HOST"] = host
    if port:
        os.environ["BRIEFTAUBE_PORT"] = str(port)
    serve(new_process("web"))


@main.command()
@sentences
def worker() -> None:
    """Run the worker."""
    import signal

    from newsletter import worker as work
    from newsletter.supervisor import follow_lifeline

    process = new_process("worker")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.stopping.set())
    follow_lifeline(process.stopping.set)
    work.run(process)


@main.command()
@click.option("--port", type=int, help="The port to listen on.")
@click.option("--faults", help="Go wrong by plan: “rcpt=450 4.2.1 later@every:50; dot=close@chance:0.01”. Keeps nothing but the journal.")
@click.option("--journal", type=click.Path(dir_okay=False), help="With --faults: a file that gets a line for every mail that was taken.")
@sentences
def smtpd(port: int | None, faults: str | None, journal: str | None) -> None:
    """Run the development mail catcher, which keeps every mail and sends nothing on, and the door for mails that come back (INBOUND)."""
    if faults is not None:
        _go_wrong(faults, journal, port or 2525)
        return
    from newsletter.commands.listening import listen

    listen(settings(catcher_port=port))


def _go_wrong(faults: str, journal: str | None, port: int) -> None:
    import signal
    from pathlib import Path

    from newsletter.catcher.faults import FaultyServer, read_plan

    offers = ("PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8")
    with FaultyServer(read_plan(faults), offers=offers, journal=Path(journal) if journal else None, port=port, keep=False) as server:
        click.echo(f"{server.url} goes wrong as planned", err=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


class _Later(click.Group):
    """A group whose commands are imported when somebody wants them."""

    def __init__(self, name: str, module: str, text: str) -> None:
        super().__init__(name, help=text, short_help=text)
        self._module = module

    def _load(self) -> click.Group:
        from importlib import import_module

        found = getattr(import_module(self._module), self.name or "")
        assert isinstance(found, click.Group)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._load().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._load().get_command(ctx, cmd_name)


for _name, _module, _text in (
    ("db", "database", "The database: upgrade, current."),
    ("editor", "people", "The people who log in."),
    ("publication", "people", "Publications."),
    ("subscribers", "people", "The people who read."),
    ("issue", "issues", "Issues: add, render, send."),
    ("mailing", "mailings", "Mailings: show, pause, resume, cancel."),
    ("archive", "archive", "The public archive: build, publish, export, take back."),
    ("inbound", "inbound", "Mails that come back: classify, deliver."),
    ("bench", "bench", "How fast it is, beside the limit."),
):
    main.add_command(_Later(_name, f"newsletter.commands.{_module}", _text))


@main.command()
@as_json
@sentences
def check(as_json: bool) -> None:
    """Look at settings, database, broker, mail server: what is wrong, and how to mend it."""
    from newsletter.commands.health import look_over

    findings = look_over()
    lines = [f"{'ok ' if finding['ok'] else 'NO '} {finding['what']}: {finding['text']}" for finding in findings]
    show({"ok": all(finding["ok"] for finding in findings), "findings": findings}, as_json, "\n".join(lines))
    if not all(finding["ok"] for finding in findings):
        raise SystemExit(1)


@main.command()
@as_json
@sentences
def demo(as_json: bool) -> None:
    """Load a complete publication in German to look around in."""
    from newsletter.demo import load

    result = load(new_process("demo"))
    words = f"“{result['name']}” is loaded. Log in at {result['url']} as {result['email']} with the password {result['password']}"
    show(result, as_json, words)
