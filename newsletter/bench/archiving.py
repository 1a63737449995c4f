"""How fast the archive is built, beside Hugo and Pelican on the same letters in the same run.

Each figure is that of a whole process, in seconds and MiB of its largest part. The generators make the same kinds of
pages: letters, lists of twenty, tags, authors, feeds with full texts. What only we make beyond that (Markdown and JSON
beside each letter, checks, a manifest) is made; share images, books and the search, which the others do not have, are
measured by themselves.
"""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update

from archive_site import cards, search, themes
from archive_site.artifact import Report
from archive_site.build import build
from archive_site.pictures import variants
from archive_site.site import Letter
from newsletter import process as processes
from newsletter import schema
from newsletter.archive.building import site_of
from newsletter.archive.source import DatabaseSource
from newsletter.bench import peers
from newsletter.bench.corpus import PICTURES, Piece, pictures, pieces
from newsletter.issues.models import Issue
from newsletter.media.models import Image
from newsletter.media.queries import folder
from newsletter.process import Process
from newsletter.publications.actions import add_publication
from newsletter.publications.models import Publication
from newsletter.publications.queries import get
from newsletter.settings import load
from newsletter.slugs import slugify

MEMORY = "/dev/shm"  # noqa: S108 -- a folder of a random name is made in it
NOW = datetime(2026, 11, 1, tzinfo=UTC)
VALUES = {"name": "Der Saatbrief", "from_name": "Mira Lindner", "from_address": "mira@saatgarten.example", "imprint_person": "Mira Lindner"}


def open_process(data_dir: Path) -> Process:
    """A process over a data folder of its own."""
    process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=data_dir, base_url="https://saat.example"), lambda: NOW)
    schema.upgrade(process.engine)
    return process


def fill(process: Process, count: int) -> None:
    """Put the corpus into a new publication."""
    with process.writing() as session:
        add_publication(session, values=VALUES, slug="saatbrief", now=NOW)
        folder(process.settings).mkdir(parents=True, exist_ok=True)
        for name, data in pictures():
            (folder(process.settings) / name).write_bytes(data)
            row = {"publication_id": 1, "name": name, "original": name, "width": 1200, "height": 800, "size": len(data), "sha256": name, "created_at": NOW}
            session.execute(insert(Image).values(row))
    add(process, pieces(count))


def add(process: Process, chosen: Iterator[Piece]) -> int:
    """Publish letters; give back the id of the last one."""
    with process.writing() as session:
        rows = [_row(piece) for piece in chosen]
        for at in range(0, len(rows), 500):
            session.execute(insert(Issue), rows[at : at + 500])
        return session.scalars(select(func.max(Issue.id))).one()


def _row(piece: Piece) -> dict[str, object]:
    values: dict[str, object] = {"publication_id": 1, "number": piece.number, "state": "published", "slug": slugify(piece.subject), "subject": piece.subject}
    values |= {"preheader": piece.preheader, "markdown": piece.markdown, "tags": list(piece.tags), "authors": [piece.author], "language": piece.language}
    return values | {"published_at": piece.published, "created_at": piece.published, "changed_at": piece.published}


def make(process: Process, *, full: bool = False, only: list[int] | None = None, more: bool = False) -> Report:
    """Build the archive.

    Args:
        more: with share images, books and the search.
    """
    with process.reading() as session:
        publication = get(session, 1)
        site = replace(site_of(session, process, publication), cards=more, books=more, search=more)
        source = DatabaseSource(process, session, publication, site)
        return build(source, process.settings.archive_dir / "saatbrief", now=NOW, full=full, only=only)


def child(data_dir: Path, deed: str) -> dict[str, float]:
    """Build in a process of its own; give back its seconds, the work of the build, and its largest MiB."""
    began = time.perf_counter()
    done = subprocess.Popen([sys.executable, "-m", "newsletter.bench.archiving", str(data_dir), deed], stdout=subprocess.PIPE, text=True)  # noqa: S603 -- ourselves
    largest = _watch(done)
    assert done.stdout is not None
    return {"seconds": time.perf_counter() - began, "mib": round(largest), **json.loads(done.stdout.read().splitlines()[-1])}


def _watch(running: subprocess.Popen[str] | subprocess.Popen[bytes]) -> float:
    """Wait for the end; give back the MiB that the largest of its processes ever had.

    The kernel's own account of a child would begin with the size of its parent.
    """
    largest = 0.0
    while running.poll() is None:
        for pid in _family(running.pid):
            with contextlib.suppress(OSError, ValueError, IndexError, StopIteration):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                largest = max(largest, float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024)
        time.sleep(0.02)
    return largest


def _family(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(one for child in children for one in _family(int(child)))]
    return [pid]


def main() -> None:
    """What :func:`child` starts."""
    process = open_process(Path(sys.argv[1]))
    report = make(process, only=[int(sys.argv[2])] if sys.argv[2].isdigit() else None)
    print(json.dumps({"work": report.seconds, "written": len(report.written), "removed": len(report.removed)}))


