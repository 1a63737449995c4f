"""SFTP, by OpenSSH's own client."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archive_site.targets.base import Ssh, Target, folders, run, sha256, ssh_options

CHUNK = 200


class Sftp(Target):
    """``place``: ``sftp://name@host:port/path``; ``secret``: a private key."""

    def open(self) -> None:
        self._ssh = Ssh.read(self.account.place)

    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        for at in range(0, len(changed), CHUNK):
            paths = changed[at : at + CHUNK]
            rows = [f"-mkdir {self._there(folder)}" for folder in ["", *folders(paths)]]
            for path in paths:
                # The new file is complete before it takes its name; OpenSSH renames over an old one.
                rows += [f'put "{root / path}" {self._there(path + ".new")}', f"rename {self._there(path + '.new')} {self._there(path)}"]
            self._batch(rows)
            yield from paths
        for at in range(0, len(removed), CHUNK):
            paths = removed[at : at + CHUNK]
            self._batch([f"-rm {self._there(path)}" for path in paths] + [f"-rmdir {self._there(folder)}" for folder in reversed(folders(paths))])
            yield from paths

    def _there(self, path: str) -> str:
        return f'"{self._ssh.path}/{path}"'.replace('/"', '"')

    def _batch(self, rows: Sequence[str]) -> str:
        with ssh_options(self.account) as options:
            return run(["sftp", "-b", "-", "-P", str(self._ssh.port), *options, self._ssh.login], "\n".join(rows) + "\n")

    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        wrong: list[str] = []
        paths = list(files)
        for at in range(0, len(paths), CHUNK):
            with tempfile.TemporaryDirectory(prefix="back-") as name:
                part = paths[at : at + CHUNK]
                self._batch([f'-get {self._there(path)} "{Path(name) / str(number)}"' for number, path in enumerate(part)])
                wrong += [path for number, path in enumerate(part) if sha256(Path(name) / str(number)) != files[path]]
        return wrong
