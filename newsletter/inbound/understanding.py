"""Looking at what came in: one mail, one transaction (B1–B5).

The order is the rule: a proof of ours in the address first, then what the mail says it is. A mail is never believed
because of an address that stands in it.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.bounces import queries as bounces
from newsletter.bounces.actions import Report, note
from newsletter.bounces.looking import domains_gone
from newsletter.bounces.policy import ASK_THE_DNS
from newsletter.conversations import policy as matters
from newsletter.conversations import threads
from newsletter.conversations.models import Conversation
from newsletter.conversations.receiving import came_back, receive
from newsletter.deliveries.models import Delivery
from newsletter.i18n import mark
from newsletter.inbound import actions, events, queries
from newsletter.inbound.models import PROVIDERS, Arrival
from newsletter.mail import spamd
from newsletter.mail.incoming.letter import Written, date_of, written
from newsletter.mail.incoming.mime import Fields, read
from newsletter.mail.incoming.reports import Recipient
from newsletter.mail.incoming.verdict import LARGEST, Verdict, judge_mail
from newsletter.mail.returning import COMPLAINTS, Proven, proven, shaped
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.subscriptions import queries as people
from newsletter.subscriptions.actions import end
from newsletter.subscriptions.models import Subscriber, Subscription

log = logging.getLogger(__name__)

_LEAVE_LINK = re.compile(r"/[um]/([0-9a-f]{1,14}\.[A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])")
SPAM_FROM = 6.0


@dataclass(frozen=True)
class _Mail:
    """A mail that was taken apart, with everything that had to be asked outside the transaction."""

    verdict: Verdict
    written: Written
    at: datetime
    addresses: tuple[str, ...]
    proof: Proven | None
    spam: bool
    domains_gone: frozenset[str]


def understand(process: Process, arrival_id: int) -> None:
    """Look at one mail or event. What goes wrong is written beside it, and it stays."""
    try:
        with process.reading() as session:
            arrival = session.get(Arrival, arrival_id)
            raw = queries.raw_of(session, arrival_id)
        if arrival is None or arrival.state != "new" or raw is None:
            return
        if arrival.door in PROVIDERS:
            told = events.read(arrival.door, raw)
            with process.writing() as session:
                _believe(session, process, _claimed(session, arrival_id), told)
            return
        mail = _taken_apart(process, arrival, raw)
        with process.writing() as session:
            _sort(session, process, _claimed(session, arrival_id), mail)
    except Exception as error:
        # Whatever it is: the mail stays, and somebody can read why (B4).
        log.exception("arrival %s could not be understood", arrival_id)
        with process.writing() as session:
            actions.put_off(session, arrival_id, why=f"{type(error).__name__}: {error}", now=process.clock())


def _claimed(session: Session, arrival_id: int) -> Arrival | None:
    return session.scalar(select(Arrival).where(Arrival.id == arrival_id, Arrival.state == "new").with_for_update())


def _taken_apart(process: Process, arrival: Arrival, raw: bytes) -> _Mail:
    part = read(raw)
    verdict = judge_mail(part if len(raw) <= LARGEST else read(raw[:LARGEST]))
    mail = written(part)
    addresses = tuple(dict.fromkeys([*(one.lower() for one in arrival.envelope_to), *mail.recipients]))
    domain = process.settings.bounce_domain
    proof = next((found for one in addresses if (found := proven(process.tokens, domain, one))), None)
    asked = {one.address.rpartition("@")[2].lower() for one in verdict.recipients if one.status in ASK_THE_DNS and "@" in one.address}
    gone = domains_gone(process.resolver, asked) if proof and verdict.kind == "bounce" else set()
    return _Mail(verdict, mail, date_of(part, arrival.received_at), addresses, proof, _looks_like_spam(process, verdict, mail, raw), frozenset(gone))


def _looks_like_spam(process: Process, verdict: Verdict, mail: Written, raw: bytes) -> bool:
    """What SpamAssassin thinks, if it is there; whoever answers something is not asked about."""
    if verdict.kind != "reply" or mail.ids:
        return False
    report = spamd.ask(process.settings.spamd, raw)
    return report is not None and report.score >= SPAM_FROM


def _sort(session: Session, process: Process, arrival: Arrival | None, mail: _Mail) -> None:
    if arrival is None:
        return
    kind, now = mail.verdict.kind, process.clock()
    if kind == "bounce":
        _bounce(session, process, arrival, mail, now)
    elif kind == "complaint":
        _complaint(session, process, arrival, mail, now)
    elif kind == "auto-reply":
        actions.settle(session, arrival, "done", kind=kind, publication_id=_whose(session, arrival, mail))
    elif mail.proof is not None and mail.proof.purpose == "u":
        _leaves(session, arrival, mail.proof.number, now)
    elif mail.proof is None and any(shaped(process.settings.bounce_domain, one) for one in arrival.envelope_to):
        actions.settle(session, arrival, "quarantined", kind=kind, why=mark("Its address looks like one of ours, but the proof in it is wrong."))
    else:
        _person(session, arrival, mail, now)


def _whose(session: Session, arrival: Arrival, mail: _Mail) -> int | None:
    if arrival.publication_id is not None:
        return arrival.publication_id
    if mail.proof is not None and mail.proof.purpose == "c":
        conversation = session.get(Conversation, mail.proof.number)
        return conversation.publication_id if conversation else None
    if mail.proof is not None:
        return bounces.publication_of(session, mail.proof.number)
    found = queries.publication_for(session, mail.addresses)
    return found.id if found else None


def _bounce(session: Session, process: Process, arrival: Arrival, mail: _Mail, now: datetime) -> None:
    """B3: only with our own proof, and only for a delivery that really was handed over, not long ago."""
    publication_id = _whose(session, arrival, mail)
    if mail.proof is None:
        actions.settle(
            session,
            arrival,
            "quarantined",
            kind="bounce",
            why=mark("It proves no delivery of ours, so nobody is taken off the list by it."),
            publication_id=publication_id,
        )
        return
    final = [one for one in mail.verdict.recipients if one.final] or ([] if mail.verdict.recipients else [Recipient("", "unclear", "unclear")])
    if mail.proof.purpose == "c":
        conversation = session.get(Conversation, mail.proof.number)
        if conversation is not None and final:
            came_back(session, conversation, text=final[0].text, arrival_id=arrival.id, now=now)
    elif mail.proof.purpose == "b":
        delivery = bounces.delivered(session, mail.proof.number, now)
        if delivery is None:
            why = mark("It is about a delivery that never was, or that is too long ago.")
            actions.settle(session, arrival, "quarantined", kind="bounce", why=why, publication_id=publication_id)
            return
        for one in final[:1]:
            gone = one.address.rpartition("@")[2].lower() in mail.domains_gone
            note(session, process.tokens, process.links, delivery_id=delivery.id, report=_report(one), source="mail", no_such_domain=gone, now=now)
    actions.settle(session, arrival, "done", kind="bounce", publication_id=publication_id)


def _report(one: Recipient) -> Report:
    return Report(one.kind, one.reason, one.status, one.code, one.text)


def _complaint(session: Session, process: Process, arrival: Arrival, mail: _Mail, now: datetime) -> None:
    """B5: who complained is known by our own marks in the mail that came along; an address alone proves nothing."""
    delivery = _complained_about(session, process, mail, now)
    if delivery is None:
        why = mark("Somebody complains, but which letter and whose is not told in a way that proves it.")
        actions.settle(session, arrival, "quarantined", kind="complaint", why=why, publication_id=_whose(session, arrival, mail))
        return
    report = Report(
        "complaint",
        (mail.verdict.feedback.kind if mail.verdict.feedback else "") or "abuse",
        text=(mail.verdict.feedback.agent if mail.verdict.feedback else ""),
    )
    note(session, process.tokens, process.links, delivery_id=delivery.id, report=report, source="mail", now=now)
    actions.settle(session, arrival, "done", kind="complaint", publication_id=bounces.publication_of(session, delivery.id))


def _complained_about(session: Session, process: Process, mail: _Mail, now: datetime) -> Delivery | None:
    if mail.proof is not None and mail.proof.purpose in ("b", "u"):
        return session.get(Delivery, mail.proof.number)
    returned = mail.verdict.returned or Fields(b"")
    for name in ("return-path", "x-envelope-from", "errors-to", "list-unsubscribe"):
        for address in re.findall(r"[^\s<>:?,]+@[^\s<>:?,]+", returned.get(name)):
            found = proven(process.tokens, process.settings.bounce_domain, address)
            if found is not None and found.purpose in ("b", "u"):
                return session.get(Delivery, found.number)
    link = _LEAVE_LINK.search(returned.get("list-unsubscribe"))
    known = people.by_leave_link(session, link[1]) if link else None
    if link is not None and known is not None:
        return session.get(Delivery, int(link[1].partition(".")[0], 16) >> 6)
    return bounces.by_message_id(session, returned.get("message-id"), now)


def _leaves(session: Session, arrival: Arrival, delivery_id: int, now: datetime) -> None:
    """U8: the wish to leave by mail, with our proof in the address; the same as pressing the button."""
    delivery = session.get(Delivery, delivery_id)
    subscription = session.get(Subscription, delivery.subscription_id) if delivery and delivery.subscription_id else None
    subscriber = session.get(Subscriber, subscription.subscriber_id) if subscription else None
    if subscription is not None and subscriber is not None:
        end(session, subscription, subscriber, how="wrote to the address for leaving", now=now)
    actions.settle(session, arrival, "done", kind="leave", publication_id=subscription.publication_id if subscription else None)


def _person(session: Session, arrival: Arrival, mail: _Mail, now: datetime) -> None:
    """Everything else is a person, unless it is a machine, or our own mail that goes round in circles."""
    publication_id = _whose(session, arrival, mail) or threads.publication_of(session, mail.written.ids)
    if mail.written.hops > matters.HOPS or mail.written.email in queries.our_addresses(session):
        actions.settle(session, arrival, "done", kind="loop", why=mark("A mail of our own that went round in a circle."), publication_id=publication_id)
    elif publication_id is None:
        where = COMPLAINTS if any(one.startswith(COMPLAINTS + "@") for one in mail.addresses) else mail.verdict.kind
        actions.settle(session, arrival, "quarantined", kind=where, why=mark("It is for none of the publications here."))
    elif mail.verdict.kind == "other" or not mail.written.email:
        actions.settle(session, arrival, "done", kind="other", publication_id=publication_id)
    else:
        publication = session.get_one(Publication, publication_id)
        number = mail.proof.number if mail.proof is not None and mail.proof.purpose == "c" else None
        receive(session, publication, mail.written, arrival_id=arrival.id, conversation_id=number, spam=mail.spam, at=mail.at, now=now)
        actions.settle(session, arrival, "done", kind="reply", publication_id=publication_id)


def _believe(session: Session, process: Process, arrival: Arrival | None, told: Sequence[events.Event]) -> None:
    """What a provider says. The call was authentic, or it would not be here (B8)."""
    if arrival is None:
        return
    now, found = process.clock(), 0
    for event in told:
        delivery = events.delivery_of(session, process, arrival.publication_id, event, now)
        if delivery is not None:
            found += 1
            note(session, process.tokens, process.links, delivery_id=delivery.id, report=event.report, source="event", now=now)
    why = "" if found == len(told) else mark("Some of it is about letters that we do not know.")
    actions.settle(session, arrival, "done", kind="event", why=why)
