"""Commands on data: publications, people, issues, mailings, the archive."""

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from newsletter import schema
from newsletter.accounts import actions as accounts
from newsletter.accounts import queries as who
from newsletter.accounts.models import ROLES, Editor, Membership
from newsletter.archive.actions import request_build
from newsletter.archive.building import build_publication
from newsletter.channels.actions import add_first_channels
from newsletter.cli import as_json, fail, new_process, sentences, show
from newsletter.deliveries import actions as deliveries
from newsletter.deliveries import queries as ledger
from newsletter.errors import NotFound
from newsletter.issues import actions as writing
from newsletter.issues.composition import compose
from newsletter.issues.models import Issue
from newsletter.issues.policy import moment_from, refusal
from newsletter.links import Links
from newsletter.mail.smtp import Conversation, SmtpError, Timeouts, server
from newsletter.process import Process
from newsletter.publications import actions as publications
from newsletter.publications import queries as catalogue
from newsletter.publications.policy import greeting_of
from newsletter.rendering.front_matter import read
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions import queries as people
from newsletter.transports.queries import in_use


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
@sentences
def db_upgrade() -> None:
    """Bring the database to the present version."""
    process = new_process("db", migrate=False)
    before = schema.upgrade(process.engine)
    click.echo(f"The database is at {schema.head()}." if before == schema.head() else f"The database went from {before or 'nothing'} to {schema.head()}.")


@db.command("current")
@as_json
@sentences
def db_current(as_json: bool) -> None:
    """Say which version the database is at."""
    process = new_process("db", migrate=False)
    found = schema.current(process.engine)
    show({"current": found, "head": schema.head()}, as_json, found or "nothing")


@click.group()
def editor() -> None:
    """The people who log in."""


