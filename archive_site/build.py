"""Source -> state -> units -> files -> archive."""

import errno
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from archive_site import manifest, units
from archive_site.artifact import Problem, Report, fingerprint
from archive_site.changes import PAGES, Changes, everything
from archive_site.making import Outcome, make_all, put
from archive_site.publish import FEW, Shelf, link
from archive_site.source import Broken, Source
from archive_site.state import State, not_before
from archive_site.units import Units

# Another number makes every page anew. It belongs to what this package writes.
VERSION = "2"
LATER = ("book/", "search/")


def build(
    source: Source,
    out: Path,
    *,
    now: datetime | None = None,
    only: Iterable[int] | None = None,
    full: bool = False,
    processes: int = 2,
    themes: Path | None = None,
) -> Report:
    """Bring a folder up to date.

    Args:
        out: becomes a link to the release. A real folder in its place is kept aside.
        now: decides which letters are public yet.
        only: the letters that may have changed since the last build; None: find out.
        full: make every file anew. The texts of letters that have not changed are not read again.
        themes: a folder with more themes.

    Raises:
        OSError: the folder cannot be written; the old archive stays as it is.
        ThemeMissing: there is no such theme.
        SourceBroken: the source cannot be read at all.
    """
    began = time.perf_counter()
    try:
        return _build(source, Shelf(out.absolute()), now or datetime.now(UTC), only, full, processes, themes, began)
    except sqlite3.OperationalError as error:
        # SQLite says in its own way that the disk is full or gone.
        raise OSError(errno.EIO, str(error), str(out)) from error


def _build(source: Source, shelf: Shelf, now: datetime, only: Iterable[int] | None, full: bool, processes: int, themes: Path | None, began: float) -> Report:
    with shelf.alone(), closing(State(shelf.folder / "state.db")) as state:
        shelf.finish(state)
        return _Build(source, shelf, state, processes, themes).run(now, only, full, began)


def asleep_until(out: Path) -> datetime | None:
    """When the next letter appears by itself, if one waits for that."""
    with closing(State(Shelf(out.absolute()).folder / "state.db")) as state:
        found = state.db.execute("SELECT min(wakes) FROM letters WHERE wakes IS NOT NULL").fetchone()[0]
        return datetime.fromisoformat(found) if found else None


def take_back(out: Path) -> bool:
    """Undo the last publish; whether there was one."""
    shelf = Shelf(out.absolute())
    with shelf.alone(), closing(State(shelf.folder / "state.db")) as state:
        return shelf.take_back(state)


