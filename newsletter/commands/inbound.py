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
