"""The figures of the README, each beside its limit."""

import click

from newsletter.bench import archiving, importing, inbox, people, reach, signing_up, wire
from newsletter.bench.sending import Case, audience, run
from newsletter.cli import as_json, sentences, show

EVERYTHING = tuple(
    Case(size, signed, database, connections=64, processes=2 if signed == "rsa" else 1)
    for database in ("sqlite", "postgres")
    for size in (10, 50)
    for signed in ("none", "ed25519", "rsa")
) + tuple(Case(10, "none", "sqlite", round_trip, connections=32) for round_trip in (10, 50))


@click.group()
def bench() -> None:
    """How fast it is."""


@bench.command("send")
@click.option("--size", type=int, help="Only mails of so many KB: 10 or 50.")
@click.option("--signed", type=click.Choice(["none", "ed25519", "rsa"]), help="Only with this signature.")
@click.option("--database", type=click.Choice(["sqlite", "postgres"]), help="Only on this database.")
@click.option("--round-trip", type=int, help="Only with so many milliseconds to the mail server and back.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database for the cases on PostgreSQL; without it they are left out.")
@click.option("--rounds", type=int, default=5, help="Rounds of each case; the median counts.")
@click.option("--number", type=int, default=10_000, help="Recipients in each round.")
@as_json
@sentences
def bench_send(
    size: int | None, signed: str | None, database: str | None, round_trip: int | None, postgres_url: str, rounds: int, number: int, as_json: bool
) -> None:
    """Send mailings to a server that forgets them; compare with the limit in the same run."""
    cases = [
        case
        for case in EVERYTHING
        if size in (None, case.size)
        and signed in (None, case.signed)
        and database in (None, case.database)
        and round_trip in (None, case.round_trip)
        and (postgres_url or case.database == "sqlite")
    ]
    outcomes = []
    for case in cases:
        outcomes.append(run(case, rounds=rounds, number=max(1000, number // (1 + case.round_trip // 5)), postgres=postgres_url))
        last = outcomes[-1].as_dict()
        rates = f"{', '.join(map(str, last['ours']))} to {', '.join(map(str, last['limit']))} a second"
        click.echo(f"{last['case']}: {last['ratio']:.2f} of the limit ({rates})", err=True)
    show({"limit": wire.limit_name(), "rounds": rounds, "cases": [outcome.as_dict() for outcome in outcomes]}, as_json, f"The limit is {wire.limit_name()}.")


@bench.command("audience")
@click.option("--number", type=int, default=1_000_000, help="Subscribers.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database.")
@as_json
@sentences
def bench_audience(number: int, postgres_url: str, as_json: bool) -> None:
    """Freeze an audience."""
    found = audience(number, postgres_url)
    show(found, as_json, f"{number} people are frozen in {found['seconds']:.1f} s.")


@bench.command("import")
@click.option("--number", type=int, default=1_000_000, help="People in the list.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database; everything in it goes.")
@as_json
@sentences
def bench_import(number: int, postgres_url: str, as_json: bool) -> None:
    """Take a list over; compare with the bare insertion of the same rows."""
    found = importing.run(number, postgres_url)
    words = f"{number} people in {found['seconds']} s and {found['megabytes']} MB: {found['ratio']} × bare {found['limit']} ({found['bare']} s)."
    show(found, as_json, words)


@bench.command("signup")
@click.option("--seconds", type=float, default=20.0, help="Seconds of each measurement.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database; then gunicorn serves. Everything in it goes.")
@click.option("--workers", type=int, default=2, help="Processes of gunicorn.")
@as_json
@sentences
def bench_signup(seconds: float, postgres_url: str, workers: int, as_json: bool) -> None:
    """Take sign-ups as quickly as it goes; then look how long one waits at half that rate."""
    found = signing_up.run(seconds, postgres_url, workers)
    words = f"{found['per_second']} sign-ups a second on {found['database']} with {found['server']}; at half of that p95 is {found['p95_ms_at_half']} ms."
    show(found, as_json, words)


@bench.command("people")
@click.option("--number", type=int, default=1_000_000, help="People in the list.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database.")
@as_json
@sentences
def bench_people(number: int, postgres_url: str, as_json: bool) -> None:
    """Open pages and count segments with so many people behind them."""
    found = people.run(number, postgres_url)
    lines = [f"{name}: {value} ms" for name, value in (found["pages_ms"] | found["counts_ms"]).items()]
    show(found, as_json, "\n".join([*lines, *(f"audience, {name}: {value} s" for name, value in found["audience_s"].items())]))


@bench.command("reach")
@click.option("--number", type=int, default=1_000_000, help="People in the list.")
@click.option("--visits", type=int, default=5_000_000, help="Visits in two years.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database; everything in it goes.")
@as_json
@sentences
def bench_reach(number: int, visits: int, postgres_url: str, as_json: bool) -> None:
    """Measure every figure of the radar, and its pages, with so much behind them."""
    found = reach.run(number, visits, postgres_url)
    lines = [f"all figures: {found['figures_ms']} ms", *(f"{name}: {value} ms" for name, value in found["pages_ms"].items())]
    show(found, as_json, "\n".join(lines))


@bench.command("inbox")
@click.option("--number", type=int, default=100_000, help="Messages in the inbox.")
@click.option("--postgres", "postgres_url", default="", help="The address of an empty database; everything in it goes.")
@as_json
@sentences
def bench_inbox(number: int, postgres_url: str, as_json: bool) -> None:
    """Open the pages of an inbox with so many messages in it, and search it."""
    found = inbox.run(number, postgres_url)
    show(found, as_json, "\n".join(f"{name}: {value} ms" for name, value in (found["pages_ms"] | found["searches_ms"]).items()))


@bench.command("link")
@click.option("--seconds", type=float, default=20.0, help="Seconds of the measurement.")
@click.option("--rate", type=float, default=500.0, help="Requests a second.")
@as_json
@sentences
def bench_link(seconds: float, rate: float, as_json: bool) -> None:
    """Follow a link so often, and look whether every visit was counted."""
    found = reach.link(seconds, rate)
    show(found, as_json, f"{found['a_second']} a second: p95 {found['p95_ms']} ms; {found['counted']} of {found['asked']} counted.")


@bench.command("archive")
@click.option(
    "--number", "numbers", type=int, multiple=True, default=(1_000, 10_000), show_default=True, help="Letters in the archive; may be said several times."
)
@click.option("--rounds", type=int, default=3, help="Rounds of each measurement; the median counts.")
@as_json
@sentences
def bench_archive(numbers: tuple[int, ...], rounds: int, as_json: bool) -> None:
    """Build archives; compare with Hugo and Pelican where they are installed."""
    found = [archiving.run(number, rounds, lambda text: click.echo(text, err=True)) for number in numbers]
    show(found, as_json, "\n".join(archiving.sentence(row) for row in found))
