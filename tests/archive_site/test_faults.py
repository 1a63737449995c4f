"""Whatever happens while it is built, the archive is a whole one: the old or the new."""

import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_site.build import build
from archive_site.folder import FolderSource, save
from tests.archive_site.conftest import NOW, Shelf, letter, make, tree

# A process that kills itself at the n-th of some calls, in place of a power cut.
CRASHING = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from archive_site import build as module, publish
from archive_site.folder import FolderSource
left = int(sys.argv[3])
def strike(real):
    def call(*arguments, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    return call
Path.replace, Path.rename, Path.write_bytes, Path.unlink, os.link = map(strike, (Path.replace, Path.rename, Path.write_bytes, Path.unlink, os.link))
module.build(FolderSource(Path(sys.argv[1])), Path(sys.argv[2]), now=datetime.fromisoformat(sys.argv[4]), processes=1, full=sys.argv[5] == "full")
"""


def whole(out: Path, *states: dict[str, bytes]) -> bool:
    """Whether every page that can be reached is there, in a state that was meant, but for a list that is one publish behind."""
    now = tree(out)
    return all(any(state.get(path) == data for state in states) for path, data in now.items()) and all(
        path in now for state in states[:1] for path in state if all(path in other for other in states)
    )


@pytest.mark.parametrize("full", ["few", "full"])
def test_a_crash_at_any_step_leaves_a_whole_archive_and_the_next_build_mends_it(shelf: Shelf, tmp_path: Path, full: str) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    save(shelf.site, shelf.kept.values(), source)
    build(FolderSource(source), out, now=NOW, processes=1)
    old = tree(out)
    shelf.put(letter(6, slug="neu"))
    shelf.change(2, title="Anders")
    save(shelf.site, shelf.kept.values(), source)
    make(shelf, tmp_path / "meant")
    new = tree(tmp_path / "meant")
    crashes = 0
    for step in [*range(1, 12), *range(12, 400, 17)]:
        copy = tmp_path / f"copy{step}"
        subprocess.run(["cp", "-a", f"{out.parent / '.out.releases'}", f"{tmp_path / f'.copy{step}.releases'}"], check=True)
        copy.symlink_to(str(out.readlink()).replace(".out.", f".copy{step}."))
        done = subprocess.run(
            [sys.executable, "-c", CRASHING, str(source), str(copy), str(step), NOW.isoformat(), full], check=False, capture_output=True, text=True
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        crashes += done.returncode != 0
        assert whole(copy, old, new), step
        build(FolderSource(source), copy, now=NOW, processes=1)
        assert tree(copy) == new, step
        if done.returncode == 0:
            break
    assert crashes > 10


def test_a_kill_at_any_moment_leaves_a_whole_archive(shelf: Shelf, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    for number in range(6, 40):
        shelf.put(letter(number))
    save(shelf.site, shelf.kept.values(), source)
    chance = random.Random(1)
    command = [sys.executable, "-m", "archive_site", str(source), str(out)]
    for round_ in range(8):
        shelf.change(1 + round_, title=f"Runde {round_}")
        save(shelf.site, shelf.kept.values(), source)
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.1, 0.9))
        child.kill()
        child.wait()
    build(FolderSource(source), out, now=NOW, processes=1)
    make(shelf, tmp_path / "meant")
    assert tree(out) == tree(tmp_path / "meant")


LIMITED = """
import resource, signal, sys
from pathlib import Path
from archive_site.build import build
from archive_site.folder import FolderSource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    build(FolderSource(Path(sys.argv[1])), Path(sys.argv[2]), processes=1)
except OSError as error:
    print("refused", error)
"""


@pytest.mark.parametrize("limit", [0, 4_000, 60_000])
def test_a_disk_that_is_full_in_the_middle_leaves_the_old_archive(shelf: Shelf, tmp_path: Path, limit: int) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    save(shelf.site, shelf.kept.values(), source)
    build(FolderSource(source), out, processes=1)
    before = tree(out)
    shelf.put(letter(6, html="<p>" + "lang " * 20_000 + "</p>"))
    save(shelf.site, shelf.kept.values(), source)
    done = subprocess.run([sys.executable, "-c", LIMITED, str(source), str(out), str(limit)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused")
    assert tree(out) == before
    build(FolderSource(source), out, processes=1)
    assert (out / "brief-6" / "index.html").exists()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="file"):
        build(shelf, tmp_path / "file" / "out", now=NOW)
