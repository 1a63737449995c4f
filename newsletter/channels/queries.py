"""Reading channels and links."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.channels.models import Channel, Link
from newsletter.publications.models import Publication


@dataclass(frozen=True)
class Origin:
    """Where somebody came from: a channel, and the link if there was one."""

    channel_id: int | None = None
    link_id: int | None = None
    name: str = ""


def origin(session: Session, publication_id: int, via: str) -> Origin:
    """What ``?via=`` means: the code of a link or the slug of a channel. Anything else means nothing."""
    via = via.strip()[:60]
    if not via:
        return Origin()
    found = session.execute(
        select(Channel, Link).join(Link, Link.channel_id == Channel.id).where(Link.code == via, Channel.publication_id == publication_id)
    ).first()
    if found:
        return Origin(found[0].id, found[1].id, found[0].name)
    channel = session.scalar(select(Channel).where(Channel.slug == via, Channel.publication_id == publication_id))
    return Origin(channel.id, None, channel.name) if channel else Origin()


def origins(session: Session, publication_id: int) -> dict[str, Origin]:
    """Everything that ``?via=`` can mean in a publication; :func:`origin` for many sign-ups."""
    rows = session.execute(select(Channel, Link).outerjoin(Link, Link.channel_id == Channel.id).where(Channel.publication_id == publication_id)).all()
    by_slug = {channel.slug: Origin(channel.id, None, channel.name) for channel, _ in rows}
    return by_slug | {link.code: Origin(channel.id, link.id, channel.name) for channel, link in rows if link is not None}


def target(session: Session, code: str) -> Publication | None:
    """The publication that a link leads to."""
    return session.scalar(
        select(Publication).join(Channel, Channel.publication_id == Publication.id).join(Link, Link.channel_id == Channel.id).where(Link.code == code)
    )


def links_of(session: Session, publication_id: int) -> list[tuple[Channel, Link | None]]:
    """Every channel with its links, by name."""
    rows = session.execute(
        select(Channel, Link).outerjoin(Link, Link.channel_id == Channel.id).where(Channel.publication_id == publication_id).order_by(Channel.name, Link.id)
    )
    return [(row[0], row[1]) for row in rows]


def names(session: Session, publication_id: int) -> dict[int, Channel]:
    """The channels of a publication by id."""
    return {channel.id: channel for channel in session.scalars(select(Channel).where(Channel.publication_id == publication_id))}
