"""The interface of Bluesky, as far as announcements need it (AT Protocol: com.atproto.server, com.atproto.repo, app.bsky.feed.post).

A post is a record whose name (rkey) we choose ourselves. It is made from the announcement, so every try means the same
record: before a second try we look whether it is there.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from newsletter.announcements.policy import Later, Post, Posted, Rejected, asked_to_wait
from newsletter.fetching import Answer, Unreachable, Web

POSTS = "app.bsky.feed.post"
LONGEST = 300  # graphemes
LARGEST_IMAGE = 950_000  # bytes; the protocol says a million
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"


def connect(web: Web, server: str, handle: str, password: str) -> tuple[str, dict[str, Any]]:
    """Whose account it is.

    Args:
        password: an app password, which can be withdrawn by itself.

    Raises:
        Later, Rejected: the server does not answer, or does not know the password.
    """
    session = _session(web, server, handle, password)
    return f"@{session.get('handle', handle)}", {"did": session["did"], "longest": LONGEST}


def post(web: Web, server: str, handle: str, password: str, facts: dict[str, Any], said: Post) -> Posted:
    """Post it.

    Raises:
        Later, Rejected: it did not work.
    """
    session = _session(web, server, handle, password)
    record = _record(said, _picture(web, server, session, said) if said.image else None)
    body = {"repo": session["did"], "collection": POSTS, "rkey": rkey(said), "record": record}
    answer = _ask(web, "POST", f"{server}/xrpc/com.atproto.repo.createRecord", session["accessJwt"], _as_json(body))
    return _posted(session, str(_json(answer).get("uri", "")), said)


def find(web: Web, server: str, handle: str, password: str, facts: dict[str, Any], said: Post) -> Posted | None:
    """The post, if it is there already.

    Raises:
        Later, Rejected: the server cannot be asked; then nobody knows.
    """
    session = _session(web, server, handle, password)
    query = urlencode({"repo": session["did"], "collection": POSTS, "rkey": rkey(said)})
    try:
        answer = _ask(web, "GET", f"{server}/xrpc/com.atproto.repo.getRecord?{query}", session["accessJwt"])
    except Rejected as error:
        if "RecordNotFound" in str(error) or "Could not locate record" in str(error):
            return None
        raise
    return _posted(session, str(_json(answer).get("uri", "")), said)


def rkey(said: Post) -> str:
    """A timestamp identifier (TID): microseconds since 1970 and ten bits of our own, in a base 32 that sorts."""
    number = (int(said.at.timestamp() * 1_000_000) & (1 << 53) - 1) << 10 | said.number % 1024
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


def facets(text: str, link: str) -> list[dict[str, Any]]:
    """Where the address stands in the text, in bytes of UTF-8; without that it would be plain text there."""
    before, found, _ = text.partition(link)
    if not found:
        return []
    start = len(before.encode())
    index = {"byteStart": start, "byteEnd": start + len(link.encode())}
    return [{"index": index, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": link}]}]


def _record(said: Post, thumb: dict[str, Any] | None) -> dict[str, Any]:
    external = {"uri": said.link, "title": said.title, "description": said.summary} | ({"thumb": thumb} if thumb else {})
    return {
        "$type": POSTS, "text": said.text, "langs": [said.language], "facets": facets(said.text, said.link),
        "createdAt": said.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "embed": {"$type": "app.bsky.embed.external", "external": external},
    }  # fmt: skip


def _picture(web: Web, server: str, session: dict[str, Any], said: Post) -> dict[str, Any] | None:
    if len(said.image) > LARGEST_IMAGE:
        return None
    try:
        answer = _ask(web, "POST", f"{server}/xrpc/com.atproto.repo.uploadBlob", session["accessJwt"], said.image, "image/png")
    except Rejected as error:
        if error.account:
            raise
        return None
    blob = _json(answer).get("blob")
    return blob if isinstance(blob, dict) else None


def _session(web: Web, server: str, handle: str, password: str) -> dict[str, Any]:
    body = _as_json({"identifier": handle.lstrip("@"), "password": password})
    found: dict[str, Any] = _json(_ask(web, "POST", f"{server}/xrpc/com.atproto.server.createSession", "", body))
    if not found.get("accessJwt") or not found.get("did"):
        raise Later("The server's answer names no session.")
    return found


def _posted(session: dict[str, Any], uri: str, said: Post) -> Posted:
    if not uri:
        raise Later("The server's answer names no post.")
    return Posted(uri[:300], f"https://bsky.app/profile/{session.get('handle') or session['did']}/post/{rkey(said)}")


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _ask(web: Web, method: str, address: str, token: str, body: bytes | None = None, kind: str = "application/json") -> Answer:
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {}), **({"Content-Type": kind} if body is not None else {})}
    try:
        answer = web.ask(method, address, headers, body)
    except Unreachable as error:
        raise Later(str(error), nothing=not error.sent) from error
    if answer.status < 300:
        return answer
    name, message = _error(answer)
    why = f"{answer.status} {name} {message}".strip()[:300]
    if name in ("ExpiredToken", "InvalidToken"):
        # Each try opens a session of its own, so the next one has a fresh token.
        raise Later(why)
    if answer.status in (401, 403):
        raise Rejected(why, account=True)
    if answer.status == 429 or answer.status >= 500:
        raise Later(why, asked_to_wait(dict(answer.headers), datetime.now(UTC)), nothing=answer.status == 429)
    raise Rejected(why)


def _error(answer: Answer) -> tuple[str, str]:
    try:
        found = json.loads(answer.text)
        return str(found.get("error", ""))[:80], str(found.get("message", ""))[:200]
    except (ValueError, AttributeError):
        return "", ""


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.text)
    except ValueError as error:
        raise Later("The server's answer is no JSON.") from error
