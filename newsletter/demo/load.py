"""Loads the demo through the same actions that people use, so that nothing in it could not have happened."""

import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.accounts import actions as accounts
from newsletter.accounts.models import Editor
from newsletter.archive.actions import request_build
from newsletter.channels.actions import add_channel, add_link
from newsletter.channels.models import Channel
from newsletter.deliveries import actions as deliveries
from newsletter.deliveries.models import Attempt, Delivery, Mailing
from newsletter.demo import answers, reach
from newsletter.demo.people import CHANNELS, Person, people
from newsletter.errors import Conflict
from newsletter.forms.actions import add_form, wording
from newsletter.forms.models import Form
from newsletter.growth.actions import add as count
from newsletter.growth.actions import depart
from newsletter.issues import actions as issues
from newsletter.issues.margins import add_idea
from newsletter.issues.models import Issue, Revision
from newsletter.links import Links
from newsletter.media.actions import add_image
from newsletter.media.queries import folder
from newsletter.process import Process
from newsletter.publications import actions as publications
from newsletter.publications.models import Publication
from newsletter.rendering.front_matter import read
from newsletter.segments.actions import save
from newsletter.subscriptions.actions import pause, tag, with_tags, wrote_back
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Subscriber, Subscription

HERE = Path(__file__).parent
SLUG = "saatbrief"
EMAIL = "mira@saatgarten.example"
READERS = 200

PUBLICATION = {
    "name": "Der Saatbrief",
    "byline": "aus dem Saatgarten Lindner",
    "promise": "Einmal im Monat ein Brief über alte Sorten, junge Beete und die Leute dahinter.",
    "about": "Geschrieben von Mira Lindner, die mit ihrem Bruder Jost in Bautzen Saatgut vermehrt.",
    "rhythm": "einmal im Monat, im Frühling öfter",
    "greeting": "Guten Morgen",
    "from_name": "Mira aus dem Saatgarten",
    "from_address": EMAIL,
    "language": "de",
    "timezone": "Europe/Berlin",
    "imprint_company": "Saatgarten Lindner",
    "imprint_person": "Mira Lindner",
    "imprint_street": "Am Anger 4",
    "imprint_place": "02625 Bautzen",
    "imprint_email": EMAIL,
    "imprint_phone": "03591 555 01 42",
    "imprint_vat": "DE 999 999 990",
}
LEAD = (
    "Ich bin Mira. Mit meinem Bruder Jost vermehre ich in Bautzen hundertvierzig Sorten Gemüse und Blumen, die es im Baumarkt nicht gibt. "
    "Im Saatbrief schreibe ich auf, was gerade zu tun ist, woher eine Bohne ihren Namen hat und was ein Tütchen wirklich kostet. "
    "Etwa drei Minuten, ohne Rabattschlacht."
)
# Month and day of each letter; they speak of snow, of frost in May, of the harvest.
DAYS = ((1, 13), (2, 10), (3, 3), (3, 17), (3, 31), (4, 21), (5, 5), (6, 9), (7, 14), (9, 1), (10, 20), (11, 17))

PICTURES = {"BOHNEN": "bohnen.png", "BRUNNEN": "brunnen.png", "SALAT": "salat.png", "KOMMODE": "kommode.png"}

REPLIES = {
    "accepted": (250, "", "2.0.0 Ok: queued"),
    "refused": (550, "5.1.1", "5.1.1 User unknown"),
    "uncertain": (None, "", "The server closed the connection."),
}


@dataclass(frozen=True)
class _Cast:
    """What the parts of the loading pass on."""

    publication: Publication
    form: Form
    channels: dict[str, Channel]
    subscriptions: dict[str, tuple[Person, Subscription, Subscriber]]


def load(process: Process) -> dict[str, str]:
    """Load the demo; give back how to look at it.

    Raises:
        Conflict: it is loaded already.
    """
    now = process.clock()
    links = process.links
    with process.writing() as session:
        if session.scalar(select(Publication.id).where(Publication.slug == SLUG)):
            raise Conflict("The demo is loaded already. For a fresh one, start with another DATA_DIR.")
        moments = _moments(now)
        publication = _publication(session, moments[0] - timedelta(days=30))
        password = _editor(session, publication, now)
        cast = _readers(session, publication, people(READERS, moments[0] - timedelta(days=10), now))
        pictures = _pictures(session, process, publication, now)
        for number, moment in enumerate(moments, 1):
            _send(session, links, cast, number, moment, pictures)
        _catch_up(session, cast, now)
        _plan(session, publication, moments[-1], now)
        reach.load(session, links, process.tokens, publication, now, test_gateway=links.base.startswith(("http://127.0.0.1", "http://localhost")))
        answers.load(session, process.tokens, publication, now)
        request_build(session, publication_id=publication.id, now=now)
    return {"publication": SLUG, "name": PUBLICATION["name"], "email": EMAIL, "password": password, "url": f"{links.base}/admin/log-in"}


