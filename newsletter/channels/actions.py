"""Adding, changing and ending channels and links; writing down how large an audience is."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.channels import policy, queries
from newsletter.channels.catalogue import FIRST, USUAL, guessed, usual
from newsletter.channels.exports import Found
from newsletter.channels.models import OWNERSHIPS, Channel, Figure, Goal, Link
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.orm import insert_into
from newsletter.rendering.merge import line, paragraphs
from newsletter.slugs import slugify, unused

MOST_CHANNELS = 200
MOST_LINKS = 1000  # of one channel
MOST_ENTRIES = 20


def add_channel(session: Session, *, publication_id: int, name: str, ownership: str, kind: str = "") -> int:
    """Add a channel; give back its id.

    Args:
        kind: its name in the catalogue; guessed from the name when empty.

    Raises:
        Refused: it has no name, or nobody owns it, or there are too many.
    """
    name = line(name, 120)
    if not name or ownership not in OWNERSHIPS:
        raise Refused(mark("A channel needs a name and somebody it belongs to."), field="name")
    taken = set(session.scalars(select(Channel.slug).where(Channel.publication_id == publication_id)))
    if len(taken) >= MOST_CHANNELS:
        raise Refused(mark("These are more channels than anybody can look after. End some first."), field="name")
    kind = kind if kind in USUAL else guessed(name)
    channel = Channel(
        publication_id=publication_id, name=name, ownership=ownership, kind=kind, slug=unused(slugify(name, 50) or "channel", taken)
    )  # fmt: skip
    session.add(channel)
    session.flush()
    return channel.id


def add_usual(session: Session, *, publication_id: int, kind: str, language: str, name: str = "", now: datetime) -> int:
    """Add a channel from the catalogue, with its first link; give back its id.

    Raises:
        Refused: the catalogue does not know it, or there are too many.
    """
    if kind not in USUAL:
        raise Refused(mark("There is no such channel."), field="kind")
    one = usual(kind)
    channel_id = add_channel(session, publication_id=publication_id, name=name.strip() or one.name(language), ownership=one.ownership, kind=kind)
    add_link(session, channel_id=channel_id, label=name.strip() or one.name(language), now=now)
    return channel_id


def change_channel(session: Session, channel: Channel, *, name: str, ownership: str, cost: str = "", note: str = "", profile: str = "") -> None:
    """Change what is known about a channel.

    Raises:
        Refused: a value cannot stand; ``field`` says which.
    """
    name = line(name, 120)
    if not name or ownership not in OWNERSHIPS:
        raise Refused(mark("A channel needs a name and somebody it belongs to."), field="name")
    cents, address = policy.cost(cost), policy.web_address(profile, "profile")
    channel.name, channel.ownership, channel.cost, channel.note, channel.profile = name, ownership, cents, paragraphs(note, 2000), address
    session.flush()


def end_channel(session: Session, channel: Channel, *, now: datetime | None) -> None:
    """A channel is not used any more; without a moment it is used again. What it brought stays."""
    channel.ended_at = now
    session.flush()


def put_link_on_profile(session: Session, channel: Channel, *, now: datetime | None) -> None:
    """The own profile there carries a link of ours; without a moment it does not."""
    channel.linked_at = now
    session.flush()


def note_figure(session: Session, channel: Channel, *, number: int, day: date, sure: bool = False) -> None:
    """Write down how many follow on a day; the same day again replaces it.

    Raises:
        Refused: it is so far from the last figure that it looks like a slip, and nobody said that it is none.
    """
    before = queries.figure_before(session, channel.id, day)
    if not sure and policy.surprising(before, number):
        raise Refused(
            mark("Last time it was %(before)s, now it would be %(number)s. If that is right, say so below."), field="number", before=before, number=number
        )
    _keep_figures(session, channel.id, {day: policy.checked(number)}, "typed")


def take_export(session: Session, channel: Channel, found: Found, *, today: date) -> int:
    """Write down what a platform's file says; give back how many days it knows."""
    _keep_figures(session, channel.id, {day or today: number for day, number in found.points}, "export")
    return len(found.points)


def _keep_figures(session: Session, channel_id: int, points: dict[date, int], source: str) -> None:
    for day, number in points.items():
        row = insert_into(session, Figure).values(channel_id=channel_id, day=day, number=number, source=source)
        session.execute(row.on_conflict_do_update(index_elements=[Figure.channel_id, Figure.day], set_={"number": number, "source": source}))
    session.expire_all()


def forget_figure(session: Session, channel: Channel, day: date) -> None:
    """Take a figure out again."""
    session.execute(delete(Figure).where(Figure.channel_id == channel.id, Figure.day == day))


def add_link(session: Session, *, channel_id: int, label: str, path: str = "", now: datetime) -> str:
    """Add a short address for a channel; give back its code.

    Args:
        path: a page of the archive that it leads to, instead of the sign-up page.

    Raises:
        Refused: the channel has too many.
    """
    if len(session.scalars(select(Link.id).where(Link.channel_id == channel_id).limit(MOST_LINKS)).all()) >= MOST_LINKS:
        raise Refused(mark("This channel has a thousand links. Use one of them again."), field="label")
    code = secrets.token_hex(3)
    session.add(Link(channel_id=channel_id, code=code, label=line(label, 120), path=path[:200], created_at=now))
    session.flush()
    return code


def change_link(
    session: Session, link: Link, *, label: str, landing: bool = False, headline: str = "", lead: str = "", entries: Iterable[tuple[str, str]] = ()
) -> None:
    """Change a link's purpose and the page it leads to.

    Args:
        entries: label and address of what the landing page names besides the letter.

    Raises:
        Refused: an entry is no address, or the purpose is missing; the link has ended.
    """
    if link.ended_at is not None:
        raise Conflict(mark("This link was deleted."))
    label = line(label, 120)
    if not label:
        raise Refused(mark("Say in a word what this link is for."), field="label")
    kept: list[dict[str, Any]] = []
    for title, address in entries:
        if address.strip():
            kept.append({"label": line(title, 80) or address.strip()[:80], "url": policy.web_address(address, "entries")})
    if len(kept) > MOST_ENTRIES:
        raise Refused(mark("Twenty entries are enough for one page."), field="entries")
    link.label, link.landing, link.headline, link.lead, link.entries = label, landing, line(headline, 200), paragraphs(lead, 2000), kept
    session.flush()


def end_link(session: Session, link: Link, *, now: datetime) -> None:
    """Delete a link. Its code stays taken, because it may be printed somewhere, and leads on to the publication."""
    link.ended_at = link.ended_at or now
    session.flush()


def add_first_channels(session: Session, *, publication_id: int, language: str, now: datetime) -> None:
    """Channels and links to begin with."""
    for kind in FIRST:
        add_usual(session, publication_id=publication_id, kind=kind, language=language, now=now)


def set_goal(session: Session, *, publication_id: int, percent: int, until: date | None, list_share: int, alert: bool) -> None:
    """Say how far the dependence should fall.

    Raises:
        Refused: a share is none.
    """
    if not 0 <= percent <= 100 or not 1 <= list_share <= 1000:
        raise Refused(mark("A share lies between 0 and 100 per cent."), field="percent")
    goal = session.get(Goal, publication_id)
    if goal is None:
        goal = Goal(publication_id=publication_id)
        session.add(goal)
    if (goal.percent, goal.until) != (percent, until):
        goal.alerted_at = None
    goal.percent, goal.until, goal.list_share, goal.alert = percent, until, list_share, alert
    session.flush()