def look_otherwise(process: Process) -> None:
    """Every page has to be made again, and no text has to be rendered again."""
    with process.writing() as session:
        theme = session.get_one(Publication, 1).theme
        session.execute(update(Publication).values(theme="gazette" if theme == "calm" else "calm"))


def run(count: int, rounds: int, say: Callable[[str], None]) -> dict[str, object]:
    """Everything, for one size of archive."""
    with _folder() as home:
        process = open_process(home / "data")
        fill(process, count)
        result: dict[str, object] = {"letters": count}
        cold, warm, same = [], [], []
        releases = process.settings.archive_dir / ".saatbrief.releases"
        began = time.perf_counter()
        for name, data in pictures():
            # The others only copy images; ours are cut once and kept by their content, so that is measured by itself.
            list(variants(name, data, home / "cache"))
        result["images"] = {"seconds": time.perf_counter() - began, "count": PICTURES}
        for _ in range(rounds):
            shutil.rmtree(process.settings.archive_dir, ignore_errors=True)
            shutil.copytree(home / "cache", releases / "cache")
            cold.append(child(home / "data", "all"))
            look_otherwise(process)
            warm.append(child(home / "data", "all"))
            same.append(child(home / "data", "all"))
            say(f"{count} letters: {cold[-1]['seconds']:.1f} s cold, {warm[-1]['seconds']:.2f} s in other looks, {same[-1]['seconds']:.2f} s for nothing")
        result |= {"cold": _median(cold), "other looks": _median(warm), "nothing changed": _median(same)}
        ones = [child(home / "data", str(add(process, pieces(number, number)))) for number in range(count + 1, count + 1 + max(3, rounds))]
        result["one more"] = _median(ones)
        result["one more, running"] = _running(process, count + 100)
        result["extras"] = _extras(process)
        result["peers"] = {name: _peer(name, home, count, rounds, say) for name in peers.FOUND if shutil.which(name)}
        process.engine.dispose()
    return result


def sentence(row: dict[str, Any]) -> str:
    """One size of archive in words, with the ratios that count."""
    parts = [f"{row['letters']} letters: {row['cold']['seconds']:.1f} s cold, {row['other looks']['seconds']:.2f} s in other looks"]
    running = row["one more, running"]
    parts.append(f"one more: {row['one more']['seconds']:.2f} s cold, {1000 * running['work']:.0f} ms running, {running['files']:.0f} files")
    for name, peer in row["peers"].items():
        ratios = ", ".join(f"{row[key]['seconds'] / peer['seconds']:.3f} {key}" for key in ("cold", "other looks", "one more"))
        parts.append(f"against {name} ({peer['seconds']:.1f} s, {peer['mib']} MiB): {ratios}")
    return "\n  ".join(parts)


def _running(process: Process, first: int) -> dict[str, float]:
    """New letters in a service that runs already."""
    works, files = [], []
    for number in range(first, first + 12):
        report = make(process, only=[add(process, pieces(number, number))])
        works.append(report.seconds)
        files.append(len(report.written))
    return {"work": statistics.median(works[2:]), "files": statistics.median(files[2:])}


def _extras(process: Process) -> dict[str, float]:
    theme = themes.load("calm")
    with _folder() as cache:
        began = time.perf_counter()
        for number in range(20):
            cards.card(f"Eine Überschrift mit einigen Wörtern {number}", "Der Saatbrief", "Nr. 3", theme, cache)
        card = (time.perf_counter() - began) / 20
    with process.reading() as session:
        publication = get(session, 1)
        source = DatabaseSource(process, session, publication, site_of(session, process, publication))
        ids = [stamp.id for stamp in source.stamps()][-365:]
        letters = [letter for letter in source.letters(ids) if isinstance(letter, Letter)]
    began = time.perf_counter()
    search.bundle(letters, "de")
    return {"one card": card, "the search of a year": time.perf_counter() - began}


def _peer(name: str, home: Path, count: int, rounds: int, say: Callable[[str], None]) -> dict[str, float]:
    site = home / name
    command = peers.FOUND[name](site, pieces(count))
    seconds, largest = [], 0.0
    for _ in range(rounds):
        shutil.rmtree(site / "out", ignore_errors=True)
        began = time.perf_counter()
        done = subprocess.Popen(command, cwd=site, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- Hugo or Pelican
        largest = max(largest, _watch(done))
        seconds.append(time.perf_counter() - began)
        if done.returncode:
            raise RuntimeError(f"{name} ended with {done.returncode}")
        say(f"{count} letters: {name} {seconds[-1]:.1f} s")
    files = sum(1 for path in (site / "out").rglob("*") if path.is_file())
    return {"seconds": statistics.median(seconds), "mib": round(largest), "files": files}


def _median(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(row[key] for row in rows), 4) for key in rows[0]}


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    # In memory where that can be: the disk of a shared machine would be measured otherwise.
    with tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None) as name:
        yield Path(name)


if __name__ == "__main__":
    main()
