"""What every target can do, and what those over ssh share."""

import hashlib
import mimetypes
import os
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

PATIENCE = 600  # seconds for one command; a picture over a slow line takes minutes
TYPES = {".md": "text/markdown; charset=utf-8", ".avif": "image/avif", ".webp": "image/webp", ".epub": "application/epub+zip", ".woff2": "font/woff2"}


class TargetRefused(Exception):
    """A target did not take something. One sentence says why."""


@dataclass(frozen=True)
class Account:
    """How a target is reached.

    Args:
        place: an address, as the target's class says.
        secret: a private key, or ``name:password``; empty, if none is needed.
        home: a folder of our own for what has to be remembered, such as the keys of servers.
    """

    place: str
    secret: str
    home: Path


class Target(ABC):
    """One place. Everything that is sent twice does no harm."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.open()

    @abstractmethod
    def open(self) -> None:
        """Understand the place.

        Raises:
            TargetRefused: it is none.
        """

    @abstractmethod
    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        """Bring files there, in this order, then take others away; give back each path that is done.

        Raises:
            TargetRefused: something did not work; what was given back before is done.
        """

    @abstractmethod
    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        """The files that are missing there or are different.

        Args:
            files: paths with their SHA-256.

        Raises:
            TargetRefused: it cannot be looked at.
        """


def sha256(file: Path) -> str:
    """The checksum of a file, or nothing if there is none."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def kind_of(path: str) -> str:
    """What a web server should say of a file."""
    ends = {
        "atom.xml": "application/atom+xml",
        "rss.xml": "application/rss+xml",
        "feed.json": "application/feed+json",
        "index.json": "application/activity+json",
    }
    name = path.rpartition("/")[2]
    found = ends.get(name) or TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") and "charset" not in found else found


def folders(paths: Sequence[str]) -> list[str]:
    """Every folder that these files need, outer ones first."""
    found = {str(parent) for path in paths for parent in Path(path).parents}
    return sorted(found - {"."}, key=lambda folder: (folder.count("/"), folder))


def run(command: Sequence[str], given: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program and give back what it said.

    Raises:
        TargetRefused: it is not installed, did not end well, or did not end.
    """
    if shutil.which(command[0]) is None:
        raise TargetRefused(f"{command[0]} is not installed.")
    try:
        done = subprocess.run(  # noqa: S603 -- a list of words, no shell
            command, input=given, capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE, env={**os.environ, **(env or {})}, cwd=cwd
        )
    except subprocess.TimeoutExpired as error:
        raise TargetRefused(f"{command[0]} did not come to an end.") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip() and not line.startswith("Warning: Permanently added")]
        # The last line is often “Connection closed”, and the one before says why.
        raise TargetRefused(f"{command[0]}: {' '.join(lines[-2:])[-300:] if lines else f'it ended with {done.returncode}'}")
    return done.stdout


@dataclass(frozen=True)
class Ssh:
    """A place as ``ssh://name@host:port/path``."""

    login: str
    port: int
    path: str

    @classmethod
    def read(cls, place: str) -> "Ssh":
        """Understand an address.

        Raises:
            TargetRefused: it is none.
        """
        try:
            parts = urlsplit(place)
            port = parts.port or 22
        except ValueError as error:
            raise TargetRefused("The place has to look like ssh://name@host/path.") from error
        path = unquote(parts.path)
        # A word that begins with a hyphen would be an option for ssh (CVE-2017-1000117).
        words = [parts.hostname or "", parts.username or ""]
        if (
            parts.scheme not in ("ssh", "sftp")
            or not parts.hostname
            or len(path) < 2
            or any(word.startswith("-") for word in words)
            or set(path) & set("\n\r\"'`$\\")
        ):
            raise TargetRefused("The place has to look like ssh://name@host/path.")
        host = parts.hostname if ":" not in parts.hostname else f"[{parts.hostname}]"
        return cls(f"{parts.username}@{host}" if parts.username else host, port, path.rstrip("/"))


@contextmanager
def ssh_options(account: Account) -> Iterator[list[str]]:
    """The options that every program over ssh gets: our key, and the keys of servers that we have met.

    A server that nobody knows is believed once; one that has another key the next time is not.
    """
    account.home.mkdir(parents=True, exist_ok=True)
    known = account.home / "known_hosts"
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=accept-new",
        f"UserKnownHostsFile={known}",
        "HashKnownHosts=no",
        "ConnectTimeout=20",
        "ServerAliveInterval=20",
    ]
    with tempfile.TemporaryDirectory(prefix="key-") as folder:
        if account.secret:
            file = Path(folder) / "key"
            file.touch(0o600)
            file.write_text(account.secret.strip() + "\n", "utf-8")
            options += ["IdentitiesOnly=yes", f"IdentityFile={file}"]
        yield [word for option in options for word in ("-o", option)]
