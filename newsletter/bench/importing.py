"""Importing a list, beside the bare insertion of the same rows."""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter import process as processes
from newsletter import schema
from newsletter.imports import actions, parsing, running
from newsletter.imports.models import Import
from newsletter.imports.writing import CONSENTS, SUBSCRIBERS, SUBSCRIPTIONS
from newsletter.orm import insert_many, stamp
from newsletter.process import Process
from newsletter.publications.actions import add_publication
from newsletter.settings import load

PUBLICATION = {"name": "Messbrief", "from_name": "Messbrief", "from_address": "messbrief@saatgarten.example", "language": "de"}
BASIS = "They asked for the letter in the old program and confirmed it there; the export names when."


def write_list(path: Path, number: int) -> None:
    """A list as another program would write it, in no order that helps."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Email", "First name", "Last name", "Subscribed at", "City"])
        for index in range(number):
            mixed = index * 7_368_787 % 10_000_019
            writer.writerow(
                [
                    f"leser{mixed}.{index}@post{mixed % 40}.example",
                    f"Vor{index % 997}",
                    f"Nach{mixed % 9973}",
                    f"202{index % 6}-0{index % 9 + 1}-1{index % 9} 08:00:00",
                    f"Ort {index % 50}",
                ]
            )


def run(number: int, postgres: str = "") -> dict[str, Any]:
    """Import so many people in a process of its own; then insert the same rows bare."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_list(place / "list.csv", number)
        ours = _in_a_process("ours", place, postgres)
        bare = _in_a_process("bare", place, postgres)
    return {
        "database": "postgres" if postgres else "sqlite", "rows": number, "seconds": ours["seconds"], "bare": bare["seconds"],
        "ratio": round(ours["seconds"] / bare["seconds"], 2), "megabytes": ours["megabytes"], "limit": "COPY" if postgres else "executemany",
    }  # fmt: skip


def _in_a_process(what: str, place: Path, postgres: str) -> dict[str, float]:
    command = [sys.executable, "-m", "newsletter.bench.importing", what, str(place), postgres]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- our own module
    seconds, megabytes = done.stdout.split()[-2:]
    return {"seconds": round(float(seconds), 2), "megabytes": round(float(megabytes))}


def ours(process: Process, file: Path) -> float:
    """Seconds for taking a list over: read through once for its shape, then read, checked, and written."""
    now = process.clock()
    began = time.perf_counter()
    with process.writing() as session:
        publication_id = add_publication(session, values=PUBLICATION, slug=f"mess{now:%H%M%S%f}", now=now)
    with process.writing() as session, file.open("rb") as stream:
        job = actions.receive(session, process.settings, publication_id=publication_id, editor_id=None, stream=stream, file_name=file.name, now=now)
        columns = {"0": "email", "1": "first", "2": "last", "3": "joined", "4": "field:city"}
        actions.prepare(session, job, values={"mapping": {"columns": columns, "always": "active"}, "basis": BASIS}, zone="Europe/Berlin")
        job.state = "checked"
        actions.start(session, job)
        number = job.id
    running.run(process, number)
    spent = time.perf_counter() - began
    with process.reading() as session:
        found = session.get_one(Import, number)
        assert found.state == "done", (found.state, found.trouble)
        assert found.refused == 0
    return spent


def bare(process: Process, file: Path) -> float:
    """Seconds for nothing but the insertion of rows as long as ours, in the same chunks and transactions."""
    now = process.clock()
    with process.writing() as session:
        publication_id = add_publication(session, values=PUBLICATION, slug=f"mess{now:%H%M%S%f}", now=now)
        session.connection().exec_driver_sql("INSERT INTO wordings (id, digest, text) VALUES (1000000, 'x', 'x')")
    spent = 0.0
    at = stamp(datetime.now(UTC), process.engine.dialect)
    for chunk in _chunks(file):
        began = time.perf_counter()
        with process.writing() as session:
            insert_many(session, "subscribers", SUBSCRIBERS, [(n, row[0], row[0], f"{row[1]} {row[2]}", at) for n, row in chunk])
            insert_many(
                session, "subscriptions", SUBSCRIPTIONS,
                [(n, n, publication_id, "active", n, at, at, None, "each", "", f'{{"city":"{row[4]}"}}', "", 1) for n, row in chunk],
            )  # fmt: skip
            insert_many(
                session, "consents", CONSENTS,
                [(n, n, "imported", at, row[0], "imported from “list.csv”", 1000000, "de", "", "", "", "", "", "0" * 64) for n, row in chunk],
            )  # fmt: skip
        spent += time.perf_counter() - began
    return spent


def _chunks(file: Path) -> Iterator[list[tuple[int, list[str]]]]:
    from itertools import islice

    with file.open(newline="", encoding="utf-8") as stream:
        rows = csv.reader(stream)
        next(rows)
        numbered = enumerate(rows, 1)
        while chunk := list(islice(numbered, parsing.CHUNK)):
            yield chunk


def main() -> None:
    what, place, postgres = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    more = {"database_url": postgres} if postgres else {}
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=place / what, **more))
    schema.upgrade(process.engine)
    if postgres:
        with process.writing() as session:
            session.connection().exec_driver_sql("TRUNCATE publications, subscribers, wordings RESTART IDENTITY CASCADE")
    spent = (ours if what == "ours" else bare)(process, place / "list.csv")
    print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
