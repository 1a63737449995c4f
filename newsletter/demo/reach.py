"""A year of reach: what Mira typed in once a month, who followed her links, what she rehearsed and announced."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.announcements import actions as announcements
from newsletter.announcements.models import Announcement
from newsletter.channels import actions
from newsletter.channels.catalogue import usual
from newsletter.channels.models import Channel, Figure, Link, Visit
from newsletter.drills import policy as drills
from newsletter.drills.models import Drill
from newsletter.forms.actions import wording
from newsletter.growth.actions import add as count
from newsletter.i18n import Speech
from newsletter.issues.models import Issue
from newsletter.links import Links
from newsletter.publications.models import Publication
from newsletter.radar.policy import Radar, Way, at_day, months
from newsletter.sms.actions import CONSENT, describe_gateway
from newsletter.sms.models import Phone
from newsletter.sms.policy import HERE, masked
from newsletter.sms.views import BODY
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.tokens import Tokens

# Followers a year ago and today.
AUDIENCES = {"Instagram": (520, 610), "LinkedIn": (138, 152), "WhatsApp-Kanal": (40, 68), "Mastodon": (31, 164), "Feed (RSS)": (22, 61)}
# Visits in a month, a year ago and today; machines come on top.
VISITS = {
    "Instagram": (260, 190), "Eigene Website": (90, 310), "Empfehlung": (20, 85), "Markt in Bautzen": (30, 60), "Tauschtag": (10, 25), "Suche": (40, 95),
    "LinkedIn": (35, 30), "Mastodon": (5, 70), "WhatsApp-Kanal": (4, 18),
}  # fmt: skip
PROFILES = {
    "Instagram": ("https://www.instagram.com/saatgarten.example", True), "Mastodon": ("https://garten.example/@saatgarten", True),
    "LinkedIn": ("https://www.linkedin.com/company/saatgarten-example", False), "WhatsApp-Kanal": ("", False),
}  # fmt: skip
COSTS = {"Markt in Bautzen": 3800, "Instagram": 2500}
ENTRIES = (("Katalog 2027", "https://saatgarten.example/katalog"), ("Auf welchen Märkten wir stehen", "https://saatgarten.example/maerkte"))
PHONES = 19
DRILLS = ((275, "hours", "Kein Text für LinkedIn; steht jetzt in der Schublade."), (183, "week", ""), (94, "hours", "Notbrief war in zwei Minuten fertig."))


def load(session: Session, links: Links, tokens: Tokens, publication: Publication, now: datetime, *, test_gateway: bool) -> None:
    """Add everything about reach to the demo."""
    actions.add_usual(session, publication_id=publication.id, kind="feed", language="de", now=now - timedelta(days=400))
    channels = {row.name: row for row in session.scalars(select(Channel).where(Channel.publication_id == publication.id))}
    today = now.astimezone(UTC).date()
    _figures(session, channels, today)
    _visits(session, channels, today)
    for name, (profile, linked) in PROFILES.items():
        channels[name].profile, channels[name].linked_at = profile, now - timedelta(days=90) if linked else None
    for name in ("Markt in Bautzen", "Tauschtag"):
        channels[name].kind = "event"
    for name, cents in COSTS.items():
        channels[name].cost = cents
    until = date(today.year + (1 if today.month > 6 else 0), 6, 30)
    actions.set_goal(session, publication_id=publication.id, percent=60, until=until, list_share=50, alert=True)
    link = session.scalars(select(Link).where(Link.channel_id == channels["Instagram"].id)).first()
    assert link is not None
    lead = "Schön, dass du von Instagram herüberkommst. Hier geht es weiter, auch wenn dort einmal das Licht ausgeht."
    actions.change_link(session, link, label="Link in der Bio", landing=True, headline="Was im Saatgarten gerade wächst", lead=lead, entries=ENTRIES)
    _told(session, publication, channels, now)
    _announce(session, links, publication, now)
    _drill(session, publication, channels, now)
    _phones(session, links, tokens, publication, now, test_gateway=test_gateway)
    session.flush()


def _figures(session: Session, channels: dict[str, Channel], today: date) -> None:
    days = months(today)
    for name, (first, last) in AUDIENCES.items():
        chance = random.Random(name)  # noqa: S311 -- a believable curve needs no secrets
        for place, day in enumerate(days):
            number = first + (last - first) * (place / (len(days) - 1)) ** 1.2 + (chance.uniform(-0.01, 0.01) * first if day != today else 0)
            session.add(Figure(channel_id=channels[name].id, day=day, number=round(number), source="typed"))
    session.flush()


def _visits(session: Session, channels: dict[str, Channel], today: date) -> None:
    for name, (first, last) in VISITS.items():
        link = session.scalars(select(Link).where(Link.channel_id == channels[name].id).order_by(Link.id)).first()
        assert link is not None
        chance = random.Random(name)  # noqa: S311 -- the same
        for back in range(365):
            expected = (last + (first - last) * back / 365) / 30
            number = int(expected * chance.uniform(0.4, 1.6) + chance.random())
            for kind, visits in (("person", number), ("machine", int(number * 0.3 + chance.random() * 0.7))):
                if visits:
                    session.add(Visit(link_id=link.id, day=today - timedelta(days=back), kind=kind, number=visits))
    session.flush()


def _told(session: Session, publication: Publication, channels: dict[str, Channel], now: datetime) -> None:
    """What readers say themselves, and who was brought along by another one."""
    ids = {row.id: row for row in channels.values()}
    rows = session.scalars(select(Subscription).where(Subscription.publication_id == publication.id, Subscription.confirmed_at.is_not(None))).all()
    by = [row for row in rows if row.state == "active"][:9]
    for place, row in enumerate(rows):
        chance = random.Random(row.id)  # noqa: S311 -- the same
        link = session.scalars(select(Link).where(Link.channel_id == row.channel_id, Link.path == "").order_by(Link.id)).first() if row.channel_id else None
        row.link_id = link.id if link else None
        assert row.confirmed_at is not None
        if chance.random() < 0.5:
            # Many who clicked on Instagram had heard of it from somebody before.
            friend = chance.random() < (0.45 if row.channel_id == channels["Instagram"].id else 0.1)
            row.heard_id = channels["Empfehlung"].id if friend else row.channel_id if chance.random() < 0.9 else 0
            count(session, publication.id, "heard", now=row.confirmed_at, channel_id=row.heard_id)
        if row.channel_id in ids and ids[row.channel_id].kind == "recommendation" and place % 3 == 0:
            by[place % len(by)].recommended += 1
            count(session, publication.id, "brought", now=row.confirmed_at, channel_id=row.channel_id)
    session.flush()


def _announce(session: Session, links: Links, publication: Publication, now: datetime) -> None:
    issues = session.scalars(
        select(Issue).where(Issue.publication_id == publication.id, Issue.state == "published").order_by(Issue.number.desc()).limit(3)
    ).all()  # fmt: skip
    chance = random.Random(5)  # noqa: S311 -- the same
    for place, issue in enumerate(reversed(issues)):
        assert issue.published_at is not None
        at = issue.published_at + timedelta(hours=1)
        announcements.announce(session, links, publication, issue=issue, now=at)
        for row in session.scalars(select(Announcement).where(Announcement.issue_id == issue.id)):
            channel = session.get_one(Channel, row.channel_id)
            if place == len(issues) - 1 and channel.kind in ("linkedin", "whatsapp"):
                row.reminded_at = now
                continue
            announcements.settle_by_hand(session, row, done=True, now=at + timedelta(minutes=20))
            _return_path(session, publication, row, at, chance)
    session.flush()


def _return_path(session: Session, publication: Publication, row: Announcement, at: datetime, chance: random.Random) -> None:
    """Who followed the post, and who stayed."""
    assert row.link_id is not None
    session.add(Visit(link_id=row.link_id, day=at.astimezone(UTC).date(), kind="person", number=chance.randrange(12, 70)))
    wanted = Subscription.publication_id == publication.id, Subscription.channel_id == row.channel_id, Subscription.confirmed_at >= at
    for subscription in session.scalars(select(Subscription).where(*wanted).limit(chance.randrange(1, 4))):
        subscription.link_id = row.link_id


def _drill(session: Session, publication: Publication, channels: dict[str, Channel], now: datetime) -> None:
    """Three drills of the past year, with the figures of their days."""
    points = {name: [(row.day, row.number) for row in _points(session, channels[name])] for name in AUDIENCES}
    for back, span, note in DRILLS:
        at = (now - timedelta(days=back)).replace(hour=8, minute=12, second=0)
        day = at.astimezone(UTC).date()
        size = len(session.scalars(select(Subscription.id).where(Subscription.publication_id == publication.id, Subscription.confirmed_at <= at)).all())
        ways = [Way("list", "Mail list", "owned", audience=size)]
        for name in AUDIENCES:
            channel = channels[name]
            way = Way(str(channel.id), name, channel.ownership, usual(channel.kind).operator, at_day(points[name], day))
            ways.append(replace(way, joined=(4, 11, 30)) if name == "Instagram" else replace(way, joined=(3, 8, 20)))
        instagram = channels["Instagram"]
        gone = drills.Target(f"channel:{instagram.id}", instagram.name, (instagram.id,))
        outcome = drills.outcome(Radar(day, tuple(ways)), gone, span, texts=0, a_second=4)
        moments = [at, at + timedelta(minutes=2), at + timedelta(minutes=9)]
        events = [
            {"at": moments[0].isoformat(), "what": "begun", "who": "Mira Lindner", "posts": 3},
            {"at": moments[1].isoformat(), "what": "dry", "to": "Mira Lindner", "seconds": 3},
            {"at": moments[2].isoformat(), "what": "finished", "missing": ["LinkedIn"] if back > 200 else []},
        ]
        session.add(
            Drill(
                publication_id=publication.id,
                target=gone.key,
                name=gone.name,
                span=span,
                state="closed",
                outcome=outcome,
                events=events,
                note=note,
                begun_at=at,
                closed_at=moments[2],
            )
        )
    session.flush()


def _points(session: Session, channel: Channel) -> list[Figure]:
    return list(session.scalars(select(Figure).where(Figure.channel_id == channel.id).order_by(Figure.day)))


def _phones(session: Session, links: Links, tokens: Tokens, publication: Publication, now: datetime, *, test_gateway: bool) -> None:
    """Some gave a number for emergencies. They are from the range that is kept free for films, and belong to nobody."""
    if test_gateway:
        values = {"address": f"{HERE}/dev/sms", "shape": "json", "body": BODY, "headers": "", "sender": "Saatbrief", "success": "ok"}
        describe_gateway(session, tokens, publication_id=publication.id, values=values, price=75, only_emergencies=True, now=now)
    words = Speech("de")(CONSENT, name=publication.name)
    rows = session.scalars(select(Subscription).where(Subscription.publication_id == publication.id, Subscription.state == "active").order_by(Subscription.id))
    for place, row in enumerate(list(rows)[::7][:PHONES]):
        at = now - timedelta(days=40 - place)
        number = f"+4917139200{place:02}"
        session.add(Phone(subscription_id=row.id, publication_id=publication.id, number=number, state="active", asked_at=at, confirmed_at=at))
        email, how = session.get_one(Subscriber, row.subscriber_id).email, f"confirmed the number {masked(number)} with a code that went there"
        record(session, row, kind="changed", email=email, how=how, wording_id=wording(session, words), language="de", at=at)
    session.flush()
