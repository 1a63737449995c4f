"""Makes units, in one process or two, and writes down what differs."""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from archive_site import manifest
from archive_site.artifact import Problem, fingerprint
from archive_site.checks import check
from archive_site.site import Site
from archive_site.state import State
from archive_site.units import UnitBroken, Units

WORTH_TWO = 400  # units; a second process takes a third of a second to come up
CHUNK = 50


@dataclass
class Outcome:
    """What became of some units."""

    rows: list[tuple[str, str, str, str, int, int]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)


def make_all(made: Units, names: list[str], stage: Path, *, full: bool, processes: int) -> Outcome:
    """Make units; many of them in two processes."""
    if processes < 2 or len(names) < WORTH_TWO:
        return make(made, names, stage, full)
    chunks = [names[at : at + CHUNK] for at in range(0, len(names), CHUNK)]
    total = Outcome()
    arguments = (made.state.file, made.site, made.cache, made.extra, stage, full)
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, arguments) as pool:
        for part in pool.map(_make_chunk, chunks):
            for name in ("rows", "changed", "gone", "failed", "problems"):
                getattr(total, name).extend(getattr(part, name))
            total.links |= part.links
    return total


def make(made: Units, names: Iterable[str], stage: Path, full: bool) -> Outcome:
    """Make units; write what differs from the last time into the stage."""
    done = Outcome()
    for unit in names:
        known = dict(made.state.db.execute("SELECT path, sha256 FROM files WHERE unit = ?", (unit,)))
        try:
            files = list(made.make(unit))
        except UnitBroken as error:
            done.failed.append(unit)
            done.problems.append(Problem(unit, str(error)))
            continue
        for file in files:
            mark = fingerprint(file.data)
            if full or known.get(file.path) != mark:
                put(stage / file.path, file.data)
                done.changed.append(file.path)
                found = check(made.site, file.path, file.data, file.words, file.checked)
                done.problems += found.problems
                done.links |= dict.fromkeys(found.links, file.path)
            done.rows.append((file.path, unit, manifest.part_of(unit), mark, len(file.data), int(file.public)))
        done.gone += [path for path in known if path not in {file.path for file in files}]
    return done


_units: Units | None = None
_stage: Path | None = None
_full = False


def _begin(file: Path, site: Site, cache: Path, extra: Path | None, stage: Path, full: bool) -> None:
    global _units, _stage, _full
    _units, _stage, _full = Units(State(file, reading=True), site, cache, extra), stage, full


def _make_chunk(names: list[str]) -> Outcome:
    assert _units is not None
    assert _stage is not None
    return make(_units, names, _stage, _full)


def put(file: Path, data: bytes) -> None:
    """Write a file of a stage, which nobody reads yet."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
