"""rsync over ssh."""

import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archive_site.targets.base import Ssh, Target, folders, run, ssh_options

CHUNK = 500


class Rsync(Target):
    """``place``: ``ssh://name@host:port/path``; ``secret``: a private key."""

    def open(self) -> None:
        self._ssh = Ssh.read(self.account.place)

    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        for paths in _chunks(changed):
            # Files arrive under other names and are renamed at the end of each chunk.
            self._rsync(root, paths, "--delay-updates")
            yield from paths
        for paths in _chunks(removed):
            self._remove(paths)
            yield from paths

    def _rsync(self, root: Path, paths: Sequence[str], *more: str) -> str:
        return self._run(["--mkpath", "--files-from=-", *more], root, paths)

    def _remove(self, paths: Sequence[str]) -> None:
        # An empty folder is sent, in which only these names count: they go, and the folders that are empty then.
        names = [*(f"/{folder}/" for folder in folders(paths)), *(f"/{path}" for path in paths)]
        with tempfile.TemporaryDirectory(prefix="empty-") as empty:
            self._run(["--delete", "--include-from=-", "--exclude=*"], Path(empty), names)

    def _run(self, more: Sequence[str], root: Path, rows: Sequence[str]) -> str:
        with ssh_options(self.account) as options:
            shell = shlex.join(["ssh", "-p", str(self._ssh.port), *options])
            place = f"{self._ssh.login}:{self._ssh.path}/"
            command = ["rsync", "-rlt", "--checksum", "--chmod=D755,F644", *more, "-e", shell, f"{root}/", place]
            return run(command, "\n".join(rows) + "\n")

    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        wrong = []
        for paths in _chunks(list(files)):
            said = self._rsync(root, paths, "--dry-run", "--out-format=%i %n")
            # “<f” is a file that would be sent; a change of its time alone has no “c” and no “+” behind it.
            rows = [line.split(" ", 1) for line in said.splitlines() if line.startswith("<f")]
            wrong += [name for flags, name in rows if flags[2] in "c+"]
        return wrong


def _chunks(paths: Sequence[str]) -> Iterator[list[str]]:
    for at in range(0, len(paths), CHUNK):
        yield list(paths[at : at + CHUNK])
