"""Reading channels, links, visits and figures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from newsletter.channels.catalogue import usual
from newsletter.channels.models import Channel, Figure, Goal, Link, Visit
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.links import Links
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base

# In ?via= stands the code of a link, the slug of a channel, or this and the code of a reader's share link.
SHARED = "r."


@dataclass(frozen=True)
class Origin:
    """Where somebody came from: a channel, and the link if there was one."""

    channel_id: int | None = None
    link_id: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Lead:
    """Where a short address leads, and whom it counts for."""

    link_id: int
    address: str


def origins(session: Session, publication_id: int) -> dict[str, Origin]:
    """Everything that ``?via=`` can mean in a publication; under :data:`SHARED` where readers' own links count."""
    rows = session.execute(
        select(Channel, Link).outerjoin(Link, (Link.channel_id == Channel.id) & Link.ended_at.is_(None)).where(Channel.publication_id == publication_id)
    ).all()
    found = {channel.slug: Origin(channel.id, None, channel.name) for channel, _ in rows}
    found |= {link.code: Origin(channel.id, link.id, channel.name) for channel, link in rows if link is not None}
    shared = sorted((link.id, channel.id, channel.name) for channel, link in rows if link is not None and channel.kind == "recommendation")
    return found | ({SHARED: Origin(shared[0][1], shared[0][0], shared[0][2])} if shared else {})


def lead(session: Session, links: Links, code: str) -> Lead | None:
    """Where the code of a link leads: to its landing page, to the sign-up page, or, when it was deleted, to the publication."""
    row = session.execute(
        select(Publication, Link).join(Channel, Channel.publication_id == Publication.id).join(Link, Link.channel_id == Channel.id).where(Link.code == code)
    ).first()
    if row is None:
        return None
    publication, link = row
    if link.ended_at is not None:
        return Lead(link.id, links.sign_up(publication.slug))
    if link.landing:
        return Lead(link.id, f"{archive_base(publication, links)}l/{link.code}/")
    base = f"{archive_base(publication, links)}{link.path}" if link.path else links.sign_up(publication.slug)
    return Lead(link.id, f"{base}?via={quote(link.code)}")


def landings(session: Session, publication_id: int) -> Sequence[Link]:
    """The links that have a page of their own."""
    query = select(Link).join(Channel, Channel.id == Link.channel_id).where(Channel.publication_id == publication_id)
    return session.scalars(query.where(Link.landing.is_(True), Link.ended_at.is_(None)).order_by(Link.id)).all()


def links_of(session: Session, publication_id: int) -> list[tuple[Channel, Link | None]]:
    """Every channel in use with its links, by name."""
    rows = session.execute(
        select(Channel, Link)
        .outerjoin(Link, (Link.channel_id == Channel.id) & Link.ended_at.is_(None))
        .where(Channel.publication_id == publication_id, Channel.ended_at.is_(None))
        .order_by(func.lower(Channel.name), Link.id)
    )
    return [(row[0], row[1]) for row in rows]


def links_in(session: Session, channel_id: int) -> Sequence[Link]:
    """The links of one channel, oldest first."""
    return session.scalars(select(Link).where(Link.channel_id == channel_id, Link.ended_at.is_(None)).order_by(Link.id)).all()


def names(session: Session, publication_id: int) -> dict[int, Channel]:
    """The channels of a publication by id, ended ones among them."""
    return {channel.id: channel for channel in session.scalars(select(Channel).where(Channel.publication_id == publication_id).order_by(Channel.name))}


def may_link(channel: Channel) -> bool:
    """Whether there is a profile in it that can carry a link of ours."""
    return usual(channel.kind).profile and (channel.kind != "other" or bool(channel.profile))


def is_at_home(channel: Channel, figures: Collection[int]) -> bool:
    """Whether somebody is really there: a publication begins with channels that its founder may never have used.

    Args:
        figures: the channels of which an audience is known.
    """
    return bool(channel.profile or channel.linked_at or channel.id in figures)


