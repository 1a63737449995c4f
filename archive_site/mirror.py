"""Bringing an archive to a target: only what has changed, pages before the lists that name them, what is gone last."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from archive_site import units
from archive_site.publish import Shelf
from archive_site.state import State
from archive_site.targets import Target, TargetRefused

KEEP_EVERY = 50


@dataclass(frozen=True)
class Mirrored:
    """What there is at a target now, and what was done for it."""

    files: int
    sent: int
    removed: int


def mirror(out: Path, name: str, target: Target) -> Mirrored:
    """Bring a target up to date. What a try that failed has sent is not sent again.

    Args:
        name: by which we remember what is there.

    Raises:
        TargetRefused: the target did not take something, or there is no whole archive.
    """
    shelf = Shelf(out.absolute())
    with closing(State(shelf.folder / "state.db")) as state:
        root = _whole(shelf, state)
        rows = state.db.execute(
            "SELECT f.path, f.unit, f.sha256 FROM files AS f LEFT JOIN sent AS s ON s.target = ? AND s.path = f.path "
            "WHERE s.sha256 IS NULL OR s.sha256 <> f.sha256",
            (name,),
        ).fetchall()
        marks = {path: mark for path, _, mark in rows}
        changed = [path for path, _, _ in sorted(rows, key=lambda row: (units.rank(row[1]), row[0]))]
        gone = [row[0] for row in state.db.execute("SELECT path FROM sent WHERE target = ? AND path NOT IN (SELECT path FROM files) ORDER BY path", (name,))]
        _send(state, name, target, root, changed, gone, marks)
        total = state.db.execute("SELECT count(*) FROM sent WHERE target = ?", (name,)).fetchone()[0]
        return Mirrored(total, len(changed), len(gone))


def _whole(shelf: Shelf, state: State) -> Path:
    with shelf.alone():
        shelf.finish(state)
    root = shelf.release
    if root is None or not state.fact("built") or state.db.execute("SELECT count(*) FROM files").fetchone()[0] == 0:
        # Without this question an archive that was taken back would be taken away from every target.
        raise TargetRefused("The archive has to be built first.")
    return root


def _send(state: State, name: str, target: Target, root: Path, changed: list[str], gone: list[str], marks: Mapping[str, str]) -> None:
    if not changed and not gone:
        return
    done: list[str] = []
    try:
        for path in target.send(root, changed, gone):
            done.append(path)
            if len(done) >= KEEP_EVERY:
                _keep(state, name, done, marks)
                done.clear()
    except OSError as error:
        raise TargetRefused(f"{error.filename or 'the archive'}: {error.strerror or error}") from error
    finally:
        _keep(state, name, done, marks)


def _keep(state: State, name: str, done: list[str], marks: Mapping[str, str]) -> None:
    state.db.execute("BEGIN IMMEDIATE")
    state.db.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", [(name, path, marks[path]) for path in done if path in marks])
    state.db.executemany("DELETE FROM sent WHERE target = ? AND path = ?", [(name, path) for path in done if path not in marks])
    state.db.execute("COMMIT")


def verify(out: Path, name: str, target: Target) -> list[str]:
    """The files that are missing at a target or are different there; the next :func:`mirror` sends them again.

    Raises:
        TargetRefused: the target cannot be looked at, or there is no whole archive.
    """
    shelf = Shelf(out.absolute())
    with closing(State(shelf.folder / "state.db")) as state:
        root = _whole(shelf, state)
        wrong = target.differing(root, dict(state.db.execute("SELECT path, sha256 FROM files ORDER BY path").fetchall()))
        state.db.executemany("DELETE FROM sent WHERE target = ? AND path = ?", [(name, path) for path in wrong])
        return wrong