@editor.command("add")
@click.argument("email")
@click.option("--name", default="", help="What others see.")
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
@sentences
def editor_add(email: str, name: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Add somebody who may log in, with a role in every publication."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    process = new_process("editor")
    with process.writing() as session:
        editor_id = accounts.add_editor(session, email=email, name=name, password=password, role=role, now=process.clock())
    show({"id": editor_id, "email": email}, as_json, f"{email} can log in now.")


@click.group()
def publication() -> None:
    """Publications."""


@publication.command("add")
@click.option("--slug", required=True, help="The name in addresses.")
@click.option("--name", required=True)
@click.option("--from", "sender", required=True, help="The address that mails come from.")
@click.option("--from-name", default="", help="The name that mails come from.")
@click.option("--language", type=click.Choice(["de", "en"]), default="de", show_default=True)
@click.option("--timezone", default="Europe/Berlin", show_default=True)
@click.option("--imprint-person", default="")
@click.option("--imprint-street", default="")
@click.option("--imprint-place", default="")
@click.option("--imprint-email", default="")
@as_json
@sentences
def publication_add(slug: str, name: str, sender: str, from_name: str, as_json: bool, **more: str) -> None:
    """Start a publication, with a sign-up form and its first channels."""
    values = {"name": name, "from_name": from_name or name, "from_address": sender} | {key: value for key, value in more.items() if value}
    process = new_process("publication")
    now = process.clock()
    with process.writing() as session:
        publication_id = publications.add_publication(session, values=values, slug=slug, now=now)
        found = catalogue.get(session, publication_id)
        add_first_channels(session, publication_id=publication_id, language=found.language, now=now)
        subscriptions.add_form(session, publication=found, name=name, headline=name, lead="", now=now)
        request_build(session, publication_id=publication_id, now=now)
        for editor_id in session.scalars(Editor.__table__.select().with_only_columns(Editor.id)):
            session.add(Membership(editor_id=editor_id, publication_id=publication_id, role="owner"))
    show({"id": publication_id, "slug": slug}, as_json, f"“{name}” is there: {Links(process.settings.base_url).sign_up(slug)}")


@publication.command("list")
@as_json
@sentences
def publication_list(as_json: bool) -> None:
    """List the publications."""
    process = new_process("publication")
    with process.reading() as session:
        rows = [{"id": one.id, "slug": one.slug, "name": one.name, "language": one.language, "state": one.state} for one in catalogue.everything(session)]
    show(rows, as_json, "\n".join(f"{row['slug']}  {row['name']}" for row in rows) or "There is none yet.")


@click.group()
def subscribers() -> None:
    """The people who read."""


@subscribers.command("show")
@click.argument("email")
@click.option("--publication", "slug", required=True)
@as_json
@sentences
def subscribers_show(email: str, slug: str, as_json: bool) -> None:
    """Everything that is stored about somebody."""
    process = new_process("subscribers")
    with process.reading() as session:
        found = catalogue.by_slug(session, slug)
        value = _everything_about(session, found.id, email)
    consents = "\n".join(f"  {row['at']}  {row['kind']}: {row['how']}" for row in value["consents"])
    sent = "\n".join(f"  {row['at']}  {row['subject']}: {row['state']} {row['reply']}" for row in value["deliveries"])
    show(value, as_json, f"{value['email']}: {value['state']}, came by {value['channel'] or 'no known way'}\nConsents:\n{consents}\nDeliveries:\n{sent}")


def _everything_about(session: Session, publication_id: int, email: str) -> dict[str, Any]:
    reader = people.reader_by_email(session, publication_id, email)
    consents = people.consents_of(session, reader.subscription.id)
    columns = ("id", "kind", "at", "email", "how", "wording", "version", "language", "page", "channel", "message_id", "previous", "digest")
    return {
        "email": reader.subscriber.email,
        "name": reader.subscriber.name,
        "state": reader.subscription.state,
        "channel": reader.channel.name if reader.channel else None,
        "asked_at": reader.subscription.asked_at,
        "confirmed_at": reader.subscription.confirmed_at,
        "ended_at": reader.subscription.ended_at,
        "consents": [{column: getattr(row, column) for column in columns} for row in consents],
        "deliveries": [
            {
                "issue": issue.id,
                "number": issue.number,
                "subject": issue.subject,
                "state": delivery.state,
                "at": delivery.changed_at,
                "attempts": delivery.attempts,
                "code": delivery.code,
                "reply": delivery.reply,
            }
            for delivery, _, issue in ledger.history(session, reader.subscriber.id, publication_id)
        ],
    }


@click.group()
def issue() -> None:
    """Issues."""


@issue.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--publication", "slug", required=True)
@as_json
@sentences
def issue_add(file: Path, slug: str, as_json: bool) -> None:
    """Add a draft from a Markdown file with a head."""
    try:
        source = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        fail(f"{file} is not UTF-8: byte {error.start} cannot be read.")
    manuscript = read(source)
    if not manuscript.subject:
        fail("The head has no subject. It begins with ---, then “subject: …”, then ---.")
    process = new_process("issue")
    with process.writing() as session:
        found = catalogue.by_slug(session, slug)
        issue_id = writing.add_issue(
            session, publication_id=found.id, subject=manuscript.subject, preheader=manuscript.preheader, markdown=manuscript.markdown,
            tags=manuscript.tags, slug=manuscript.slug, now=process.clock(),
        )  # fmt: skip
        made = session.get_one(Issue, issue_id)
    show({"id": issue_id, "slug": made.slug}, as_json, f"Draft {issue_id} is there.")


def _issue(session: Session, issue_id: int) -> Issue:
    found = session.get(Issue, issue_id)
    if found is None:
        raise NotFound("There is no such issue.")
    return found


@issue.command("check")
@click.argument("issue_id", type=int)
@as_json
@sentences
def issue_check(issue_id: int, as_json: bool) -> None:
    """Say what speaks against sending."""
    process = new_process("issue")
    with process.reading() as session:
        found = _issue(session, issue_id)
        composition = compose(session, catalogue.get(session, found.publication_id), found, Links(process.settings.base_url), process.clock())
    rows = [
        {
            "id": finding.id,
            "level": finding.level,
            "text": finding.text % finding.values,
            "fix": finding.fix % finding.values,
            "line": finding.line,
        }
        for finding in composition.findings
    ]
    show(
        {"findings": rows},
        as_json,
        "\n".join(f"{row['level']}: {row['text']} {row['fix']}" + (f" (line {row['line']})" if row["line"] else "") for row in rows)
        or "Nothing to complain about.",
    )
    if composition.errors:
        raise SystemExit(1)


@issue.command("render")
@click.argument("issue_id", type=int)
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
@as_json
@sentences
def issue_render(issue_id: int, folder: Path, as_json: bool) -> None:
    """Write mail.eml, mail.html, mail.txt and web.html into a folder."""
    from newsletter.deliveries.sample import sample

    process = new_process("issue")
    with process.reading() as session:
        found = _issue(session, issue_id)
        owner = catalogue.get(session, found.publication_id)
        composition = compose(session, owner, found, Links(process.settings.base_url), process.clock())
    for finding in composition.errors:
        click.echo(f"error: {finding.text % finding.values}" + (f" (line {finding.line})" if finding.line else ""), err=True)
    raw = sample(owner, composition, Links(process.settings.base_url), process.clock())
    parts = composition.for_reader("", greeting_of(owner), Links(process.settings.base_url).leave("preview"))
    folder.mkdir(parents=True, exist_ok=True)
    files = {"mail.eml": raw, "mail.html": parts.html.encode(), "mail.txt": parts.text.encode(), "web.html": composition.web.encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    show({"files": [str(folder / name) for name in files], "errors": len(composition.errors)}, as_json, f"{', '.join(files)} are in {folder}.")
    if composition.errors:
        raise SystemExit(1)


@issue.command("send")
@click.argument("issue_id", type=int)
@click.option("--at", help="When: 2026-12-01T09:00, in the publication's zone unless it names one.")
@click.option("--wait", is_flag=True, help="Wait until it is finished.")
@as_json
@sentences
def issue_send(issue_id: int, at: str | None, wait: bool, as_json: bool) -> None:
    """Send to everybody who is active. The worker does it; there is no undo window here."""
    process = new_process("issue")
    links, now = Links(process.settings.base_url), process.clock()
    with process.writing() as session:
        found = _issue(session, issue_id)
        owner = catalogue.get(session, found.publication_id)
        if at:
            moment = moment_from(at, owner.timezone)
            composition = compose(session, owner, found, links, moment)
            if composition.errors:
                raise refusal(composition.errors[0])
            writing.schedule(session, found, at=moment, zone=owner.timezone, now=now)
        else:
            mailing_id = deliveries.start(session, links, publication=owner, issue=found, undo=timedelta(0), now=now)
    if at:
        show({"mailing": None, "at": moment}, as_json, f"Planned for {moment.isoformat()}.")
        return
    if wait:
        _wait_for(process, mailing_id)
    show({"mailing": mailing_id}, as_json, f"Mailing {mailing_id} is on its way." if not wait else f"Mailing {mailing_id} is finished.")


def _wait_for(process: Process, mailing_id: int) -> None:
    while True:
        with process.reading() as session:
            mailing = ledger.get(session, mailing_id)
            age = who.fact_age(session, "worker", process.clock())
        if mailing.state in ("finished", "cancelled"):
            return
        if mailing.state == "paused":
            fail(f"Mailing {mailing_id} is paused. {mailing.trouble}")
        if (age is None or age > 120) and (process.clock() - mailing.created_at).total_seconds() > 30:
            fail(f"Mailing {mailing_id} waits: no worker is running. Start one with “brieftaube run” or “brieftaube worker”.")
        time.sleep(0.3)


@click.group()
def mailing() -> None:
    """Mailings."""


@mailing.command("show")
@click.argument("mailing_id", type=int)
@as_json
@sentences
def mailing_show(mailing_id: int, as_json: bool) -> None:
    """Say how far a mailing is."""
    process = new_process("mailing")
    with process.reading() as session:
        found = ledger.get(session, mailing_id)
        progress = ledger.progress(session, found, process.clock())
    value = {
        "id": found.id, "issue": found.issue_id, "state": found.state, "audience": found.audience, "counts": progress.counts,
        "rate_per_second": progress.rate, "trouble": found.trouble,
    }  # fmt: skip
    rows = "\n".join(f"  {state}: {number}" for state, number in progress.counts.items() if number)
    show(
        value,
        as_json,
        f"Mailing {found.id} of issue {found.issue_id}: {found.state}, {found.audience} people\n{rows}{f'{chr(10)}{found.trouble}' if found.trouble else ''}",
    )


def _change(mailing_id: int, deed: str, as_json: bool) -> None:
    process = new_process("mailing")
    with process.writing() as session:
        found = ledger.get(session, mailing_id)
        if deed == "pause":
            deliveries.pause(session, found)
        elif deed == "resume":
            deliveries.resume(session, found, now=process.clock())
        else:
            deliveries.cancel(session, found, now=process.clock())
        state = found.state
    show({"id": mailing_id, "state": state}, as_json, f"Mailing {mailing_id} is {state} now.")


@mailing.command("pause")
@click.argument("mailing_id", type=int)
@as_json
@sentences
def mailing_pause(mailing_id: int, as_json: bool) -> None:
    """Stop handing over."""
    _change(mailing_id, "pause", as_json)


@mailing.command("resume")
@click.argument("mailing_id", type=int)
@as_json
@sentences
def mailing_resume(mailing_id: int, as_json: bool) -> None:
    """Go on where it stopped."""
    _change(mailing_id, "resume", as_json)


@mailing.command("cancel")
@click.argument("mailing_id", type=int)
@as_json
@sentences
def mailing_cancel(mailing_id: int, as_json: bool) -> None:
    """Send it to nobody else."""
    _change(mailing_id, "cancel", as_json)


@click.group()
def archive() -> None:
    """The public archive."""


@archive.command("build")
@click.option("--publication", "slug", help="Only this one.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Another folder than ARCHIVE_DIR.")
@click.option("--full", is_flag=True, help="Write every file anew.")
@as_json
@sentences
def archive_build(slug: str | None, out: Path | None, full: bool, as_json: bool) -> None:
    """Bring the static archive up to date."""
    process = new_process("archive")
    with process.reading() as session:
        chosen = [catalogue.by_slug(session, slug)] if slug else catalogue.everything(session)
    if not chosen:
        fail("There is no publication yet.")
    if out and len(chosen) > 1:
        fail("Say which publication goes into this folder: --publication SLUG.")
    written: list[str] = []
    unchanged, seconds, removed = 0, 0.0, []
    for one in chosen:
        report = build_publication(process, one.id, out=out.absolute() if out else None, full=full)
        written += [f"{one.slug}/{path}" for path in report.written]
        removed += [f"{one.slug}/{path}" for path in report.removed]
        unchanged, seconds = unchanged + report.unchanged, seconds + report.seconds
    value = {"written": written, "unchanged": unchanged, "removed": removed, "seconds": round(seconds, 3)}
    show(value, as_json, f"{len(written)} files written, {unchanged} unchanged, {len(removed)} removed, {seconds:.2f} s")


def look_over() -> list[dict[str, Any]]:
    """What ``brieftaube check`` sees: one row for each thing, with how to mend it."""
    process = new_process("check", migrate=False)
    given = process.settings
    rows = [{"what": "settings", "ok": True, "text": f"DATA_DIR is {given.data_dir}, people see {given.base_url}"}]
    found = schema.current(process.engine)
    text = f"at {found}" if found == schema.head() else f"at {found or 'nothing'}, should be at {schema.head()}: brieftaube db upgrade"
    rows.append({"what": "database", "ok": found == schema.head(), "text": text})
    rows.append(_check_broker(process))
    if found == schema.head():
        with process.reading() as session:
            used = in_use(session, given, process.tokens)
            age = who.fact_age(session, "worker", process.clock())
        rows.append(_check_transport(used.address, used.is_catcher, given.bounce_domain))
        alive = age is not None and age < 60
        rows.append({"what": "worker", "ok": alive, "text": "is running" if alive else "is not running: brieftaube run"})
    return rows


def _check_broker(process: Process) -> dict[str, Any]:
    if process.settings.embedded:
        return {"what": "broker", "ok": True, "text": "embedded"}
    from newsletter.deliveries.actors import send_mailing

    try:
        if hasattr(send_mailing.broker, "client"):
            send_mailing.broker.client.ping()
        else:
            send_mailing.broker.declare_queue("mailings", ensure=True)  # type: ignore[call-arg]
    except Exception as error:  # noqa: BLE001 -- redis, pika and socket errors share no root
        return {"what": "broker", "ok": False, "text": f"does not answer: {error}. Mailings start all the same, later."}
    return {"what": "broker", "ok": True, "text": "answers"}


def _check_transport(address: str, catcher: bool, name: str) -> dict[str, Any]:
    to = server(address)
    try:
        with Conversation(to, name, Timeouts(8, 8, 8, 8)):
            text = "the built-in catcher: mail stays on this machine" if catcher else f"{to.host}:{to.port} lets us in"
            return {"what": "transport", "ok": True, "text": text}
    except SmtpError as error:
        return {"what": "transport", "ok": False, "text": f"{to.host}:{to.port} said no ({error.phase}): {error}"}
