"""Commands on issues."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy.orm import Session

from newsletter.accounts import queries as who
from newsletter.cli import as_json, fail, new_process, sentences, show
from newsletter.deliveries import actions as deliveries
from newsletter.deliveries import queries as ledger
from newsletter.deliveries.preflight import look_over, refuse_errors
from newsletter.errors import NotFound
from newsletter.issues import actions as writing
from newsletter.issues.composition import compose
from newsletter.issues.models import Issue
from newsletter.issues.policy import moment_from
from newsletter.preflight.reasons import WHY
from newsletter.process import Process
from newsletter.publications import queries as catalogue
from newsletter.publications.policy import greeting_of
from newsletter.rendering.front_matter import read


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


@issue.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--publication", "slug", required=True)
@click.option("--archive", "publish", is_flag=True, help="Letters with a day go into the archive; nobody gets a mail.")
@as_json
@sentences
def issue_import(file: Path, slug: str, publish: bool, as_json: bool) -> None:
    """Bring letters along: Markdown, HTML, or an export of Substack, Ghost, Buttondown or Mailchimp."""
    from newsletter.manuscripts.reading import read as read_file
    from newsletter.manuscripts.taking import gather, take

    process = new_process("issue")
    bundle = read_file(file.name, file.read_bytes())
    pictures = gather(process.web, bundle)
    with process.writing() as session:
        outcome = take(session, process, catalogue.by_slug(session, slug), bundle, pictures, author_id=None, publish=publish)
    values = {
        "source": outcome.source, "issues": outcome.issues, "published": outcome.published, "pictures": outcome.pictures,
        "problems": [{"name": name, "text": why} for name, why in outcome.problems], "moved": [{"from": was, "to": now} for was, now in outcome.moved],
    }  # fmt: skip
    lines = [f"Letters: {len(outcome.issues)}, of them in the archive: {outcome.published}. Pictures: {outcome.pictures}."]
    show(values, as_json, "\n".join(lines + [f"{name}: {why}" for name, why in outcome.problems]))


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
        owner = catalogue.get(session, found.publication_id)
        composition = compose(session, owner, found, process.links, process.clock())
        look = look_over(process, session, owner, found, composition, scheduled=found.scheduled_at, one_click=_one_click(process), spam=True)
    rows = [
        {
            "id": finding.id,
            "level": finding.level,
            "text": filled(finding.text, finding.values),
            "why": WHY.get(finding.id, ""),
            "fix": filled(finding.fix, finding.values),
            "line": finding.line,
        }
        for finding in look.findings
    ]
    show(
        {"findings": rows},
        as_json,
        "\n".join(f"{row['level']}: {row['text']} {row['fix']}" + (f" (line {row['line']})" if row["line"] else "") for row in rows)
        or "Nothing to complain about.",
    )
    if look.errors:
        raise SystemExit(1)


def filled(sentence: str, values: Mapping[str, object]) -> str:
    """A sentence of a finding with its values; one without any may hold a per cent sign."""
    return sentence % values if values else sentence


def _one_click(process: Process) -> Callable[[str], int]:
    """Unsubscribes nobody at our own server, as a mail program would."""
    from newsletter.web import create_app

    client = create_app(process).test_client()
    return lambda path: client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code


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
        composition = compose(session, owner, found, process.links, process.clock())
    for finding in composition.errors:
        click.echo(f"error: {filled(finding.text, finding.values)}" + (f" (line {finding.line})" if finding.line else ""), err=True)
    raw = sample(owner, composition, process.links, process.clock())
    parts = composition.for_reader("", greeting_of(owner), process.links.leave("preview"))
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
    links, now = process.links, process.clock()
    with process.reading() as session:
        # The DNS is asked before the transaction, so that nobody waits for it.
        found = _issue(session, issue_id)
        owner = catalogue.get(session, found.publication_id)
        moment = moment_from(at, owner.timezone) if at else None
        if found.state != "published":
            refuse_errors(process, session, owner, found, compose(session, owner, found, links, moment or now), scheduled=moment)
    with process.writing() as session:
        found = _issue(session, issue_id)
        owner = catalogue.get(session, found.publication_id)
        if moment:
            writing.schedule(session, found, at=moment, zone=owner.timezone, now=now)
        else:
            mailing_id = deliveries.start(session, links, publication=owner, issue=found, undo=timedelta(0), now=now)
    if moment:
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
