"""A folder: another disk, a network share, the root of a web server."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archive_site.artifact import write
from archive_site.targets.base import Target, TargetRefused, sha256


class Folder(Target):
    """``place``: an absolute path."""

    def open(self) -> None:
        self._folder = Path(self.account.place)
        if not self._folder.is_absolute():
            raise TargetRefused("The place has to be the whole path of a folder.")

    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        if not self._folder.parent.is_dir():
            raise TargetRefused(f"{self._folder.parent} is not there.")
        try:
            for path in changed:
                write(self._folder / path, (root / path).read_bytes())
                yield path
            for path in removed:
                (self._folder / path).unlink(missing_ok=True)
                self._prune((self._folder / path).parent)
                yield path
        except OSError as error:
            raise TargetRefused(f"{error.filename}: {error.strerror}") from error

    def _prune(self, folder: Path) -> None:
        while folder != self._folder and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent

    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        return [path for path, mark in files.items() if sha256(self._folder / path) != mark]
