"""Commands on editors, publications and readers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from sqlalchemy.orm import Session

from newsletter.accounts import actions as accounts
from newsletter.accounts.models import ROLES, Editor, Membership
from newsletter.archive.actions import request_build
from newsletter.channels.actions import add_first_channels
from newsletter.cli import as_json, new_process, sentences, show
from newsletter.deliveries import queries as ledger
from newsletter.forms import actions as forms
from newsletter.imports import running as importing
from newsletter.imports.forms import list_as_csv, list_as_json
from newsletter.publications import actions as publications
from newsletter.publications import queries as catalogue
from newsletter.subscriptions import queries as people

P = ParamSpec("P")
R = TypeVar("R")


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


def _with_imprint(command: Callable[P, R]) -> Callable[P, R]:
    """The options for the imprint, without which nothing can be sent (§ 5 DDG, L7)."""
    for name, text in (
        ("email", "Mail address in the imprint."),
        ("place", "Postcode and town."),
        ("street", "Street and number."),
        ("person", "Who answers for it. Without an imprint nothing can be sent."),
    ):
        command = click.option(f"--imprint-{name}", default="", help=text)(command)
    return command


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
@_with_imprint
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
        forms.add_form(session, publication=found, name=name, headline=name, lead="", now=now)
        request_build(session, publication_id=publication_id, now=now)
        for editor_id in session.scalars(Editor.__table__.select().with_only_columns(Editor.id)):
            session.add(Membership(editor_id=editor_id, publication_id=publication_id, role="owner"))
    show({"id": publication_id, "slug": slug}, as_json, f"“{name}” is there: {process.links.sign_up(slug)}")


@publication.command("change")
@click.argument("slug")
@click.option("--name", default="")
@click.option("--from-name", default="")
@click.option("--reply-to", default="")
@_with_imprint
@as_json
@sentences
def publication_change(slug: str, as_json: bool, **values: str) -> None:
    """Change what a publication says about itself. Its slug and its List-Id stay."""
    process = new_process("publication")
    with process.writing() as session:
        found = catalogue.by_slug(session, slug)
        publications.change_publication(session, found, values={key: value for key, value in values.items() if value})
        request_build(session, publication_id=found.id, now=process.clock())
        complete = found.imprint_complete
    show({"slug": slug, "imprint_complete": complete}, as_json, "Saved." if complete else "Saved. The imprint is not complete yet.")


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


@subscribers.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--publication", "slug", required=True)
@click.option("--basis", required=True, help="Why these people may be written to; becomes part of each consent.")
@click.option("--evidence", default="", help="Where that can be proved.")
@click.option("--map", "mapping", multiple=True, help="A column and what it means: “Email=email”, “City=field:city”. May be said several times.")
@click.option("--state", "always", type=click.Choice(["active", "unsubscribed", "dead"]), help="What these people are, where no column says it.")
@click.option("--tags", default="", help="Tags for all of them, between commas.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@as_json
@sentences
def subscribers_import(file: Path, slug: str, mapping: tuple[str, ...], dry_run: bool, as_json: bool, **values: str | None) -> None:
    """Bring a list along: CSV of any shape, or the export of another program."""
    process = new_process("subscribers")
    job = importing.bring(process, file, slug, mapping=mapping, dry=dry_run, values={name: value or "" for name, value in values.items()})
    with process.reading() as session:
        refused = [{"row": row.row, "email": row.email, "reason": row.reason} for row in importing.refused(session, job.id)]
    found = {
        "import": job.id, "rows": job.rows, "added": job.added, "updated": job.updated, "unchanged": job.unchanged, "ended": job.ended,
        "refused": refused, "seconds": round(job.seconds, 2),
    }  # fmt: skip
    lines = [f"{job.rows} rows: {job.added} {'would be' if dry_run else 'are'} new, {job.updated} changed, {job.unchanged} known, {job.ended} ended."]
    show(found, as_json, "\n".join(lines + [f"Row {row['row']}: {row['email']} is refused: {row['reason']}." for row in refused]))


@subscribers.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@click.option("--publication", "slug", required=True)
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@sentences
def subscribers_export(file: str, slug: str, kind: str) -> None:
    """Write the whole list: everybody with tags, answers and consents; JSON has one object in each line."""
    process = new_process("subscribers")
    with process.reading() as session, click.open_file(file, "w", encoding="utf-8") as stream:
        found = catalogue.by_slug(session, slug)
        for line in (list_as_csv if kind == "csv" else list_as_json)(session, found.id):
            stream.write(line)


def _everything_about(session: Session, publication_id: int, email: str) -> dict[str, Any]:
    reader = people.reader_by_email(session, publication_id, email)
    consents = people.consents_of(session, reader.subscription.id)
    columns = ("id", "kind", "at", "email", "how", "language", "page", "channel", "message_id", "evidence", "previous", "digest")
    wordings = people.wordings_of(session, consents)
    return {
        "email": reader.subscriber.email,
        "name": reader.subscriber.name,
        "state": reader.subscription.state,
        "channel": reader.channel.name if reader.channel else None,
        "asked_at": reader.subscription.asked_at,
        "confirmed_at": reader.subscription.confirmed_at,
        "ended_at": reader.subscription.ended_at,
        "consents": [
            {column: getattr(row, column) for column in columns} | {"wording": wordings[row.wording_id].text, "version": wordings[row.wording_id].digest}
            for row in consents
        ],
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
