"""Words about imports, and what leaves as a file."""

import json
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from newsletter.channels.models import Channel
from newsletter.forms.models import Wording
from newsletter.i18n import mark
from newsletter.spreadsheets import line
from newsletter.subscriptions.models import Consent, Subscriber, Subscription
from newsletter.subscriptions.queries import tags_of

REASONS = {
    "no address": mark("There is no address in it."),
    "bad address": mark("This is no mail address."),
    "twice": mark("It stands in the file twice."),
    "left": mark("She has unsubscribed. Only she herself can come back."),
    "suppressed": mark("This address must not be written to."),
    "unconfirmed": mark("She never confirmed, there either."),
    "unknown state": mark("Nobody knows what its state means."),
    "too few cells": mark("The row is too short."),
    "control characters": mark("There are characters in it that are no text."),
}

MEANINGS = {
    "": mark("leave out"),
    "email": mark("Address"),
    "name": mark("Name"),
    "first": mark("First name"),
    "last": mark("Last name"),
    "state": mark("State"),
    "joined": mark("confirmed on"),
    "ended": mark("left on"),
    "tags": mark("Tags"),
    "language": mark("Language"),
    "evidence": mark("evidence of the consent"),
    "dead": mark("mailbox is dead"),
    "disabled": mark("mail is switched off"),
}

COLUMNS = (
    "email",
    "name",
    "state",
    "asked_at",
    "confirmed_at",
    "ended_at",
    "paused_until",
    "rhythm",
    "language",
    "channel",
    "tags",
    "consent_at",
    "consent_how",
    "consent_wording",
)


def list_as_csv(session: Session, publication_id: int, *, condition: ColumnElement[bool] | None = None) -> Iterator[str]:
    """Everybody, with everything: one line for each, whoever left included. A file that can be imported again.

    Answers stand in columns of their own, ``answer:`` in front of their keys.
    """
    tags = tags_of(session, publication_id)
    keys = _answer_keys(session, publication_id)
    yield "\ufeff" + line([*COLUMNS, *(f"answer:{key}" for key in keys)])
    for subscription, subscriber, channel, consent, wording in _rows(session, publication_id, condition):
        answers = json.loads(subscription.answers)
        names = ", ".join(tags.get(int(one), "") for one in subscription.tags.split(",") if one)
        yield line(
            [
                subscriber.email, subscriber.name, subscription.state, _at(subscription.asked_at), _at(subscription.confirmed_at), _at(subscription.ended_at),
                _at(subscription.paused_until), subscription.rhythm, subscription.language, channel or "", names,
                _at(consent.at) if consent else "", consent.how if consent else "", wording or "", *(answers.get(key, "") for key in keys),
            ]
        )  # fmt: skip


def list_as_json(session: Session, publication_id: int, *, condition: ColumnElement[bool] | None = None) -> Iterator[str]:
    """The same as JSON, one object in a line, with the whole chain of consents."""
    tags = tags_of(session, publication_id)
    for subscription, subscriber, channel, _, _ in _rows(session, publication_id, condition):
        chain = session.execute(
            select(Consent, Wording.text).join(Wording, Wording.id == Consent.wording_id).where(Consent.subscription_id == subscription.id).order_by(Consent.id)
        )
        value = {
            "email": subscriber.email, "name": subscriber.name, "state": subscription.state, "asked_at": _at(subscription.asked_at),
            "confirmed_at": _at(subscription.confirmed_at), "ended_at": _at(subscription.ended_at), "paused_until": _at(subscription.paused_until),
            "rhythm": subscription.rhythm, "language": subscription.language, "channel": channel or "",
            "tags": [tags[int(one)] for one in subscription.tags.split(",") if one and int(one) in tags], "answers": json.loads(subscription.answers),
            "consents": [
                {"kind": row.kind, "at": _at(row.at), "email": row.email, "how": row.how, "wording": words, "language": row.language, "page": row.page,
                 "channel": row.channel, "message_id": row.message_id, "evidence": row.evidence, "previous": row.previous, "digest": row.digest}
                for row, words in chain
            ],
        }  # fmt: skip
        yield json.dumps(value, ensure_ascii=False) + "\n"


def _rows(
    session: Session, publication_id: int, condition: ColumnElement[bool] | None
) -> Iterator[tuple[Subscription, Subscriber, str | None, Consent | None, str | None]]:
    query = (
        select(Subscription, Subscriber, Channel.name, Consent, Wording.text)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .outerjoin(Channel, Channel.id == Subscription.channel_id)
        .outerjoin(Consent, Consent.id == Subscription.consent_id)
        .outerjoin(Wording, Wording.id == Consent.wording_id)
        .where(Subscription.publication_id == publication_id)
        .order_by(Subscription.id)
    )
    if condition is not None:
        query = query.where(condition)
    for row in session.execute(query.execution_options(yield_per=1000)):
        yield row[0], row[1], row[2], row[3], row[4]


def _answer_keys(session: Session, publication_id: int) -> list[str]:
    found: dict[str, None] = {}
    query = select(Subscription.answers).where(Subscription.publication_id == publication_id, Subscription.answers != "{}")
    for row in session.scalars(query.execution_options(yield_per=10_000)):
        found.update(dict.fromkeys(json.loads(row)))
    return sorted(found)


def _at(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment is not None else ""
