"""Measuring: every figure of the radar, from numbers that were counted when things happened."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from newsletter.channels import queries as channels
from newsletter.channels.catalogue import usual
from newsletter.channels.models import Channel
from newsletter.federation.queries import followers
from newsletter.growth.models import Tally
from newsletter.i18n import mark
from newsletter.publications.models import Publication
from newsletter.radar.policy import Month, Radar, Way, course, months
from newsletter.subscriptions.queries import readers

STAYED_FROM, STAYED_TO = 455, 90  # days ago: a year of people, each with her 90 days over

# By kind and channel: in 30, 90 and 365 days, and among those whose 90 days are over.
Counts = dict[tuple[str, int], tuple[int, int, int, int]]
NOTHING = (0, 0, 0, 0)


def measure(session: Session, publication: Publication, now: datetime) -> Radar:
    """How things stand."""
    today = now.astimezone(UTC).date()
    counts = _counts(session, publication.id, today)
    figures = channels.figures(session, publication.id)
    visits = channels.visits_by_channel(session, publication.id, today - timedelta(days=30))
    size = readers(session, publication.id)
    ways = [Way("list", mark("Mail list"), "owned", audience=size)]
    far = followers(session, publication.id)
    if far:
        ways.append(Way("followers", mark("Followers in the Fediverse"), "open", audience=far))
    for channel in channels.names(session, publication.id).values():
        points = figures.get(channel.id, [])
        if channel.ended_at is not None and not any(counts.get(("joined", channel.id), NOTHING)[:3]):
            continue
        ways.append(_way(channel, counts, visits, points[-1][1] if points and channel.ended_at is None else None))
    goal = channels.goal(session, publication.id)
    trend = tuple(_trend(session, publication.id, ways, figures, size, far, today))
    brought = sum(row[2] for (kind, _), row in counts.items() if kind == "brought")
    unknown, told_otherwise = counts.get(("joined", 0), NOTHING)[:3], counts.get(("heard", 0), NOTHING)[2]
    return Radar(today, tuple(ways), trend, goal.percent, goal.until, unknown, told_otherwise, brought)


def _way(channel: Channel, counts: Counts, visits: Mapping[tuple[int, str], int], audience: int | None) -> Way:
    def number(kind: str) -> tuple[int, int, int, int]:
        return counts.get((kind, channel.id), NOTHING)

    came, short = number("joined"), number("short")[3]
    return Way(
        str(channel.id), channel.name, channel.ownership, usual(channel.kind).operator, audience, came[:3], number("asked")[2],
        (max(0, came[3] - short), came[3]), number("answered")[2], number("heard")[2], visits.get((channel.id, "person"), 0),
        visits.get((channel.id, "machine"), 0), channel.cost,
    )  # fmt: skip


def _counts(session: Session, publication_id: int, today: date) -> Counts:
    def since(days: int) -> Any:
        return func.sum(case((Tally.day > today - timedelta(days=days), Tally.number), else_=0))

    over = func.sum(case((Tally.day <= today - timedelta(days=STAYED_TO), Tally.number), else_=0))
    query = (
        select(Tally.kind, Tally.channel_id, since(30), since(90), since(365), over)
        .where(
            Tally.publication_id == publication_id, Tally.kind.in_(("joined", "asked", "short", "answered", "heard", "brought")),
            Tally.day > today - timedelta(days=STAYED_FROM),
        )
        .group_by(Tally.kind, Tally.channel_id)
    )  # fmt: skip
    return {(row[0], row[1]): (int(row[2]), int(row[3]), int(row[4]), int(row[5])) for row in session.execute(query)}


def _trend(
    session: Session, publication_id: int, ways: Sequence[Way], figures: Mapping[int, list[tuple[date, int]]], size: int, far: int, today: date
) -> list[Month]:
    days = months(today)
    used = {str(channel_id): points for channel_id, points in figures.items() if any(way.key == str(channel_id) and way.audience is not None for way in ways)}
    if used and far:
        # Nobody wrote down when they came; so they count as always.
        used["followers"] = [(min(points[0][0] for points in used.values()), far)]
    return course(ways, used, _list_sizes(session, publication_id, size, days), days)


def _list_sizes(session: Session, publication_id: int, size: int, days: Sequence[date]) -> dict[date, int]:
    """How many were on the list: today's number, less whoever came since, and whoever left added again."""
    query = select(Tally.day, Tally.kind, func.sum(Tally.number)).where(
        Tally.publication_id == publication_id, Tally.kind.in_(("joined", "left")), Tally.day > days[0]
    )
    rows = session.execute(query.group_by(Tally.day, Tally.kind)).all()
    return {day: size - sum(int(number) * (1 if kind == "joined" else -1) for when, kind, number in rows if when > day) for day in days}