IDEAS = ("Warum die Bohne krumm ist", "Ein Tag am Markt in Bautzen, vom Aufbau bis zum Regen", "Was ein Tütchen kostet, und wer davon lebt")


def _plan(session: Session, publication: Publication, last: datetime, now: datetime) -> None:
    """A rhythm that was promised, and what could be written about."""
    publication.cadence, publication.cadence_from = "month", last.astimezone(ZoneInfo(publication.timezone)).date()
    for words in IDEAS:
        add_idea(session, publication.id, editor_id=None, words=words, now=now)


def _moments(now: datetime) -> list[datetime]:
    """The days on which the letters went out: each in its season, the whole year in the past."""
    zone = ZoneInfo("Europe/Berlin")
    year = now.astimezone(zone).year
    if now < datetime(year, *DAYS[-1], 12, tzinfo=zone):
        year -= 1
    return [datetime(year, month, day, 9, tzinfo=zone) for month, day in DAYS]


def _publication(session: Session, at: datetime) -> Publication:
    publication_id = publications.add_publication(session, values=PUBLICATION, slug=SLUG, now=at)
    for name, ownership, _ in CHANNELS:
        add_link(session, channel_id=add_channel(session, publication_id=publication_id, name=name, ownership=ownership), label=name, now=at)
    add_channel(session, publication_id=publication_id, name="Archiv", ownership="owned")
    publication = session.get_one(Publication, publication_id)
    add_form(
        session, publication=publication, name="Anmeldeseite", headline=PUBLICATION["promise"], lead=LEAD, button="Saatbrief bestellen", ask_name=True, now=at
    )
    return publication


def _editor(session: Session, publication: Publication, now: datetime) -> str:
    """Mira, who may log in, or whoever is there already. The password is shown once."""
    password = (
        "-".join(secrets.choice(("bohne", "erbse", "mangold", "melde", "kresse", "salbei", "quitte", "distel")) for _ in range(3))
        + f"-{secrets.randbelow(9000) + 1000}"
    )
    for editor_id in session.scalars(select(Editor.id)):
        accounts.join(session, editor_id=editor_id, publication_id=publication.id, role="owner")
    if session.scalar(select(Editor.id).where(Editor.email == EMAIL)) is None:
        accounts.add_editor(session, email=EMAIL, name="Mira Lindner", password=password, now=now)
    return password


def _readers(session: Session, publication: Publication, persons: list[Person]) -> _Cast:
    form = session.scalars(select(Form).where(Form.publication_id == publication.id)).one()
    channels = {channel.name: channel for channel in session.scalars(select(Channel).where(Channel.publication_id == publication.id))}
    cast = _Cast(publication, form, channels, {})
    for person in persons:
        _reader(session, cast, person)
    return cast


def _reader(session: Session, cast: _Cast, person: Person) -> None:
    subscriber = Subscriber(email=person.email, canonical=person.email, name=person.name if person.confirmed else "", created_at=person.came)
    session.add(subscriber)
    session.flush()
    channel = cast.channels[person.channel]
    subscription = Subscription(subscriber_id=subscriber.id, publication_id=cast.publication.id, channel_id=channel.id, asked_at=person.came)
    session.add(subscription)
    session.flush()
    say = partial(record, session, subscription, email=person.email, wording_id=wording(session, cast.form.consent), language="de", form_id=cast.form.id)
    say(kind="asked", how="typed into the form", at=person.came, channel=channel.name)
    count(session, cast.publication.id, "asked", now=person.came, channel_id=channel.id)
    if person.confirmed:
        at = person.came + timedelta(minutes=4)
        subscription.consent_id = say(kind="confirmed", how="pressed the button on the confirmation page", at=at)
        count(session, cast.publication.id, "joined", now=at, channel_id=channel.id)
        subscription.confirmed_at = at
    cast.subscriptions[person.email] = (person, subscription, subscriber)


def _pictures(session: Session, process: Process, publication: Publication, now: datetime) -> dict[str, str]:
    names = {}
    for key, file in PICTURES.items():
        data = (HERE / "images" / file).read_bytes()
        names[key] = add_image(session, folder=folder(process.settings), publication_id=publication.id, data=data, original=file, now=now).name
    return names


