"""How files become the archive, whole or not at all.

New files are written aside and forced to the disk; then one transaction in the state says what is going to happen;
then it happens by renames, which a start after a crash repeats. A few files are renamed one by one, what is linked to
before what links; many become a new release that shares the rest by hard link and is switched in one rename. What was
replaced is kept, so that the last publish can be taken back.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive_site.state import State

FEW = 200  # renames one by one take a millisecond for twenty


class Shelf:
    """The folder of releases beside an archive: ``.<name>.releases``."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.parent / f".{out.name}.releases"
        self.cache = self.folder / "cache"
        self.folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process builds this archive; two would tread on each other's releases."""
        file = os.open(self.folder / "lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    @property
    def release(self) -> Path | None:
        """What readers see now, if it is ours."""
        return self.out.resolve() if self.out.is_symlink() and self.out.resolve().parent == self.folder.resolve() and self.out.resolve().is_dir() else None

    def stage(self) -> Path:
        """An empty folder for new files."""
        found = self.folder / f"stage-{secrets.token_hex(6)}"
        found.mkdir()
        return found

    def finish(self, state: State) -> None:
        """Do what was decided; also what a crash left undone."""
        for number, stage, kind, paths in state.db.execute("SELECT id, stage, kind, paths FROM journal ORDER BY id").fetchall():
            folder = self.folder / stage
            if kind == "switch":
                self._switch(folder)
            else:
                self._rename(folder, json.loads(paths), more=kind == "more")
            state.db.execute("DELETE FROM journal WHERE id = ?", (number,))

    def _switch(self, stage: Path) -> None:
        if not stage.is_dir():
            return  # done before the crash; the stage became the release under its own name
        if self.out.exists() and not self.out.is_symlink():
            # What somebody had put there before the first build is kept aside.
            self.out.rename(self.folder / f"before-{secrets.token_hex(3)}")
        previous = self.release
        if previous != stage.resolve():
            (self.folder / "previous").write_text(previous.name if previous else "", "utf-8")
        link = self.out.with_name(f".{self.out.name}.{secrets.token_hex(4)}")
        link.symlink_to(os.path.relpath(stage, self.out.parent))
        link.replace(self.out)
        shutil.rmtree(self.folder / "undo", ignore_errors=True)

    def _rename(self, stage: Path, plan: dict[str, list[str]], *, more: bool) -> None:
        release = self.release
        if release is None:
            return
        undo, last = self.folder / f"undo-{stage.name}", self.folder / "undo"
        if more and last.is_dir():
            last.rename(undo)
        # The second half of a publish is taken back together with the first; after a switch that is the release before.
        keep = undo.is_dir() or not more
        before = _plan_in(undo)
        undo.mkdir(exist_ok=True)
        for path in plan["written"]:
            if (stage / path).is_file():
                if keep and path not in before["written"]:
                    _keep_old(release / path, undo / path)
                (release / path).parent.mkdir(parents=True, exist_ok=True)
                (stage / path).replace(release / path)
        for path in plan["removed"]:
            if keep and path not in before["written"]:
                _keep_old(release / path, undo / path)
            (release / path).unlink(missing_ok=True)
            _prune((release / path).parent, release)
        if keep:
            (undo / ".plan").write_text(json.dumps({name: list(dict.fromkeys([*before[name], *plan[name]])) for name in plan}), "utf-8")
            shutil.rmtree(last, ignore_errors=True)
            undo.rename(last)
        else:
            shutil.rmtree(undo, ignore_errors=True)
        shutil.rmtree(stage, ignore_errors=True)

    def take_back(self, state: State) -> bool:
        """Undo the last publish; whether there was one to undo. The next build makes everything anew."""
        self.finish(state)
        undo, release = self.folder / "undo", self.release
        if undo.is_dir() and release is not None:
            plan = json.loads((undo / ".plan").read_text("utf-8"))
            for path in [*plan["removed"], *reversed(plan["written"])]:
                if (undo / path).is_file():
                    (release / path).parent.mkdir(parents=True, exist_ok=True)
                    (undo / path).replace(release / path)
                else:
                    (release / path).unlink(missing_ok=True)
                    _prune((release / path).parent, release)
            shutil.rmtree(undo, ignore_errors=True)
        elif (previous := self._previous()) is not None:
            self._switch(previous)
        else:
            return False
        state.db.execute("DELETE FROM files")
        state.state_fact("built", "")
        return True

    def _previous(self) -> Path | None:
        try:
            name = (self.folder / "previous").read_text("utf-8").strip()
        except OSError:
            return None
        found = self.folder / name
        return found if name and found.is_dir() and found != self.release else None

    def tidy(self) -> None:
        """Throw away what no release and no way back needs."""
        keep = {path.name for path in (self.release, self._previous()) if path is not None}
        for path in self.folder.iterdir():
            if path.is_dir() and path.name.startswith(("stage-", "undo-")) and path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)


def _plan_in(undo: Path) -> dict[str, list[str]]:
    try:
        found: dict[str, list[str]] = json.loads((undo / ".plan").read_text("utf-8"))
    except OSError:
        return {"written": [], "removed": []}
    return found


def _keep_old(file: Path, kept: Path) -> None:
    if file.is_file() and not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, kept)
        except OSError:
            shutil.copy2(file, kept)


def _prune(folder: Path, top: Path) -> None:
    while folder not in (top, top.parent):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def link(old: Path, new: Path) -> bool:
    """Share a file between two releases; whether that worked."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:
        return False
    return True
