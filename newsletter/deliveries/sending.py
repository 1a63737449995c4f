"""The sender: the one core file that commits, because a commit decides when a dot may go out.

For each recipient (RULES §5.2)::

    MAIL, RCPT, DATA, the body without its final dot
    COMMIT handing_over        permission is checked again in the same statement (I3, I5, I6)
    the dot
    COMMIT accepted | deferred | refused | uncertain

A crash before the first commit left nothing at the server; a crash after it leaves „uncertain“, which no
program ever leaves by itself (I4).
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from newsletter.deliveries import actions, ledger, policy
from newsletter.deliveries.models import Mailing
from newsletter.errors import Refused
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, MessageBroken, Sender, compose
from newsletter.mail.smtp import PATIENT, Conversation, Phase, Server, SmtpError, Timeouts, server
from newsletter.process import Process
from newsletter.rendering import merge
from newsletter.rendering.mail import MailParts, final
from newsletter.subscriptions.actions import new_leave_link
from newsletter.transports.queries import in_use

log = logging.getLogger(__name__)


class Pace:
    """At most so many hand-overs a second in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self, rate: float) -> None:
        """Wait for one's turn. A rate of 0 means no limit."""
        if not rate:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + 1 / rate
        time.sleep(max(0.0, turn - time.monotonic()))


_pace = Pace()


@dataclass
class Lane:
    """One connection that works through one mailing."""

    process: Process
    mailing_id: int
    server: Server
    content: dict[str, Any]
    timeouts: Timeouts
    conversation: Conversation | None = field(default=None)

    def connected(self) -> Conversation:
        """The connection, renewed when it is gone or has carried its hundred (S2)."""
        if self.conversation and (not self.conversation.alive or self.conversation.sent >= policy.MESSAGES_PER_CONNECTION):
            self.conversation.close()
            self.conversation = None
        if self.conversation is None:
            conversation = Conversation(self.server, self.process.settings.bounce_domain, self.timeouts)
            conversation.open()
            self.conversation = conversation
        return self.conversation


def send(process: Process, mailing_id: int, timeouts: Timeouts = PATIENT) -> None:
    """Work on a mailing until nothing is due, the server wants a rest, or the process stops.

    Args:
        timeouts: seconds to wait, by phase; those of RFC 5321 unless somebody is in a hurry.
    """
    with process.reading() as session:
        mailing = session.get(Mailing, mailing_id)
        if mailing is None or mailing.state != "sending" or mailing.next_attempt_at > process.clock():
            return
        lane = Lane(process, mailing_id, server(in_use(session, process.settings, process.tokens).address), mailing.content, timeouts)
    try:
        while not process.stopping.is_set() and _send_batch(lane):
            pass
    except Exception as error:
        # Whatever it was, it must not be tried twenty times a second.
        with process.writing() as session:
            actions.set_back(session, mailing_id, why=f"{type(error).__name__}: {error}", stop=False, now=process.clock())
        raise
    finally:
        if lane.conversation:
            lane.conversation.close()
    with process.writing() as session:
        actions.finish(session, mailing_id, now=process.clock())


def _send_batch(lane: Lane) -> bool:
    process = lane.process
    with process.writing() as session:
        batch = ledger.claim(session, lane.mailing_id, now=process.clock())
    try:
        return bool(batch) and all(_send_one(lane, held) for held in batch)
    finally:
        if batch:
            with process.writing() as session:
                ledger.release(session, batch[0].token, now=process.clock())


def _send_one(lane: Lane, held: ledger.Claim) -> bool:
    """Try one delivery. False when the lane should stop."""
    process = lane.process
    if process.stopping.is_set():
        return False
    _pace.wait(process.settings.send_rate)
    try:
        conversation = lane.connected()
        raw = _compose(lane, held)
        conversation.offer(_bounce_address(process, held.id), parse(held.email), raw)
        if not _permitted(lane, held):
            conversation.abandon()
            return True
        reply = conversation.dot()
    except SmtpError as error:
        return _settle_failure(lane, held, error)
    except (Refused, MessageBroken) as error:
        return _stop(lane, f"The mail to {held.id} could not be written: {error}")
    with process.writing() as session:
        ledger.record(session, held, state="accepted", phase=Phase.DOT, reply=reply, now=process.clock())
        _forget_setbacks(session.get_one(Mailing, lane.mailing_id))
    return True


def _forget_setbacks(mailing: Mailing) -> None:
    if mailing.setbacks or (mailing.trouble and mailing.state == "sending"):
        mailing.setbacks, mailing.trouble = 0, ""


def _permitted(lane: Lane, held: ledger.Claim) -> bool:
    process = lane.process
    fingerprints = process.tokens.fingerprints("suppression", held.canonical)
    with process.writing() as session:
        allowed = ledger.may_hand_over(session, held, fingerprints, now=process.clock())
        if not allowed:
            ledger.why_not(session, held, fingerprints, now=process.clock())
    return allowed


def _settle_failure(lane: Lane, held: ledger.Claim, error: SmtpError) -> bool:
    process, verdict = lane.process, policy.judge(error)
    now = process.clock()
    log.info("delivery %s of mailing %s: %s at %s: %s", held.id, lane.mailing_id, verdict.state, error.phase, error)
    again = None
    if verdict.state == "deferred" or (verdict.state == "planned" and error.phase not in policy.OF_THE_SESSION):
        again = policy.retry_at(held.attempts + 1, now) if verdict.state == "deferred" else policy.back_off(0, now)
    with process.writing() as session:
        if error.phase in policy.OF_THE_SESSION:
            actions.set_back(session, lane.mailing_id, why=f"{error.phase}: {error}", stop=verdict.blame == "sender", now=now)
            return False
        ledger.record(session, held, state=verdict.state, phase=error.phase, reply=error.reply, why=str(error), next_attempt_at=again, now=now)
        if verdict.blame == "sender":
            return not actions.sender_refused(session, lane.mailing_id, why=f"{error.phase}: {error}", now=now)
    return True


def _stop(lane: Lane, why: str) -> bool:
    log.error("mailing %s: %s", lane.mailing_id, why)
    with lane.process.writing() as session:
        actions.set_back(session, lane.mailing_id, why=why, stop=True, now=lane.process.clock())
    return False


def _compose(lane: Lane, held: ledger.Claim) -> bytes:
    process, content = lane.process, lane.content
    links = Links(process.settings.base_url)
    with process.writing() as session:
        leave_url = links.leave(new_leave_link(session, subscription_id=held.subscription_id, now=process.clock()))
    values = merge.values_of(held.name, content["greeting"])
    parts = final(MailParts(content["html"], content["text"]), values, leave_url)
    letter = Letter(
        sender=sender_of(content),
        recipient=parse(held.email),
        subject=content["subject"],
        text=parts.text,
        html=parts.html,
        reference=held.reference,
        leave_url=leave_url,
        feedback_id=content["feedback_id"],
        archive_url=content["archive_url"],
    )
    return compose(letter, process.clock())


def sender_of(content: dict[str, Any]) -> Sender:
    """Who writes, from the frozen content of a mailing."""
    return Sender(
        name=content["from_name"],
        address=parse(content["from_address"]),
        reply_to=parse(content["reply_to"]) if content["reply_to"] else None,
        list_id=content["list_id"],
        list_name=content["list_name"],
    )


def _bounce_address(process: Process, delivery_id: int) -> str:
    """VERP: a bounce names its delivery, and nobody can make one up (F9)."""
    mac = process.tokens.short_mac("bounce", str(delivery_id))
    return f"b+{delivery_id}-{mac}@{process.settings.bounce_domain}"
