"""WebDAV (RFC 4918), as Nextcloud, Hetzner and many web hosts have it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import urllib3

from archive_site.targets.base import Target, TargetRefused, folders, kind_of

THERE = (200, 201, 204)


class WebDav(Target):
    """``place``: the address of a folder; ``secret``: ``name:password``."""

    def open(self) -> None:
        parts = urlsplit(self.account.place)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise TargetRefused("The place has to look like https://host/folder/.")
        self._base = self.account.place.rstrip("/") + "/"
        headers = urllib3.make_headers(basic_auth=self.account.secret) if self.account.secret else {}
        self._pool = urllib3.PoolManager(headers=headers, timeout=urllib3.Timeout(connect=20, read=120), retries=False)
        self._made: set[str] = set()

    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        for path in changed:
            for folder in ["", *folders([path])]:
                self._make(folder)
            data = (root / path).read_bytes()
            # The new file is complete before it takes its name.
            self._ask("PUT", f"{path}.new", THERE, data, {"Content-Type": kind_of(path)})
            self._ask("MOVE", f"{path}.new", THERE, None, {"Destination": self._base + quote(path), "Overwrite": "T"})
            yield path
        for path in removed:
            self._ask("DELETE", path, (*THERE, 404))
            yield path

    def _make(self, folder: str) -> None:
        if folder not in self._made:
            # 405: it is there already (RFC 4918, 9.3.1). The outermost one may belong to somebody else.
            self._ask("MKCOL", f"{folder}/" if folder else "", (*THERE, 405, *([301, 403, 409] if not folder else [])))
            self._made.add(folder)

    def _ask(
        self, method: str, path: str, good: Sequence[int], body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        said = {**self._pool.headers, **(headers or {})}
        try:
            answer = self._pool.request(method, self._base + quote(path), body=body, headers=said, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise TargetRefused(f"{urlsplit(self._base).hostname} does not answer: {type(error).__name__}") from error
        if answer.status not in good:
            raise TargetRefused(f"{answer.status} for {method} {path}")
        return answer

    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        wrong = []
        for path, mark in files.items():
            answer = self._ask("GET", path, (200, 404))
            if answer.status != 200 or hashlib.sha256(answer.data).hexdigest() != mark:
                wrong.append(path)
        return wrong