class _Build:
    def __init__(self, source: Source, shelf: Shelf, state: State, processes: int, themes: Path | None) -> None:
        self.source, self.shelf, self.state = source, shelf, state
        self.processes = processes
        self.site = source.site
        self.units = Units(state, self.site, shelf.cache, themes)
        self.problems: list[Problem] = []
        self.written: list[str] = []
        self.removed: list[str] = []

    def run(self, now: datetime, only: Iterable[int] | None, full: bool, began: float) -> Report:
        mark = f"{VERSION} {self.site.mark} {self.site.looks} {self.units.theme.stylesheet}"
        # "built" is empty while the state is ahead of the files.
        built = self.state.fact("built")
        whole = full or built.split(" ")[:2] != mark.split(" ")[:2] or self.shelf.release is None
        later = set(json.loads(self.state.fact("later") or "[]"))
        wanted = self._take(now, only if not whole else None, whole)
        if built != mark and not whole:
            images = {row[0] for row in self.state.db.execute("SELECT DISTINCT unit FROM files WHERE unit >= 'image/' AND unit < 'image0'")}
            wanted |= {unit for unit in everything(self.state) if unit.startswith(PAGES)} | images
        wanted |= {f"image/{self.site.logo}"} if self.site.logo and (whole or built != mark) else set()
        if self.state.fact("landings") != self.site.landings_mark:
            wanted.add("fixed")
        later |= {unit for unit in wanted if unit.startswith(LATER)}
        if whole:
            later |= {row[0] for row in self.state.db.execute("SELECT DISTINCT unit FROM files") if row[0].startswith(LATER)}
        else:
            # What is switched off had its files removed when it was.
            later = {unit for unit in later if (self.site.books if unit.startswith("book/") else self.site.search)}
        self._make({unit for unit in wanted if not unit.startswith(LATER)}, mark, later, whole, full)
        later = set(json.loads(self.state.fact("later") or "[]"))
        if later:
            self._make(later, mark, set(), whole=False, full=False, second=True)
        self.shelf.tidy()
        total = self.state.db.execute("SELECT count(*) FROM files").fetchone()[0]
        # The second half of a build may write a part of the manifest once more.
        written = tuple(dict.fromkeys(self.written))
        return Report(written, total - len(written), tuple(dict.fromkeys(self.removed)), time.perf_counter() - began, tuple(self.problems))

    def _take(self, now: datetime, only: Iterable[int] | None, whole: bool) -> set[str]:
        changes = Changes(self.state, self.site)
        with _writing(self.state):
            now = not_before(self.state.fact("now"), now)
            zone = f"{self.site.timezone} {self.site.author}"
            if self.state.fact("zone") != zone:
                # Years and the lists of authors follow from these two.
                self.state.forget_everything()
            changes.take(self.source, now, only)
            if changes.units or whole:
                for name, value in (("zone", zone), ("now", now.isoformat()), ("built", "")):
                    self.state.state_fact(name, value)
        self.problems += [Problem(broken.name, broken.why) for broken in [*getattr(self.source, "broken", []), *changes.broken] if isinstance(broken, Broken)]
        return everything(self.state) if whole else changes.units | set(json.loads(self.state.fact("failed") or "[]"))

    def _make(self, wanted: set[str], mark: str, later: set[str], whole: bool, full: bool, *, second: bool = False) -> None:
        if not wanted and self.state.fact("built") == mark:
            return
        known = {row[0] for row in self.state.db.execute("SELECT DISTINCT unit FROM files")} if whole else set()
        names = sorted(wanted | {unit for unit in known if not unit.startswith(("manifest/", *LATER))}, key=units.rank)
        stage = self.shelf.stage()
        try:
            # Where nothing is known of the files that lie there, they are left behind.
            unknown = self.state.db.execute("SELECT 1 FROM files LIMIT 1").fetchone() is None
            done = make_all(self.units, names, stage, full=full, processes=self.processes)
            with _writing(self.state):
                plan = self._decide(done, stage, names, full)
                self.state.state_fact("built", mark)
                self.state.state_fact("landings", self.site.landings_mark)
                failed = {*json.loads(self.state.fact("failed") or "[]")} - {*names} | {*done.failed}
                for name, kept in (("later", later), ("failed", failed)):
                    self.state.state_fact(name, json.dumps(sorted(kept)))
                if plan["written"] or plan["removed"] or self.shelf.release is None:
                    few = len(plan["written"]) + len(plan["removed"]) <= FEW and not full and not unknown
                    kind = "switch" if self.shelf.release is None or not (few or second) else "more" if second else "files"
                    self._complete(stage, kind, plan)
                    self.state.db.execute("INSERT INTO journal (stage, kind, paths) VALUES (?, ?, ?)", (stage.name, kind, json.dumps(plan)))
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            raise
        self.shelf.finish(self.state)
        if self.shelf.release != stage.resolve():
            shutil.rmtree(stage, ignore_errors=True)
        self.written += plan["written"]
        self.removed += plan["removed"]
        self.problems += done.problems

    def _decide(self, done: Outcome, stage: Path, names: list[str], full: bool) -> dict[str, list[str]]:
        """Write down what there will be, with the manifest; give back the paths that change."""
        db = self.state.db
        made = {row[0] for row in done.rows}
        parts = {row[0] for path in {*done.changed, *done.gone} for row in db.execute("SELECT part FROM files WHERE path = ?", (path,))}
        # A path may have gone over from one unit to another, as when a letter takes an old name.
        gone = sorted(path for path in set(done.gone) - made)
        db.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
        db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", done.rows)
        changed = list(dict.fromkeys(done.changed))
        parts |= (
            {manifest.part_of(unit) for unit in names}
            if full
            else {row[0] for path in changed for row in db.execute("SELECT part FROM files WHERE path = ?", (path,))}
        )
        for path, data in manifest.update(self.state, parts - {""}).items() if parts or full else ():
            if data is None:
                gone += [row[0] for row in db.execute("DELETE FROM files WHERE path = ? RETURNING path", (path,))]
                continue
            mark = fingerprint(data)
            if full or db.execute("SELECT sha256 FROM files WHERE path = ?", (path,)).fetchone() != (mark,):
                put(stage / path, data)
                changed.append(path)
                db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, '', ?, ?, 0)", (path, manifest.UNIT, mark, len(data)))
        db.executemany("UPDATE texts SET checked = 1 WHERE id = ?", [(int(unit[7:]),) for unit in {*names} - {*done.failed} if unit.startswith("letter/")])
        self.problems += self._dead_links(done.links)
        return {"written": changed, "removed": gone}

    def _dead_links(self, links: dict[str, str]) -> Iterator[Problem]:
        for target, page in sorted(links.items()):
            if target.endswith(".epub"):
                continue  # books follow later
            row = self.state.db.execute("SELECT public FROM files WHERE path = ?", (target,)).fetchone()
            if row is None:
                yield Problem(page, f"a link leads to {target}, which is not there")
            elif not row[0] and target.endswith(".html") and target != page and self._is_public(page):
                yield Problem(page, f"a link leads to {target}, which is not listed", serious=False)

    def _is_public(self, path: str) -> bool:
        row = self.state.db.execute("SELECT public FROM files WHERE path = ?", (path,)).fetchone()
        return bool(row and row[0])

    def _complete(self, stage: Path, kind: str, plan: dict[str, list[str]]) -> None:
        """Before it is decided everything has to lie on the disk."""
        if kind == "switch":
            release, changed = self.shelf.release, set(plan["written"])
            for (path,) in self.state.db.execute("SELECT path FROM files").fetchall():
                if path not in changed and not (release is not None and link(release / path, stage / path)):
                    raise OSError(f"{path} has disappeared from the archive; build it in full")
            os.sync()
            return
        for path in plan["written"]:
            with (stage / path).open("rb") as file:
                os.fsync(file.fileno())


@contextmanager
def _writing(state: State) -> Iterator[None]:
    state.db.execute("BEGIN IMMEDIATE")
    try:
        yield
        state.db.execute("COMMIT")
    except BaseException:
        state.db.execute("ROLLBACK")
        raise
