"""Sends a mailing through real workers that are killed again and again.

    python benchmarks/soak.py [--readers 10000] [--rate 500] [--runs 1] [--seed 1] [--database postgres] [--broker redis] [--workers 2]

The witness is the fault server of the package: it writes a line to disk, and syncs it, before it says 250, so what stands in
its journal was delivered, and nothing else was.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from newsletter import process as processes
from newsletter import schema
from newsletter.bench.sending import prepare, start
from newsletter.catcher.faults import FaultyServer
from newsletter.deliveries import actions, queries
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.process import Process
from newsletter.settings import load

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

MARKDOWN = "{{ anrede }},\n\nlauf!\n\n" * 20
OFFERS = ("PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True)
class Result:
    """What the ledger says and what the witness holds. ``open`` are uncertain ones that the journal could not settle."""

    state: str
    audience: int
    sum: int
    kills: int
    accepted: int
    uncertain: int
    open: int
    doubles: int
    lost: int
    seconds: float

    @property
    def broken(self) -> bool:
        return self.doubles > 0 or self.lost > 0 or self.sum != self.audience or self.state != "finished" or self.open > 0


@dataclass(frozen=True)
class Trial:
    """How hard it is to be."""

    readers: int = 2000
    rate: float = 500
    workers: int = 1
    connections: int = 4
    pause: tuple[float, float] = (0.5, 3.0)
    kills: int = 10_000
    database_url: str = ""
    broker_url: str = ""


def soak(data_dir: Path, trial: Trial, seed: int = 1) -> Result:
    """Run one mailing; kill the workers at random moments."""
    chance = random.Random(seed)
    more = {"database_url": trial.database_url, "broker_url": trial.broker_url, "secret_key": "the same for all"}
    more = {name: value for name, value in more.items() if value}
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=data_dir, **more))
    schema.upgrade(process.engine)
    journal = data_dir / "journal"
    with FaultyServer(offers=OFFERS, journal=journal, keep=False) as witness:
        settings = {"data_dir": data_dir, "config": "/nowhere", "smtp_url": witness.url, "send_rate": trial.rate, "smtp_connections": trial.connections}
        environment = os.environ | {f"BRIEFTAUBE_{name.upper()}": str(value) for name, value in (settings | more).items()}
        mailing_id = start(process, prepare(process, trial.readers), MARKDOWN)
        began = time.monotonic()
        kills = _work(process, mailing_id, environment, trial, chance)
        spent = time.monotonic() - began
    result = _judge(process, mailing_id, journal, kills, spent)
    process.engine.dispose()
    return result


def _work(process: Process, mailing_id: int, environment: dict[str, str], trial: Trial, chance: random.Random) -> int:
    """Start the workers, kill one every now and then, until the mailing is finished. Gives back how often."""
    deadline = time.monotonic() + 400 + 10 * trial.readers / trial.rate
    workers: list[subprocess.Popen[bytes]] = []
    kills, next_kill = 0, time.monotonic() + chance.uniform(*trial.pause)
    try:
        while time.monotonic() < deadline:
            workers = [worker for worker in workers if worker.poll() is None]
            while len(workers) < trial.workers:
                workers.append(subprocess.Popen([sys.executable, "-m", "newsletter", "worker"], env=environment, stderr=subprocess.DEVNULL))
            time.sleep(0.05)
            with process.reading() as session:
                if session.get_one(Mailing, mailing_id).state == "finished":
                    return kills
            if time.monotonic() > next_kill and kills < trial.kills:
                victim = chance.choice(workers)
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                kills, next_kill = kills + 1, time.monotonic() + chance.uniform(*trial.pause)
            _clean_up_after_the_dead(process, trial)
        raise TimeoutError("the mailing did not finish in time")
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)


def _clean_up_after_the_dead(process: Process, trial: Trial) -> None:
    """With a broker nobody knows that a sender is dead until its lease is over. Five minutes each time are too long here."""
    if not trial.broker_url:
        return
    from sqlalchemy import select, update

    from newsletter.deliveries.ledger import LEASE_RENEWED
    from newsletter.deliveries.models import Claiming

    now = process.clock()
    with process.writing() as session:
        # Alive, it would have renewed its lease three times by now.
        stale = select(Claiming.id).where(Claiming.lease_until < now + LEASE_RENEWED)
        session.execute(update(Claiming).where(Claiming.id.in_(stale)).values(lease_until=now))


def _judge(process: Process, mailing_id: int, journal: Path, kills: int, seconds: float) -> Result:
    taken = [json.loads(line)["message_id"].strip("<>") for line in journal.read_text("utf-8").splitlines()]
    witness = Counter(name.partition("@")[0] for name in taken)
    with process.reading() as session:
        mailing = session.get_one(Mailing, mailing_id)
        counts = queries.counts(session, mailing_id)
        rows = {row.reference: row.state for row in session.query(Delivery).filter_by(mailing_id=mailing_id)}
        result = (mailing.state, mailing.audience, sum(counts.values()), kills, counts["accepted"], counts["uncertain"])
    lost = sum(1 for reference, state in rows.items() if state == "accepted" and not witness[reference])
    lost += sum(1 for reference in witness if rows.get(reference) not in ("accepted", "uncertain"))
    with process.writing() as session:
        found = actions.settle_by_evidence(session, mailing_id, taken=set(taken), complete=True, now=process.clock())
    missing = len(rows) - len(witness)
    return Result(*result, abs(found["planned"] - missing), sum(number - 1 for number in witness.values()), lost, round(seconds, 1))


@contextlib.contextmanager
def _services(database: str, broker: str) -> Iterator[tuple[str, str]]:
    from tests.support import services

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(services.postgres()) if database == "postgres" else ""
        url = stack.enter_context(services.valkey()) if broker == "redis" else stack.enter_context(services.rabbitmq()) if broker == "rabbitmq" else ""
        yield server, url


def main() -> int:
    """From the command line; the exit status is 1 when the promise was broken."""
    from tests.support.services import new_database

    parser = argparse.ArgumentParser()
    for name, kind, default in (
        ("readers", int, 10_000),
        ("rate", float, 500),
        ("runs", int, 1),
        ("seed", int, 1),
        ("workers", int, 1),
        ("connections", int, 4),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--broker", choices=["", "redis", "rabbitmq"], default="")
    given = parser.parse_args()
    sums: Counter[str] = Counter()
    with _services(given.database, given.broker) as (server, broker):
        for number in range(given.runs):
            trial = Trial(
                given.readers, given.rate, given.workers, given.connections, database_url=new_database(server) if server else "", broker_url=broker
            )  # fmt: skip
            with tempfile.TemporaryDirectory() as folder:
                result = soak(Path(folder), trial, given.seed + number)
            print(json.dumps(asdict(result)), flush=True)
            sums.update({name: value for name, value in asdict(result).items() if isinstance(value, int)} | {"broken": int(result.broken)})
    print(json.dumps({"runs": given.runs, **sums}))
    return int(sums["broken"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