def _send(session: Session, links: Links, cast: _Cast, number: int, at: datetime, pictures: dict[str, str]) -> None:
    """One letter as it went out on its Tuesday: the real freeze, then a ledger as servers would have left it."""
    manuscript = read((HERE / "issues" / f"{number:02}.md").read_text("utf-8"))
    text = manuscript.markdown
    for key, name in pictures.items():
        text = text.replace(f"/media/{key}", f"/media/{name}")
    for person, subscription, _ in cast.subscriptions.values():
        subscription.state = _state_at(person, at)
    session.flush()
    written = at - timedelta(days=3)
    issue_id = issues.add_issue(
        session,
        publication_id=cast.publication.id,
        subject=manuscript.subject,
        preheader=manuscript.preheader,
        markdown=text,
        tags=manuscript.tags,
        now=written,
    )
    issue = session.get_one(Issue, issue_id)
    issue.announced_at = at  # nobody elsewhere has to hear of a demonstration
    session.scalars(select(Revision).where(Revision.issue_id == issue_id)).one().created_at = written
    mailing_id = deliveries.start(session, links, publication=cast.publication, issue=issue, undo=timedelta(seconds=60), now=at)
    _play(session, mailing_id, at + timedelta(seconds=60), random.Random(number))  # noqa: S311 -- a believable ledger needs no secrets


def _state_at(person: Person, at: datetime) -> str:
    if not person.confirmed or person.came > at:
        return "pending"
    return "unsubscribed" if person.left and person.left <= at else "active"


def _play(session: Session, mailing_id: int, start: datetime, chance: random.Random) -> None:
    at = start
    for delivery in session.scalars(select(Delivery).where(Delivery.mailing_id == mailing_id).order_by(Delivery.id)):
        at += timedelta(seconds=chance.uniform(0.1, 0.4))
        outcome = chance.choices(("accepted", "refused", "uncertain"), (985, 12, 1))[0]
        code, enhanced, reply = REPLIES[outcome]
        delivery.state, delivery.attempts, delivery.changed_at = outcome, 1, at
        delivery.code, delivery.enhanced, delivery.reply = code, enhanced, reply
        phase = "rcpt" if outcome == "refused" else "dot"
        session.add(Attempt(delivery_id=delivery.id, number=1, at=at, phase=phase, outcome=outcome, code=code, enhanced=enhanced, reply=reply))
    mailing = session.get_one(Mailing, mailing_id)
    mailing.state, mailing.started_at, mailing.settled_at = "finished", start, at
    session.flush()


def _catch_up(session: Session, cast: _Cast, now: datetime) -> None:
    """Everybody's state today, with the withdrawals that explain it."""
    for person, subscription, _ in cast.subscriptions.values():
        subscription.state = _state_at(person, now)
        if person.left:
            subscription.ended_at = person.left
            depart(session, cast.publication.id, channel_id=subscription.channel_id, joined_at=subscription.confirmed_at, now=person.left)
            how = "one click in the mail program (RFC 8058)"
            record(
                session,
                subscription,
                kind="withdrawn",
                email=person.email,
                how=how,
                wording_id=wording(session, cast.form.consent),
                language="de",
                at=person.left,
            )
        _remember(session, cast, person, subscription, now)
    rules = [{"about": "tag", "how": "is", "value": str(tag(session, cast.publication.id, "Markt"))}, {"about": "answered", "how": "ever", "value": ""}]
    save(session, publication_id=cast.publication.id, segment=None, name="Vom Markt, und schrieb zurück", every=True, rules=rules, now=now)
    session.flush()


def _remember(session: Session, cast: _Cast, person: Person, subscription: Subscription, now: datetime) -> None:
    """What a founder comes to know in a year: who came from the market, who wrote back, who wants it less often."""
    chance = random.Random(person.email)  # noqa: S311 -- a believable list needs no secrets
    if person.channel == "Markt in Bautzen":
        subscription.tags = with_tags("", [tag(session, cast.publication.id, "Markt")])
    if subscription.state != "active":
        return
    if chance.random() < 0.2:
        wrote_back(session, subscription, now=now - timedelta(days=chance.randrange(1, 200), hours=chance.randrange(24)))
    if chance.random() < 0.06:
        subscription.rhythm = "monthly"
    elif chance.random() < 0.04:
        pause(session, subscription, until=now + timedelta(days=chance.randrange(3, 40)), now=now - timedelta(days=2))
