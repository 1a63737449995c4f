"""Adding channels and links."""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.channels.models import OWNERSHIPS, Channel, Link
from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.slugs import slugify, unused

# What nearly everybody has. Names are proper names, or translated where they are words.
FIRST = {
    "de": (("Eigene Website", "owned"), ("Archiv", "owned"), ("Empfehlung", "owned"), ("Instagram", "closed"), ("LinkedIn", "closed")),
    "en": (("Own website", "owned"), ("Archive", "owned"), ("Recommendation", "owned"), ("Instagram", "closed"), ("LinkedIn", "closed")),
}


def add_channel(session: Session, *, publication_id: int, name: str, ownership: str) -> int:
    """Add a channel; give back its id.

    Raises:
        Refused: it has no name, or nobody owns it.
    """
    name = name.strip()[:120]
    if not name or ownership not in OWNERSHIPS:
        raise Refused(mark("A channel needs a name and somebody it belongs to."), field="name")
    taken = set(session.scalars(select(Channel.slug).where(Channel.publication_id == publication_id)))
    channel = Channel(publication_id=publication_id, name=name, ownership=ownership, slug=unused(slugify(name, 50) or "channel", taken))
    session.add(channel)
    session.flush()
    return channel.id


def add_link(session: Session, *, channel_id: int, label: str, now: datetime) -> str:
    """Add a short address for a channel; give back its code."""
    code = secrets.token_hex(3)
    session.add(Link(channel_id=channel_id, code=code, label=label.strip()[:120], created_at=now))
    session.flush()
    return code


def add_first_channels(session: Session, *, publication_id: int, language: str, now: datetime) -> None:
    """Channels and links to begin with."""
    for name, ownership in FIRST[language]:
        channel_id = add_channel(session, publication_id=publication_id, name=name, ownership=ownership)
        add_link(session, channel_id=channel_id, label=name, now=now)
