"""A Mastodon and a Bluesky, as far as their documentation says how they are spoken to, with accidents by plan.

Shapes are those of docs.joinmastodon.org (statuses, media, instance, accounts) and of the AT Protocol's lexicons
(com.atproto.server.createSession, com.atproto.repo.*, app.bsky.feed.post), written apart from our clients on purpose.
"""

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.support.listening import listening

TOKEN = "mein-geheimnis"


@dataclass
class Server:
    """What is there, what came in, and what goes wrong next.

    Args:
        accidents: for each post that comes in, in turn: ``lose`` (it is taken, and the reply is lost), ``hang up``
            (nothing is taken), or a status and headers to answer with. Nothing in the list: all goes well.
    """

    base: str = ""
    accidents: list[str | tuple[int, dict[str, str], dict[str, str]]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    remembers_keys: bool = True
    media: int = 0
    expired: int = 0


def mastodon_answer(there: Server, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
    if headers.get("Authorization") != f"Bearer {TOKEN}":
        return 401, {}, {"error": "The access token is invalid"}
    route = urlsplit(path).path
    if route == "/api/v1/accounts/verify_credentials":
        return 200, {}, {"id": "14715", "username": "mira", "acct": "mira", "url": f"{there.base}/@mira"}
    if route == "/api/v2/instance":
        return 200, {}, {"domain": "garten.example", "configuration": {"statuses": {"max_characters": 500, "characters_reserved_per_url": 23}}}
    if route == "/api/v2/media":
        assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="file"' in body
        assert b"\x89PNG" in body
        there.media += 1
        return 202, {}, {"id": str(there.media), "type": "image", "url": None}
    if re.fullmatch(r"/api/v1/media/\d+", route):
        return 200, {}, {"id": route.rpartition("/")[2], "type": "image", "url": f"{there.base}/media.png"}
    if route == "/api/v1/accounts/14715/statuses":
        return 200, {}, there.posts[::-1][:40]
    if method == "POST" and route == "/api/v1/statuses":
        said = dict(parse_qsl(body.decode()))
        known = there.keys.get(headers.get("Idempotency-Key", "")) if there.remembers_keys else None
        if known:
            return 200, {}, known
        if len(re.sub(r"https?://\S+", "x" * 23, said["status"])) > 500:
            return 422, {}, {"error": "Validation failed: Text character limit of 500 exceeded"}
        number = str(109_000 + len(there.posts))
        content = "<p>" + re.sub(r"(https?://[^\s<]+)", r'<a href="\1">\1</a>', html.escape(said["status"])).replace("\n\n", "</p><p>") + "</p>"
        row = {
            "id": number, "uri": f"{there.base}/users/mira/statuses/{number}", "url": f"{there.base}/@mira/{number}", "content": content,
            "visibility": said["visibility"], "language": said["language"],
            "media_attachments": [{"id": one} for one in parse_qs(body.decode()).get("media_ids[]", [])],
        }  # fmt: skip
        there.posts.append(row)
        there.keys[headers.get("Idempotency-Key", "")] = row
        return 200, {}, row
    return 404, {}, {"error": "Record not found"}


def bluesky_answer(there: Server, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
    parts = urlsplit(path)
    name = parts.path.removeprefix("/xrpc/")
    if name == "com.atproto.server.createSession":
        said = json.loads(body)
        if said["password"] != TOKEN:
            return 401, {}, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}
        return 200, {}, {"did": "did:plc:saat", "handle": said["identifier"], "accessJwt": "jwt", "refreshJwt": "more"}
    if headers.get("Authorization") != "Bearer jwt":
        return 401, {}, {"error": "AuthMissing", "message": "Authentication Required"}
    if there.expired:
        there.expired -= 1
        return 400, {}, {"error": "ExpiredToken", "message": "Token has expired"}
    if name == "com.atproto.repo.uploadBlob":
        assert headers["Content-Type"] == "image/png"
        there.media += 1
        return 200, {}, {"blob": {"$type": "blob", "ref": {"$link": "bafkrei"}, "mimeType": "image/png", "size": len(body)}}
    if name == "com.atproto.repo.getRecord":
        asked = dict(parse_qsl(parts.query))
        uri = f"at://did:plc:saat/{asked['collection']}/{asked['rkey']}"
        found = next((row for row in there.posts if row["uri"] == uri), None)
        return (200, {}, found) if found else (400, {}, {"error": "RecordNotFound", "message": f"Could not locate record: {uri}"})
    if method == "POST" and name == "com.atproto.repo.createRecord":
        said = json.loads(body)
        record = said["record"]
        assert re.fullmatch(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}", said["rkey"]), said["rkey"]
        assert record["$type"] == said["collection"] == "app.bsky.feed.post"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["createdAt"])
        if len(record["text"]) > 300:
            return 400, {}, {"error": "InvalidRequest", "message": "Record/text must not be longer than 300 graphemes"}
        for facet in record["facets"]:
            index = facet["index"]
            assert record["text"].encode()[index["byteStart"] : index["byteEnd"]].decode() == facet["features"][0]["uri"]
        uri = f"at://{said['repo']}/{said['collection']}/{said['rkey']}"
        if any(row["uri"] == uri for row in there.posts):
            return 400, {}, {"error": "InvalidRequest", "message": "Record already exists"}
        row = {"uri": uri, "cid": "bafyrei", "value": record}
        there.posts.append(row)
        return 200, {}, {"uri": uri, "cid": "bafyrei"}
    return 501, {}, {"error": "MethodNotImplemented"}


POSTING = {"/api/v1/statuses", "/xrpc/com.atproto.repo.createRecord"}


@contextmanager
def social(kind: str) -> Iterator[Server]:
    """Start one, ``mastodon`` or ``bluesky``."""
    there = Server()
    answer = mastodon_answer if kind == "mastodon" else bluesky_answer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self._do("POST")

        def _do(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            there.asked.append((method, self.path, dict(self.headers.items())))
            accident = there.accidents.pop(0) if there.accidents and urlsplit(self.path).path in POSTING else None
            if accident == "hang up":
                self.close_connection = True
                self.connection.close()
                return
            if isinstance(accident, tuple):
                self._say(*accident)
                return
            found = answer(there, method, self.path, dict(self.headers.items()), body)
            if accident == "lose":
                self.close_connection = True
                self.connection.close()
                return
            self._say(*found)

        def _say(self, status: int, headers: dict[str, str], value: object) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with listening(Handler) as there.base:
        yield there
