"""Connecting and disconnecting accounts that announcements go out by."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.announcements.models import Announcement, Outlet
from newsletter.channels.models import Channel
from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.tokens import Tokens


def server_of(text: str, kind: str) -> str:
    """The address of a server, as people write it.

    Raises:
        Refused: it is none, or the way there is not encrypted.
    """
    text = text.strip().rstrip("/") or ("https://bsky.social" if kind == "bluesky" else "")
    if text and "://" not in text:
        text = f"https://{text}"
    parts = urlsplit(text)
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or parts.username
        or parts.path.strip("/")
        or len(text) > 200
        or any(sign.isspace() for sign in text)
    ):
        raise Refused(mark("Write the server like mastodon.social."), field="server")
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme == "http" and not local:
        raise Refused(mark("The way to this server is not encrypted. A key must not travel there."), field="server")
    return f"{parts.scheme}://{parts.netloc}"


def connect(
    session: Session,
    tokens: Tokens,
    *,
    channel: Channel,
    kind: str,
    server: str,
    handle: str,
    secret: str,
    facts: dict[str, Any],
    automatic: bool,
    now: datetime,
) -> Outlet:
    """Keep an account that was just tried; its channel has one at most."""
    row = session.scalar(select(Outlet).where(Outlet.channel_id == channel.id))
    if row is None:
        row = Outlet(publication_id=channel.publication_id, channel_id=channel.id, kind=kind, created_at=now, server=server, handle=handle, secret="")
        session.add(row)
    row.kind, row.server, row.handle, row.secret, row.facts = kind, server, handle[:200], tokens.encrypt(secret), facts
    row.automatic, row.state, row.problem = automatic, "active", ""
    session.flush()
    return row


def disconnect(session: Session, outlet: Outlet) -> None:
    """Forget an account and its key. What waits for it waits for a person."""
    waiting = select(Announcement).where(Announcement.outlet_id == outlet.id, Announcement.state.in_(("ready", "queued", "failed")))
    for row in session.scalars(waiting):
        if row.handed_at is None:
            row.way, row.state, row.next_attempt_at = "hand", "todo", None
    session.flush()
    session.delete(outlet)
    session.flush()
