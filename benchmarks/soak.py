"""Sends a mailing through the real program while its worker is killed again and again.

    python benchmarks/soak.py [--readers 2000] [--kills 20] [--seed 1]

The mail catcher writes each mail to disk before it says 250, so it is the witness: what it holds was
delivered, and nothing else was.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from newsletter import process as processes
from newsletter import schema
from newsletter.catcher.store import Store
from newsletter.channels.actions import add_first_channels
from newsletter.deliveries import actions, queries
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.issues.actions import add_issue
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.process import Process
from newsletter.publications.actions import add_publication
from newsletter.publications.queries import get
from newsletter.settings import load
from newsletter.subscriptions.actions import add_form
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Subscriber, Subscription

VALUES = {
    "name": "Dauerlauf",
    "from_name": "Mira",
    "from_address": "mira@saatgarten.example",
    "language": "de",
    "timezone": "Europe/Berlin",
    "imprint_person": "Mira",
    "imprint_street": "Am Anger 4",
    "imprint_place": "02625 Bautzen",
    "imprint_email": "mira@saatgarten.example",
}


@dataclass(frozen=True)
class Result:
    """What the ledger says and what the witness holds."""

    state: str
    audience: int
    sum: int
    accepted: int
    uncertain: int
    doubles: int
    lost: int
    seconds: float


def soak(data_dir: Path, readers: int, kills: int, seed: int) -> Result:
    """Run one mailing; kill the worker at random moments."""
    chance = random.Random(seed)
    environment = os.environ | {"BRIEFTAUBE_DATA_DIR": str(data_dir), "BRIEFTAUBE_CONFIG": "/nowhere", "BRIEFTAUBE_PORT": "0"}
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=data_dir))
    schema.upgrade(process.engine)
    mailing_id = _prepare(process, readers)
    port = _free_port()
    environment["BRIEFTAUBE_CATCHER_PORT"] = str(port)
    catcher = subprocess.Popen([sys.executable, "-m", "newsletter", "smtpd"], env=environment)
    began = time.monotonic()
    try:
        _work(process, mailing_id, environment, kills, chance, readers)
    finally:
        catcher.terminate()
        catcher.wait(10)
    return _judge(process, mailing_id, Store(data_dir), time.monotonic() - began)


def _prepare(process: Process, readers: int) -> int:
    now = process.clock()
    with process.writing() as session:
        publication = get(session, add_publication(session, values=VALUES, slug="dauerlauf", now=now))
        add_first_channels(session, publication_id=publication.id, language="de", now=now)
        form = add_form(session, publication=publication, name="x", headline="x", lead="", now=now)
        for number in range(readers):
            _add_reader(session, publication.id, form, f"leser{number}@example.org", now)
        issue_id = add_issue(session, publication_id=publication.id, subject="Dauerlauf", preheader="x", markdown="{{ anrede }},\n\nlauf!\n\n" * 20, now=now)
        links = Links(process.settings.base_url)
        return actions.start(session, links, publication=publication, issue=session.get_one(Issue, issue_id), undo=timedelta(0), now=now)


def _add_reader(session: object, publication_id: int, form_id: int, email: str, now: object) -> None:
    subscriber = Subscriber(email=email, canonical=email, name="", created_at=now)
    session.add(subscriber)
    session.flush()
    subscription = Subscription(subscriber_id=subscriber.id, publication_id=publication_id, asked_at=now)
    session.add(subscription)
    session.flush()
    how = {"kind": "confirmed", "email": email, "how": "soak", "wording": "x", "language": "de", "at": now, "form_id": form_id}
    subscription.consent_id = record(session, subscription, **how)
    subscription.state, subscription.confirmed_at = "active", now


def _work(process: Process, mailing_id: int, environment: dict[str, str], kills: int, chance: random.Random, readers: int) -> None:
    """Start the worker, kill it when enough was accepted, until the mailing is finished."""
    marks = sorted(chance.randint(readers // 20, readers * 9 // 10) for _ in range(kills))
    deadline = time.monotonic() + 60 + readers / 10 + 10 * kills
    worker = None
    try:
        while time.monotonic() < deadline:
            if worker is None or worker.poll() is not None:
                worker = subprocess.Popen([sys.executable, "-m", "newsletter", "worker"], env=environment)
            time.sleep(0.05)
            with process.reading() as session:
                if session.get_one(Mailing, mailing_id).state == "finished":
                    return
                accepted = queries.counts(session, mailing_id)["accepted"]
            if marks and accepted >= marks[0]:
                marks.pop(0)
                worker.send_signal(signal.SIGKILL)
                worker.wait()
        raise TimeoutError("the mailing did not finish in time")
    finally:
        if worker is not None and worker.poll() is None:
            worker.terminate()
            worker.wait(30)


def _judge(process: Process, mailing_id: int, store: Store, seconds: float) -> Result:
    witness = Counter(re.sub(r"[<>]|@.*", "", one) for one in store.message_ids())
    with process.reading() as session:
        mailing = session.get_one(Mailing, mailing_id)
        counts = queries.counts(session, mailing_id)
        rows = {row.reference: row.state for row in session.query(Delivery).filter_by(mailing_id=mailing_id)}
    lost = sum(1 for reference, state in rows.items() if state == "accepted" and not witness[reference])
    lost += sum(1 for reference in witness if rows.get(reference) not in ("accepted", "uncertain"))
    doubles = sum(number - 1 for number in witness.values())
    return Result(mailing.state, mailing.audience, sum(counts.values()), counts["accepted"], counts["uncertain"], doubles, lost, round(seconds, 1))


def _free_port() -> int:
    from newsletter.supervisor import free_port

    return free_port()


def main() -> int:
    """From the command line; the exit status is 1 when the promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = soak(Path(folder), arguments.readers, arguments.kills, arguments.seed)
    print(result)
    return int(result.doubles > 0 or result.lost > 0 or result.sum != result.audience or result.state != "finished")


if __name__ == "__main__":
    raise SystemExit(main())
