"""``brieftaube inbound``: the door for mails that come back."""

from pathlib import Path
from typing import Any

import click

from newsletter.cli import as_json, fail, sentences, show


@click.group()
def inbound() -> None:
    """Mails that come back: bounces, complaints, answers."""


@inbound.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json
@sentences
def classify(files: tuple[Path, ...], as_json: bool) -> None:
    """Say what raw mails are, without storing them."""
    from newsletter.mail.incoming.verdict import LARGEST, judge

    rows: list[dict[str, Any]] = []
    for file in files:
        if not file.is_file():
            fail(f"{file}: no such file.")
        with file.open("rb") as source:
            found = judge(source.read(LARGEST))
        recipients = [
            {"address": one.address, "class": one.kind, "reason": one.reason, "status": one.status, "code": one.code, "text": one.text}
            for one in found.recipients
        ]
        rows.append({"file": str(file), "kind": found.kind, "class": found.bounce_class, "recipients": recipients})
    lines = [f"{row['file']}: {row['kind']}{' (' + row['class'] + ')' if row['class'] else ''}" for row in rows]
    show(rows, as_json, "\n".join(lines))


@inbound.command()
@click.option("--from", "sender", default="", help="The envelope sender, if the mail server says it.")
@click.option("--to", "recipients", multiple=True, help="An envelope recipient; may be given several times.")
def deliver(sender: str, recipients: tuple[str, ...]) -> None:
    """Store the mail on standard input. Ends with 75 (EX_TEMPFAIL) when that was not possible, so that the mail server keeps it."""
    import sys

    from newsletter.cli import new_process
    from newsletter.inbound.actions import keep
    from newsletter.inbound.policy import LARGEST

    try:
        raw = sys.stdin.buffer.read(LARGEST + 1)
        if len(raw) > LARGEST:
            # sysexits.h: EX_DATAERR. Postfix sends it back to whoever wrote it.
            click.echo(f"5.3.4 The mail has more than {LARGEST // 1024 // 1024} MB.", err=True)
            raise SystemExit(65)
        if not raw.strip():
            click.echo("5.6.0 There is no mail on standard input.", err=True)
            raise SystemExit(65)
        process = new_process("inbound")
        with process.writing() as session:
            keep(session, raw, door="pipe", envelope_from=sender, envelope_to=recipients, now=process.clock())
    except Exception as error:  # whatever it is, the mail must not get lost
        click.echo(f"4.3.0 The mail could not be stored: {str(error).splitlines()[0] if str(error) else type(error).__name__}", err=True)
        raise SystemExit(75) from error
