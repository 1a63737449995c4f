"""Commands on the database."""

import click

from newsletter import schema
from newsletter.cli import as_json, new_process, sentences, show


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
