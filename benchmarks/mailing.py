"""How the house feels while a mailing leaves at full speed: the pages' answers, and the worker's memory.

python benchmarks/mailing.py [--readers 1000000]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from newsletter import process as processes
from newsletter import schema
from newsletter.bench import wire
from newsletter.bench.sending import prepare, start
from newsletter.deliveries.models import Mailing
from newsletter.settings import load
from newsletter.supervisor import free_port

MARKDOWN = "{{ anrede }},\n\n" + "Im Garten wächst eine Bohne, die niemand mehr kennt.\n\n" * 20


def measure(folder: Path, readers: int) -> dict[str, object]:
    """One mailing; gives back the figures."""
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=folder))
    schema.upgrade(process.engine)
    publication_id = prepare(process, readers)
    began = time.perf_counter()
    mailing_id = start(process, publication_id, MARKDOWN)
    frozen = time.perf_counter() - began
    with wire.sink() as smtp:
        port = free_port()
        environment = os.environ | {
            "BRIEFTAUBE_CONFIG": "/nowhere", "BRIEFTAUBE_DATA_DIR": str(folder), "BRIEFTAUBE_PORT": str(port),
            "BRIEFTAUBE_SMTP_URL": f"smtp://127.0.0.1:{smtp}", "BRIEFTAUBE_SMTP_CONNECTIONS": "32",
        }  # fmt: skip
        parts = [subprocess.Popen([sys.executable, "-m", "newsletter", name], env=environment, stderr=subprocess.DEVNULL) for name in ("web", "worker")]
        try:
            took, largest = _watch(process, mailing_id, f"http://127.0.0.1:{port}/", parts[1].pid)
        finally:
            for part in parts:
                part.terminate()
            for part in parts:
                part.wait(30)
    with process.reading() as session:
        mailing = session.get_one(Mailing, mailing_id)
        seconds = ((mailing.settled_at or process.clock()) - mailing.started_at).total_seconds() if mailing.started_at else 0.0
    return {
        "readers": readers, "seconds_to_freeze": round(frozen, 1), "seconds_to_send": round(seconds, 1), "requests": len(took),
        "p50_ms": round(1000 * statistics.median(took)), "p95_ms": round(1000 * statistics.quantiles(took, n=20)[-1]), "worker_megabytes": largest // 1024,
    }  # fmt: skip


def _watch(process: processes.Process, mailing_id: int, address: str, worker: int) -> tuple[list[float], int]:
    """Ask for a page five times a second until the mailing is finished."""
    took, largest = [], 0
    time.sleep(3)
    while True:
        began = time.perf_counter()
        try:
            urllib.request.urlopen(address, timeout=30).read()
            took.append(time.perf_counter() - began)
        except OSError:
            time.sleep(0.2)  # the web server is not there yet
        status = Path(f"/proc/{worker}/status").read_text("ascii")
        largest = max(largest, int(status.partition("VmRSS:")[2].split()[0]))
        with process.reading() as session:
            if session.get_one(Mailing, mailing_id).state == "finished":
                return took, largest
        time.sleep(0.2)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), parser.parse_args().readers)))


if __name__ == "__main__":
    main()
