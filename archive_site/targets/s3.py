"""S3 and what speaks like it: AWS, Cloudflare R2, Hetzner, Wasabi, Garage, MinIO."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from archive_site.targets.base import Target, TargetRefused, kind_of

FOREVER = ("assets/", "media/", "cards/")


class S3(Target):
    """``place``: ``s3://bucket/prefix?endpoint=https://host&region=eu-central-1``; ``secret``: ``key:secret``."""

    def open(self) -> None:
        parts = urlsplit(self.account.place)
        options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        key, _, secret = self.account.secret.partition(":")
        if parts.scheme != "s3" or not parts.netloc or not key or not secret:
            raise TargetRefused("The place has to look like s3://bucket/prefix?endpoint=https://host&region=name, the secret like key:secret.")
        self._prefix = parts.path.strip("/") + "/" if parts.path.strip("/") else ""
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as error:
            raise TargetRefused("For S3, install Brieftaube with its extra “s3”.") from error
        self._obstore: Any = obstore
        endpoint = options.get("endpoint")
        self._store: S3Store = S3Store(
            parts.netloc,
            endpoint=endpoint or f"https://s3.{options.get('region', 'us-east-1')}.amazonaws.com",
            region=options.get("region", "us-east-1"),
            access_key_id=key,
            secret_access_key=secret,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "timeout": "120s"},
            retry_config={"max_retries": 2},
        )

    def send(self, root: Path, changed: Sequence[str], removed: Sequence[str]) -> Iterator[str]:
        for path in changed:
            cache = "public, max-age=31536000" if path.startswith(FOREVER) else "public, max-age=300"
            attributes = {"Content-Type": kind_of(path), "Cache-Control": cache}
            self._try(self._obstore.put, self._prefix + path, (root / path).read_bytes(), attributes=attributes, use_multipart=False)
            yield path
        for at in range(0, len(removed), 500):
            paths = list(removed[at : at + 500])
            for path in paths:
                self._try(self._obstore.delete, self._prefix + path)
            yield from paths

    def _try(self, what: Any, *arguments: Any, **more: Any) -> Any:
        try:
            return what(self._store, *arguments, **more)
        except FileNotFoundError:
            return None
        except Exception as error:  # obstore's errors share no root with anything
            lines = str(error).strip().splitlines()
            raise TargetRefused(f"S3: {(lines[0] if lines else type(error).__name__)[:300]}") from error

    def differing(self, root: Path, files: Mapping[str, str]) -> list[str]:
        marks: dict[str, str] = {}
        listing = self._try(self._obstore.list, self._prefix or None, chunk_size=1000)
        for chunk in listing:
            marks |= {row["path"].removeprefix(self._prefix): (row["e_tag"] or "").strip('"') for row in chunk}
        return [path for path, mark in files.items() if path not in marks or not self._same(root, path, mark, marks[path])]

    def _same(self, root: Path, path: str, mark: str, tag: str) -> bool:
        # The tag of an object that was sent in one piece is its MD5, on most servers.
        data = (root / path).read_bytes() if (root / path).is_file() else b""
        if tag == hashlib.md5(data, usedforsecurity=False).hexdigest():
            return hashlib.sha256(data).hexdigest() == mark
        answer = self._try(self._obstore.get, self._prefix + path)
        return answer is not None and hashlib.sha256(bytes(answer.bytes())).hexdigest() == mark
