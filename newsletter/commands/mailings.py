"""Commands on mailings."""

import re
from pathlib import Path

import click

from newsletter.cli import as_json, new_process, sentences, show
from newsletter.deliveries import actions as deliveries
from newsletter.deliveries import queries as ledger
from newsletter.deliveries import tide


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


@mailing.command("thaw")
@as_json
@sentences
def mailing_thaw(as_json: bool) -> None:
    """After an older copy of the database was put back: you have looked, let letters leave again."""
    process = new_process("mailing")
    tide.confirm(process)
    show({"frozen": False}, as_json, "Letters leave again.")


@mailing.command("evidence")
@click.argument("mailing_id", type=int)
@click.option("--log", "log_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The log of your mail server (Postfix).")
@click.option("--complete", is_flag=True, help="The log has every mail of those days: what is missing there was not taken and is sent once more.")
@as_json
@sentences
def mailing_evidence(mailing_id: int, log_file: Path, complete: bool, as_json: bool) -> None:
    """Settle the uncertain ones by the log of your mail server."""
    process = new_process("mailing")
    with log_file.open(encoding="utf-8", errors="replace") as lines:
        # Postfix' cleanup writes message-id=<…> for every mail that it has queued; the fault server's journal is JSON.
        taken = {name for line in lines for name in re.findall(r"message[-_]id(?:=|\": \")<([^>\s]+)>", line)}
    with process.writing() as session:
        ledger.get(session, mailing_id)
        found = deliveries.settle_by_evidence(session, mailing_id, taken=taken, complete=complete, now=process.clock())
    words = f"{found['accepted']} are accepted, {found['planned']} are sent once more, {found['uncertain']} stay uncertain."
    show({"id": mailing_id, **found}, as_json, words)
