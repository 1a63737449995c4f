"""Another server of the Fediverse and of the web: an account with a key, an inbox that checks signatures, a hub, pages."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.listening import listening


@dataclass
class Elsewhere:
    """What is there, and what came in.

    Args:
        pages: by path: status, headers, text.
    """

    base: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    pages: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def far(self) -> str:
        """The same under a name that could be anywhere."""
        return self.base.replace("127.0.0.1", "ada.example")

    @property
    def actor(self) -> str:
        return f"{self.base}/users/ada"

    def profile(self) -> dict[str, object]:
        public = self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        key = {"id": f"{self.actor}#main-key", "owner": self.actor, "publicKeyPem": public}
        return {"id": self.actor, "type": "Person", "inbox": f"{self.actor}/inbox", "endpoints": {"sharedInbox": f"{self.base}/inbox"}, "publicKey": key}

    def signed(self, address: str, activity: object, when: datetime | None = None) -> tuple[bytes, dict[str, str]]:
        """An activity as Ada's server would post it."""
        body = json.dumps(activity).encode()
        parts = urlsplit(address)
        date = format_datetime(when or datetime.now(UTC), usegmt=True)
        digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
        text = f"(request-target): post {parts.path}\nhost: {parts.netloc}\ndate: {date}\ndigest: {digest}"
        mark = base64.b64encode(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        signature = f'keyId="{self.actor}#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="{mark}"'
        return body, {"Host": parts.netloc, "Date": date, "Digest": digest, "Signature": signature, "Content-Type": "application/activity+json"}


def check_signature(public: str, path: str, headers: dict[str, str], body: bytes) -> None:
    """Check a message as another server does; written apart from ours on purpose."""
    fields = dict(re.findall(r'(\w+)="([^"]*)"', headers["Signature"]))
    assert headers["Digest"] == "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    rows = [f"(request-target): post {path}" if name == "(request-target)" else f"{name}: {headers[name.title()]}" for name in fields["headers"].split()]
    key = serialization.load_pem_public_key(public.encode())
    key.verify(base64.b64decode(fields["signature"]), "\n".join(rows).encode(), padding.PKCS1v15(), hashes.SHA256())


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Start it."""
    there = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path
            if path == "/users/ada":
                self._answer(there.statuses.get(path, 200), {"Content-Type": "application/activity+json"}, json.dumps(there.profile()))
            else:
                self._answer(*there.pages.get(path, (404, {}, "nothing")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            there.posts.append((self.path, dict(self.headers.items()), body))
            self._answer(there.statuses.get(self.path, 202), {}, "")

        def _answer(self, status: int, headers: dict[str, str], text: str) -> None:
            data = text.encode()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with listening(Handler) as there.base:
        yield there
