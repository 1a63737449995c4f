"""The cast of the tests: Mira writes, Ada reads, Ben left, Cleo's mailbox is gone."""

from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.accounts import actions as accounts
from newsletter.channels.actions import add_first_channels
from newsletter.forms.actions import add_form, wording
from newsletter.forms.queries import first_form
from newsletter.issues.actions import add_issue
from newsletter.links import Links
from newsletter.process import Process
from newsletter.publications.actions import add_publication
from newsletter.publications.queries import get
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.tokens import digest, new_secret

PASSWORD = "vier kleine gelbe bohnen"
VALUES = {
    "name": "Der Saatbrief",
    "byline": "aus dem Saatgarten",
    "promise": "Einmal im Monat ein Brief über alte Sorten.",
    "from_name": "Mira Lindner",
    "from_address": "mira@saatgarten.example",
    "language": "de",
    "timezone": "Europe/Berlin",
    "imprint_person": "Mira Lindner",
    "imprint_street": "Am Anger 4",
    "imprint_place": "02625 Bautzen",
    "imprint_email": "mira@saatgarten.example",
}
TEXT = "{{ anrede }},\n\ndie erste „Bohne“ ist da: [ansehen](https://saatgarten.example/bohne).\n\nHerzlich\nMira\n"


def publication(process: Process, slug: str = "saatbrief", **more: str) -> int:
    """A publication with form and channels."""
    with process.writing() as session:
        publication_id = add_publication(session, values=VALUES | more, slug=slug, now=process.clock())
        found = get(session, publication_id)
        add_first_channels(session, publication_id=publication_id, language=found.language, now=process.clock())
        add_form(session, publication=found, name="Anmeldung", headline="Ein Brief", lead="", now=process.clock())
    return publication_id


def editor(process: Process, email: str = "mira@saatgarten.example", role: str = "owner") -> int:
    """Somebody who may log in, with the usual password."""
    with process.writing() as session:
        return accounts.add_editor(session, email=email, name=email.partition("@")[0].title(), password=PASSWORD, role=role, now=process.clock())


def reader(process: Process, publication_id: int, email: str = "ada@example.org", name: str = "Ada Lorenzen", state: str = "active") -> int:
    """Somebody who confirmed, by the shortest honest way; gives back the subscription."""
    with process.writing() as session:
        form = first_form(session, publication_id)
        assert form is not None
        subscriber = Subscriber(email=email, canonical=email.lower(), name=name, created_at=process.clock())
        session.add(subscriber)
        session.flush()
        subscription = Subscription(subscriber_id=subscriber.id, publication_id=publication_id, asked_at=process.clock())
        session.add(subscription)
        session.flush()
        if state != "pending":
            subscription.consent_id = record(
                session, subscription, kind="confirmed", email=email, how="test", wording_id=wording(session, form.consent), language="de", at=process.clock()
            )
            subscription.confirmed_at = process.clock()
            subscription.state = state
        return subscription.id


def issue(process: Process, publication_id: int, subject: str = "Die erste Bohne", markdown: str = TEXT, **more: object) -> int:
    """A draft."""
    with process.writing() as session:
        return add_issue(
            session, publication_id=publication_id, subject=subject, preheader="Und warum sie krumm ist.", markdown=markdown, now=process.clock(), **more
        )


def leave_link(session: Session, *, subscription_id: int, now: datetime) -> str:
    """An unsubscribe secret as an earlier letter carried it."""
    secret = new_secret()
    subscriptions.keep_leave_links(session, [(digest(secret), subscription_id)], now=now)
    return secret


def links(process: Process) -> Links:
    return process.links
