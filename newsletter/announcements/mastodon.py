"""The interface of Mastodon, as far as announcements need it (docs.joinmastodon.org: statuses, media, instance, accounts).

A post carries an Idempotency-Key, which a server remembers for an hour. After that a post whose reply was lost is found
among the latest of the account, by the address in it.
"""

import json
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from newsletter.announcements.policy import Later, Post, Posted, Rejected, asked_to_wait
from newsletter.fetching import Answer, Unreachable, Web

FORM = "application/x-www-form-urlencoded"
LARGEST_IMAGE = 8_000_000


def connect(web: Web, server: str, token: str) -> tuple[str, dict[str, Any]]:
    """Whose account a token belongs to, and what its server says about posts: longest text, length of a link.

    Raises:
        Later, Rejected: the server does not answer, or does not know the token.
    """
    account = _json(_ask(web, "GET", f"{server}/api/v1/accounts/verify_credentials", token))
    instance = _json(_ask(web, "GET", f"{server}/api/v2/instance", token))
    statuses = (instance.get("configuration") or {}).get("statuses") or {}
    facts = {
        "id": str(account.get("id", "")),
        "longest": int(statuses.get("max_characters") or 500),
        "link": int(statuses.get("characters_reserved_per_url") or 23),
    }
    if not facts["id"]:
        raise Rejected("The server did not say whose account this is.", account=True)
    return f"@{account.get('acct', '')}@{urlsplit(server).netloc}", facts


def post(web: Web, server: str, token: str, facts: dict[str, Any], said: Post) -> Posted:
    """Post it.

    Raises:
        Later, Rejected: it did not work.
    """
    media = _picture(web, server, token, said) if said.image else ""
    values = [("status", said.text), ("visibility", "public"), ("language", said.language), *([("media_ids[]", media)] if media else [])]
    headers = {"Content-Type": FORM, "Idempotency-Key": said.key}
    return _posted(_json(_ask(web, "POST", f"{server}/api/v1/statuses", token, headers, urlencode(values).encode())))


def find(web: Web, server: str, token: str, facts: dict[str, Any], said: Post) -> Posted | None:
    """The post, if it is there already.

    Raises:
        Later, Rejected: the server cannot be asked; then nobody knows.
    """
    rows = _json(_ask(web, "GET", f"{server}/api/v1/accounts/{facts['id']}/statuses?limit=40&exclude_reblogs=true", token))
    for row in rows if isinstance(rows, list) else []:
        if said.link in str(row.get("content", "")) or said.link in str((row.get("card") or {}).get("url", "")):
            return _posted(row)
    return None


def _picture(web: Web, server: str, token: str, said: Post) -> str:
    """Upload a picture; a post goes out without it rather than not at all."""
    if len(said.image) > LARGEST_IMAGE:
        return ""
    edge = secrets.token_hex(16)
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="description"\r\n\r\n{said.alt}\r\n'.encode(),
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="card.png"\r\nContent-Type: image/png\r\n\r\n'.encode() + said.image + b"\r\n",
        f"--{edge}--\r\n".encode(),
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    try:
        # 202: the server still works on it. A post may name it already where it is a still picture; where not, it says 422, and we go without.
        answer = _ask(web, "POST", f"{server}/api/v2/media", token, headers, b"".join(parts))
        if answer.status == 202:
            ready = _ask(web, "GET", f"{server}/api/v1/media/{_json(answer).get('id', '')}", token)
            return str(_json(ready).get("id", "")) if ready.status == 200 else ""
        return str(_json(answer).get("id", ""))
    except Rejected as error:
        if error.account:
            raise
        return ""


def _posted(row: dict[str, Any]) -> Posted:
    if not row.get("id"):
        raise Later("The server's answer names no post.")
    return Posted(str(row.get("uri") or row["id"])[:300], str(row.get("url") or row.get("uri") or "")[:500])


def _ask(web: Web, method: str, address: str, token: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
    try:
        answer = web.ask(method, address, {"Authorization": f"Bearer {token}", "Accept": "application/json", **(headers or {})}, body)
    except Unreachable as error:
        raise Later(str(error), nothing=not error.sent) from error
    if answer.status < 300:
        return answer
    why = f"{answer.status} {_error(answer)}".strip()
    if answer.status in (401, 403):
        raise Rejected(why, account=answer.status == 401)
    if answer.status == 429 or answer.status >= 500 or answer.status in (408, 425):
        raise Later(why, asked_to_wait(dict(answer.headers), datetime.now(UTC)), nothing=answer.status == 429)
    raise Rejected(why)


def _error(answer: Answer) -> str:
    try:
        return str(json.loads(answer.text).get("error", ""))[:200]
    except (ValueError, AttributeError):
        return ""


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.text)
    except ValueError as error:
        raise Later("The server's answer is no JSON.") from error
