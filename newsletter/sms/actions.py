"""Describing a gateway, confirming numbers by a code, sending notes."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.accounts.actions import count
from newsletter.errors import Conflict, Refused
from newsletter.forms.actions import wording
from newsletter.i18n import Speech, mark
from newsletter.publications.models import Publication
from newsletter.rendering.merge import paragraphs
from newsletter.sms import policy, queries
from newsletter.sms.models import IS_HANDED, Gateway, Note, Phone, TextMessage
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.tokens import Tokens

CONSENT = mark(
    "I would like to get a text message from “%(name)s” when other ways have failed or something is urgent. I can withdraw that on my page at any time."
)


def describe_gateway(
    session: Session, tokens: Tokens, *, publication_id: int, values: dict[str, str], price: int, only_emergencies: bool, now: datetime
) -> None:
    """Keep how messages leave. Headers that are left empty stay as they are.

    Raises:
        Refused: the template cannot be filled, a header is none, or the address is no web address.
    """
    address, shape, body = values["address"].strip(), values["shape"], values["body"].strip()
    if not address.startswith(("https://", "http://", f"{policy.HERE}/")) or len(address) > 500:
        raise Refused(mark("This is no web address."), field="address")
    if shape not in ("json", "form", "query"):
        raise Refused(mark("There is no such kind of gateway."), field="shape")
    if not 0 <= price <= 5000:
        raise Refused(mark("A message costs between nothing and five euros."), field="price")
    policy.request(address, shape, {}, body, to="+491701234567", text="Test", sender="", key="1")
    headers = policy.headers_from(values["headers"])
    row = session.get(Gateway, publication_id)
    if row is None:
        row = Gateway(publication_id=publication_id, address=address, body=body, changed_at=now)
        session.add(row)
    row.address, row.shape, row.body, row.sender, row.success = address, shape, body[:4000], values["sender"].strip()[:20], values["success"].strip()[:200]
    if headers:
        row.headers = tokens.encrypt("\n".join(f"{name}: {value}" for name, value in headers.items()))
    row.price, row.only_emergencies, row.changed_at = price, only_emergencies, now
    session.flush()


def forget_gateway(session: Session, publication_id: int) -> None:
    """Nothing leaves any more."""
    session.execute(delete(Gateway).where(Gateway.publication_id == publication_id))


def ask(session: Session, tokens: Tokens, *, publication: Publication, subscription: Subscription, text: str, language: str, now: datetime) -> int:
    """A reader gives her number; a code goes there. Gives back the message.

    Raises:
        Refused: it is no number, there is no gateway, or she has asked too often today.
    """
    if queries.gateway(session, publication.id) is None:
        raise Refused(mark("Text messages are not possible here."), field="number")
    number = policy.number(text, publication.language)
    day = timedelta(days=1)
    for key in (f"sms:{tokens.fingerprints('throttle', number)[0][:40]}", f"sms-of:{subscription.id}"):
        if count(session, key=key, window=day, now=now) > policy.CODES_A_DAY:
            raise Refused(mark("Three codes a day are enough. Try again tomorrow."), field="number")
    row = queries.phone_of(session, subscription.id)
    if row is None:
        row = Phone(subscription_id=subscription.id, publication_id=publication.id, number=number, asked_at=now)
        session.add(row)
        session.flush()
    code = f"{secrets.randbelow(1_000_000):06}"
    row.number, row.state, row.asked_at, row.confirmed_at, row.ended_at = number, "pending", now, None, None
    row.code, row.code_until, row.tries = _digest(tokens, row.id, code), now + policy.CODE_FOR, 0
    words = Speech(language)(mark("%(code)s is your code for “%(name)s”. It is valid for ten minutes."), code=code, name=publication.name)
    message = TextMessage(publication_id=publication.id, phone_id=row.id, body=policy.spelled(words), created_at=now, next_attempt_at=now)
    session.add(message)
    session.flush()
    return message.id


def confirm(
    session: Session, tokens: Tokens, *, publication: Publication, subscription: Subscription, subscriber: Subscriber, code: str, language: str, now: datetime
) -> bool:
    """Whether the code is right; then the number is confirmed, and the chain of consents says so (L2). A wrong one costs a try."""
    row = queries.phone_of(session, subscription.id)
    if row is None or row.state != "pending" or not row.code or row.code_until is None or row.code_until <= now or row.tries >= policy.TRIES:
        return False
    row.tries += 1
    session.flush()
    if not secrets.compare_digest(row.code, _digest(tokens, row.id, "".join(sign for sign in code if sign.isdigit()))):
        return False
    row.state, row.confirmed_at, row.code, row.code_until = "active", now, "", None
    words = wording(session, Speech(language)(CONSENT, name=publication.name))
    how = f"confirmed the number {policy.masked(row.number)} with a code that went there"
    record(session, subscription, kind="changed", email=subscriber.email, how=how, wording_id=words, language=language, at=now)
    session.flush()
    return True


def end(session: Session, *, subscription: Subscription, subscriber: Subscriber, now: datetime) -> None:
    """No text messages any more. The number is deleted; the chain says that it was."""
    row = queries.phone_of(session, subscription.id)
    if row is None:
        return
    if row.confirmed_at is not None:
        words, how = wording(session, "No text messages any more."), "wants no text messages any more"
        record(session, subscription, kind="changed", email=subscriber.email, how=how, wording_id=words, language="en", at=now)
    session.execute(update(TextMessage).where(TextMessage.phone_id == row.id, TextMessage.state == "queued").values(state="cancelled", settled_at=now))
    session.delete(row)
    session.flush()


def _digest(tokens: Tokens, phone_id: int, code: str) -> str:
    return tokens.fingerprints("sms code", f"{phone_id}:{code}")[0]


def send_note(
    session: Session, *, publication: Publication, text: str, ending: str, drill_id: int | None, editor_id: int, expected: tuple[int, int], now: datetime
) -> Note:
    """Write a message to everybody who wants them; the worker sends them.

    Args:
        ending: how one leaves, put behind the text.
        expected: how many people and thousandths of a euro the page showed before somebody pressed the button.

    Raises:
        Refused: it is empty, too long, no emergency, or nobody would get it. Conflict: it would cost something else by now.
    """
    gateway = queries.gateway(session, publication.id)
    if gateway is None:
        raise Refused(mark("Text messages are not possible here."), field="text")
    if gateway.only_emergencies and drill_id is None:
        raise Refused(mark("Text messages are for emergencies here. Begin with the outage."), field="text")
    words = policy.spelled(paragraphs(text, 2000))
    if not words:
        raise Refused(mark("A message needs a text."), field="text")
    body = f"{words}\n{ending}"
    found = policy.size(body)
    if found.signs > policy.LONGEST:
        raise Refused(mark("That is too long for a text message. Four parts are the most."), field="text")
    phones = queries.phones(session, publication.id)
    if not phones:
        raise Refused(mark("Nobody has given a number yet."), field="text")
    cost = policy.cost(len(phones), found.parts, gateway.price)
    if (len(phones), cost) != expected:
        raise Conflict(mark("In the meantime it would go to %(n)s people. Look at the cost again."), field="text", n=len(phones))
    note = Note(
        publication_id=publication.id, drill_id=drill_id, editor_id=editor_id, body=body, recipients=len(phones), parts=found.parts, cost=cost, created_at=now
    )  # fmt: skip
    session.add(note)
    session.flush()
    session.add_all(
        TextMessage(publication_id=publication.id, phone_id=phone.id, note_id=note.id, body=body, created_at=now, next_attempt_at=now) for phone in phones
    )
    session.flush()
    return note


def send_test(session: Session, *, publication_id: int, number: str, text: str, now: datetime) -> TextMessage:
    """One message to one number, which is not kept."""
    row = TextMessage(publication_id=publication_id, body=text, created_at=now, state="handing_over", handed_at=now, attempts=1)
    session.add(row)
    session.flush()
    return row


def claim(session: Session, message_id: int, *, now: datetime) -> bool:
    """Take a message for handing over; from now on it is never sent a second time by itself. Whoever has left in the meantime gets none."""
    won = session.execute(
        update(TextMessage)
        .where(TextMessage.id == message_id, TextMessage.state == "queued", TextMessage.next_attempt_at <= now)
        .values(state="handing_over", handed_at=now, attempts=TextMessage.attempts + 1)
    )
    assert isinstance(won, CursorResult)
    if won.rowcount != 1:
        return False
    row = session.get_one(TextMessage, message_id, populate_existing=True)
    phone = session.get(Phone, row.phone_id) if row.phone_id else None
    wanted = phone is not None and phone.state == ("active" if row.note_id else "pending")
    reads = phone is not None and session.scalar(select(Subscription.state).where(Subscription.id == phone.subscription_id)) in ("active", "paused")
    if not (wanted and reads):
        row.state, row.settled_at = "cancelled", now
        return False
    return True


def settle(session: Session, message_id: int, *, state: str, reply: str, now: datetime) -> None:
    """What came of it: accepted, failed, or uncertain when the answer was lost."""
    row = session.get_one(TextMessage, message_id, populate_existing=True)
    row.state, row.reply, row.settled_at, row.next_attempt_at = state, reply[:500], now, None
    # A code is of no use in a database, and the words of a note stand in the note.
    row.body = "" if state == "accepted" else row.body


def put_off(session: Session, message_id: int, why: str, *, now: datetime) -> None:
    """It has surely not been sent: try again, a few times."""
    row = session.get_one(TextMessage, message_id, populate_existing=True)
    wait = policy.pause(row.attempts)
    row.reply, row.handed_at = why[:500], None
    row.state, row.next_attempt_at = ("failed", None) if wait is None else ("queued", now + wait)
    row.settled_at = now if wait is None else None


def recover(session: Session, *, now: datetime) -> int:
    """What a dead worker was handing over is uncertain."""
    done = session.execute(
        update(TextMessage)
        .where(IS_HANDED, TextMessage.handed_at <= now - policy.LEASE)
        .values(state="uncertain", settled_at=now, reply="The worker stopped while it was being handed over.")
    )
    assert isinstance(done, CursorResult)
    return done.rowcount