def channel(session: Session, publication_id: int, channel_id: int) -> Channel:
    """A channel of a publication.

    Raises:
        NotFound: it has none of this number.
    """
    found = session.get(Channel, channel_id)
    if found is None or found.publication_id != publication_id:
        raise NotFound(mark("There is no such channel."))
    return found


def link(session: Session, publication_id: int, link_id: int) -> tuple[Channel, Link]:
    """A link of a publication with its channel.

    Raises:
        NotFound: it has none of this number, or it was deleted.
    """
    row = session.execute(select(Channel, Link).join(Link, Link.channel_id == Channel.id).where(Link.id == link_id)).first()
    if row is None or row[0].publication_id != publication_id or row[1].ended_at is not None:
        raise NotFound(mark("There is no such link."))
    return row[0], row[1]


def visits_by_channel(session: Session, publication_id: int, since: date) -> dict[tuple[int, str], int]:
    """How often links were followed since a day, by channel and kind (person, machine)."""
    query = (
        select(Link.channel_id, Visit.kind, func.sum(Visit.number))
        .join(Link, Link.id == Visit.link_id)
        .join(Channel, Channel.id == Link.channel_id)
        .where(Channel.publication_id == publication_id, Visit.day >= since)
        .group_by(Link.channel_id, Visit.kind)
    )
    return {(row[0], row[1]): int(row[2]) for row in session.execute(query)}


def visits_by_link(session: Session, link_ids: Sequence[int], since: date) -> dict[tuple[int, str], int]:
    """The same for single links."""
    query = select(Visit.link_id, Visit.kind, func.sum(Visit.number)).where(Visit.link_id.in_(link_ids), Visit.day >= since)
    return {(row[0], row[1]): int(row[2]) for row in session.execute(query.group_by(Visit.link_id, Visit.kind))}


def figures(session: Session, publication_id: int) -> dict[int, list[tuple[date, int]]]:
    """Every audience figure by channel, oldest first."""
    query = select(Figure.channel_id, Figure.day, Figure.number).join(Channel, Channel.id == Figure.channel_id)
    found: dict[int, list[tuple[date, int]]] = {}
    for channel_id, day, number in session.execute(query.where(Channel.publication_id == publication_id).order_by(Figure.day)):
        found.setdefault(channel_id, []).append((day, number))
    return found


def figures_of(session: Session, channel_id: int, limit: int = 60) -> Sequence[Figure]:
    """The figures of one channel, newest first."""
    return session.scalars(select(Figure).where(Figure.channel_id == channel_id).order_by(Figure.day.desc()).limit(limit)).all()


def figure_before(session: Session, channel_id: int, day: date) -> int | None:
    """The last figure before a day."""
    query = select(Figure.number).where(Figure.channel_id == channel_id, Figure.day < day).order_by(Figure.day.desc()).limit(1)
    return session.scalar(query)


def goal(session: Session, publication_id: int) -> Goal:
    """How far the dependence should fall; what the program proposes, as long as nobody said anything."""
    return session.get(Goal, publication_id) or Goal(publication_id=publication_id, percent=50, until=None, list_share=50, alert=True)


def shared_lead(session: Session, subscription_id: int) -> tuple[str, int | None] | None:
    """Where a reader's share link leads, as the slug of her publication, and the link that it counts for."""
    # A table of another feature, by name: subscriptions know channels, and not the other way round.
    people = table("subscriptions", column("id"), column("publication_id"))
    row = session.execute(
        select(Publication.id, Publication.slug).join(people, people.c.publication_id == Publication.id).where(people.c.id == subscription_id)
    )
    found = row.first()
    if found is None:
        return None
    shared = select(Link.id).join(Channel, Channel.id == Link.channel_id).where(Channel.publication_id == found[0], Channel.kind == "recommendation")
    return found[1], session.scalar(shared.where(Link.ended_at.is_(None)).order_by(Link.id).limit(1))
