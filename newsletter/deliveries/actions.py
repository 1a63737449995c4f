"""Starting, stopping and settling mailings."""

import hashlib
import json
from collections.abc import Container
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, literal, or_, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.accounts.queries import owners_of
from newsletter.archive.actions import request_build
from newsletter.deliveries import policy, queries
from newsletter.deliveries.models import IS_ODD, IS_WAITING, Attempt, Beat, Delivery, Mailing
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.issues.composition import Composition, compose
from newsletter.issues.models import Issue
from newsletter.issues.policy import refusal
from newsletter.issues.queries import next_number
from newsletter.issues.queries import shelf as shelf_of
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.mail.providers import HOUSE_OF
from newsletter.notices.actions import queue
from newsletter.orm import roomy
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base, greeting_of
from newsletter.rendering.counting import counted
from newsletter.segments.queries import fits
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.subscriptions.queries import link_was_used
from newsletter.transports import throttles


def start(session: Session, links: Links, *, publication: Publication, issue: Issue, undo: timedelta, now: datetime) -> int:
    """Freeze text and audience; the first mail leaves when the undo window is over. Gives back the mailing.

    One transaction: of two people who press the button, one wins by compare-and-set (I12, U1).

    Raises:
        Refused: the text has errors, or nobody would get it.
        Conflict: it has gone out already.
    """
    number = next_number(session, publication.id) if issue.kind == "letter" else None
    won = session.execute(
        update(Issue)
        .where(Issue.id == issue.id, Issue.state.in_(("draft", "scheduled")), Issue.revision == issue.revision)
        .values(state="published", number=number, published_at=now + undo, scheduled_at=None)
    )
    if _rows(won) != 1:
        raise Conflict(mark("This issue is on its way already."))
    session.refresh(issue)
    composition = compose(session, publication, issue, links, now)
    # A digest links to our own archive; on a machine where somebody tries things out that is nobody's mistake.
    errors = [one for one in composition.errors if issue.kind == "letter" or one.id != "link-private"]
    if errors:
        raise refusal(errors[0])
    shelf = shelf_of(session, publication, issue, links)
    issue.frozen = {"snippets": shelf.snippets, "cards": {slug: asdict(card) for slug, card in shelf.cards.items()}}
    content = _freeze(publication, issue, composition, links)
    mailing = Mailing(
        issue_id=issue.id,
        publication_id=publication.id,
        content=content,
        content_sha256=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
        audience=0,
        created_at=now,
        undo_until=now + undo,
        next_attempt_at=now + undo,
    )
    session.add(mailing)
    session.flush()
    _refuse_after_silence(session, publication, issue, now)
    mailing.audience = _freeze_audience(session, publication, mailing, issue, now)
    if not mailing.audience:
        raise Refused(mark("Nobody would get this letter: there is no active subscriber yet."))
    session.flush()
    return mailing.id


def _refuse_after_silence(session: Session, publication: Publication, issue: Issue, now: datetime) -> None:
    last = queries.last_letter(session, publication.id)
    if policy.silence(last, now) != "too long":
        return
    old = select(Subscription.id).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    if session.scalar(old.where(readers_of(session, publication, issue, now), Subscription.confirmed_at <= last).limit(1)):
        raise Refused(SILENT)


SILENT = mark("Nobody has got a letter for four years. These consents do not hold any more: ask people anew, or write to those who came since.")


def _freeze(publication: Publication, issue: Issue, composition: Composition, links: Links) -> dict[str, Any]:
    return _counted(publication, issue, composition, links) | {
        "subject": composition.subject,
        "html": composition.parts.html,
        "text": composition.parts.text,
        "greeting": greeting_of(publication),
        "from_name": publication.from_name,
        "from_address": publication.from_address,
        "reply_to": publication.reply_to,
        "list_id": publication.list_id,
        "list_name": publication.name,
        "archive_url": archive_base(publication, links),
        "feedback_id": f"{issue.id}:{publication.slug[:15]}:issue:brieftaube",
    }


def _counted(publication: Publication, issue: Issue, composition: Composition, links: Links) -> dict[str, Any]:
    """The same letter for those who agreed that its links are counted; nothing where nobody is asked (L8)."""
    if not publication.count_clicks:
        return {}
    addresses: dict[int, str] = {}
    parts, targets = counted(composition.parts, links.base, lambda number: addresses.setdefault(number, links.click(issue.id, number)))
    return {"links": targets, "html_counted": parts.html, "text_counted": parts.text} if targets else {}


def readers_of(session: Session, publication: Publication, issue: Issue, now: datetime) -> ColumnElement[bool]:
    """The condition on Subscription and Subscriber for those who get an issue.

    Raises:
        NotFound: it is meant for a segment that is gone.
    """
    rhythm = "each" if issue.kind == "letter" else "monthly"
    everybody = Subscription.publication_id == publication.id, Subscription.state == "active", Subscription.rhythm == rhythm
    return and_(*everybody, fits(session, publication, issue.segment_id, now))


def number_of_readers(session: Session, publication: Publication, issue: Issue, now: datetime) -> int:
    """How many would get it if it left now."""
    query = select(func.count()).select_from(Subscription).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    if issue.segment_id is None:
        query = select(func.count()).select_from(Subscription)
    return session.scalar(query.where(readers_of(session, publication, issue, now))) or 0


def _freeze_audience(session: Session, publication: Publication, mailing: Mailing, issue: Issue, now: datetime) -> int:
    sqlite = session.get_bind().dialect.name == "sqlite"
    random = "lower(hex(randomblob(12)))" if sqlite else "replace(gen_random_uuid()::text, '-', '')"
    at = func.instr(Subscriber.canonical, "@") if sqlite else func.strpos(Subscriber.canonical, "@")
    domain = func.substr(Subscriber.canonical, at + 1)
    rows = (
        select(
            literal(mailing.id), Subscription.subscriber_id, Subscription.id, Subscriber.canonical,
            # Most domains are nobody's but their own; one look tells, and only the others go through the list.
            case((domain.in_(list(HOUSE_OF)), case(HOUSE_OF, value=domain, else_=domain)), else_=domain), text(random),
            literal("planned"), literal(0), literal(now, Delivery.next_attempt_at.type), literal(now, Delivery.changed_at.type),
            literal(""), literal(""),
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(readers_of(session, publication, issue, now))
        .order_by(Subscription.id)
    )  # fmt: skip
    columns = [
        "mailing_id",
        "subscriber_id",
        "subscription_id",
        "canonical",
        "provider",
        "reference",
        "state",
        "attempts",
        "next_attempt_at",
        "changed_at",
        "enhanced",
        "reply",
    ]
    with roomy(session):
        session.execute(insert(Delivery).from_select(columns, rows, include_defaults=False))
    return session.scalar(select(func.count()).select_from(Delivery).where(Delivery.mailing_id == mailing.id)) or 0


def take_back(session: Session, mailing: Mailing, *, now: datetime) -> None:
    """Undo: no mail has left, so the mailing disappears and the issue is a draft again.

    Raises:
        Conflict: the window is over.
    """
    if mailing.state != "preparing" or mailing.undo_until <= now:
        raise Conflict(mark("It is too late to take this back: the first letters are on their way. You can still pause."))
    issue = session.get_one(Issue, mailing.issue_id)
    issue.become("draft")
    issue.number, issue.published_at, issue.frozen = None, None, None
    session.delete(mailing)
    session.flush()


def begin(session: Session, mailing_id: int, *, now: datetime) -> bool:
    """The undo window is over: publish the issue and start handing over."""
    won = session.execute(
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.state == "preparing", Mailing.undo_until <= now)
        .values(state="sending", started_at=now, next_attempt_at=now, give_up_at=now + policy.GIVE_UP_AFTER)
    )
    if _rows(won) != 1:
        return False
    mailing = session.get_one(Mailing, mailing_id, populate_existing=True)
    if session.scalar(select(Issue.kind).where(Issue.id == mailing.issue_id)) == "letter":
        request_build(session, publication_id=mailing.publication_id, issue_id=mailing.issue_id, now=now)
    return True


def pause(session: Session, mailing: Mailing, *, trouble: str = "") -> None:
    """Stop handing over. What is on the wire in this moment still arrives.

    Raises:
        Conflict: it is not sending.
    """
    mailing.become("paused")
    mailing.trouble = trouble[:500]
    session.flush()


def resume(session: Session, mailing: Mailing, *, now: datetime) -> None:
    """Go on where it stopped.

    Raises:
        Conflict: it is not paused.
    """
    if mailing.state != "paused":
        raise Conflict("A mailing that is %(old)s cannot become %(new)s.", old=mailing.state, new="sending")
    mailing.become("sending")
    mailing.trouble, mailing.setbacks, mailing.next_attempt_at = "", 0, now
    throttles.wake(session)
    waiting = Delivery.mailing_id == mailing.id, IS_WAITING, Delivery.state == "planned"
    session.execute(update(Delivery).where(*waiting).values(next_attempt_at=now))
    session.flush()


def cancel(session: Session, mailing: Mailing, *, now: datetime) -> None:
    """Nobody else gets it. Rows that a sender holds are settled by that sender, or when its lease is over.

    Raises:
        Conflict: it is over.
    """
    mailing.become("cancelled")
    mailing.settled_at = now
    waiting = Delivery.mailing_id == mailing.id, IS_WAITING
    session.execute(update(Delivery).where(*waiting).values(state="cancelled", changed_at=now).execution_options(synchronize_session=False))
    session.flush()


def finish(session: Session, mailing_id: int, *, now: datetime) -> bool:
    """Finished, if nothing is open any more (I10)."""
    if mailing_id not in queries.finishable(session):
        return False
    won = session.execute(update(Mailing).where(Mailing.id == mailing_id, Mailing.state == "sending").values(state="finished", settled_at=now, trouble=""))
    return _rows(won) == 1


def settle_uncertain(session: Session, mailing: Mailing, *, again: bool, now: datetime) -> int:
    """A person decides about the uncertain ones: count them as arrived, or send once more (I4).

    Gives back how many there were.
    """
    rows = session.scalars(select(Delivery).where(Delivery.mailing_id == mailing.id, IS_ODD, Delivery.state == "uncertain")).all()
    state, why = ("planned", mark("Sent once more by decision.")) if again else ("accepted", mark("Counted as arrived by decision."))
    for row in rows:
        _settle_one(session, row, state, phase="decision", why=why, now=now)
    decided = len(rows)
    if again and decided:
        _reopen(mailing, now)
    session.flush()
    return decided


def settle_by_evidence(session: Session, mailing_id: int, *, taken: Container[str], complete: bool, now: datetime) -> dict[str, int]:
    """Settle the uncertain ones by what the mail server wrote down.

    Args:
        taken: the Message-IDs that it took, without angle brackets.
        complete: whether what is missing there was not taken; then it is sent once more.

    Gives back how many are accepted, planned again and still uncertain.
    """
    mailing = session.get_one(Mailing, mailing_id)
    domain = parse(str(mailing.content["from_address"])).domain
    found = {"accepted": 0, "planned": 0, "uncertain": 0}
    for row in session.scalars(select(Delivery).where(Delivery.mailing_id == mailing_id, IS_ODD, Delivery.state == "uncertain")):
        state = "accepted" if f"{row.reference}@{domain}" in taken else "planned" if complete else "uncertain"
        found[state] += 1
        if state != "uncertain":
            _settle_one(session, row, state, phase="evidence", why=IN_THE_LOG if state == "accepted" else NOT_IN_THE_LOG, now=now)
    if found["planned"]:
        _reopen(mailing, now)
    session.flush()
    return found


def settle_by_readers(session: Session, *, now: datetime) -> int:
    """Uncertain ones whose unsubscribe link was used have arrived. Gives back how many were settled."""
    settled = 0
    for row in session.scalars(select(Delivery).where(IS_ODD, Delivery.state == "uncertain").order_by(Delivery.id.desc()).limit(1000)):
        if link_was_used(session, leave_number(row.id, 0), leave_number(row.id + 1, 0)):
            _settle_one(session, row, "accepted", phase="evidence", why=mark("The reader used a link in it."), now=now)
            settled += 1
    session.flush()
    return settled


def leave_number(delivery_id: int, attempts: int) -> int:
    """The number in the unsubscribe address of one attempt."""
    return (delivery_id << 6) + min(attempts, 63)


IN_THE_LOG = mark("It stands in the mail server's log.")
NOT_IN_THE_LOG = mark("It does not stand in the mail server's log, so it is sent once more.")


def _settle_one(session: Session, row: Delivery, state: str, *, phase: str, why: str, now: datetime) -> None:
    session.add(Attempt(delivery_id=row.id, number=row.attempts, at=now, phase=phase, outcome=state, code=None, enhanced="", reply=why))
    row.state, row.changed_at, row.claim_id, row.reply = state, now, None, why
    if state == "planned":
        row.next_attempt_at = now


def _reopen(mailing: Mailing, now: datetime) -> None:
    mailing.give_up_at = now + policy.GIVE_UP_AFTER
    if mailing.state == "finished":
        mailing.become("sending")
        mailing.settled_at, mailing.next_attempt_at = None, now


def set_back(session: Session, mailing_id: int, links: Links, *, why: str, stop: bool, until: datetime | None = None, now: datetime) -> None:
    """The server did not play along. Wait a while, or stop until somebody has looked (D2, I8).

    Args:
        until: how long to wait; a little longer each time when nobody says.
    """
    mailing = session.get_one(Mailing, mailing_id, populate_existing=True)
    if mailing.state != "sending":
        return
    mailing.trouble = why[:500]
    if stop:
        mailing.become("paused")
        _tell_the_owners(session, mailing, links, now)
    else:
        mailing.next_attempt_at = until or policy.back_off(mailing.setbacks, now)
        mailing.setbacks += 1
    session.flush()


def forget_setbacks(session: Session, mailing_id: int) -> None:
    """Mails are taken again."""
    troubled = or_(Mailing.setbacks > 0, Mailing.trouble != "")
    session.execute(
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.state == "sending", troubled)
        .values(setbacks=0, trouble="")
        .execution_options(synchronize_session=False)
    )


def beat(session: Session, mailing_id: int, *, worker: str, rate: float, now: datetime) -> None:
    """A worker says how fast it is with a mailing."""
    row = session.get(Beat, (mailing_id, worker))
    if row is None:
        session.add(Beat(mailing_id=mailing_id, worker=worker, at=now, rate=rate))
    else:
        row.at, row.rate = now, rate


def _tell_the_owners(session: Session, mailing: Mailing, links: Links, now: datetime) -> None:
    """A mail to those who answer for the publication; it leaves as soon as any mail server takes mail again."""
    publication = session.get_one(Publication, mailing.publication_id)
    for owner in owners_of(session, publication.id):
        queue(
            session, publication=publication, kind="stopped", recipient=parse(owner.email), form_host="", now=now, subject=str(mailing.content["subject"]),
            accepted=queries.counts(session, mailing.id)["accepted"], audience=mailing.audience, trouble=mailing.trouble,
            link=links.mailing(publication.slug, mailing.id),
        )  # fmt: skip


def resend(session: Session, mailing: Mailing, *, now: datetime) -> int:
    """A person wants those who were refused or given up to be tried once more, but for dead addresses.

    Each keeps its Message-ID (F5). Gives back how many there are.
    """
    rows = queries.worth_another_try(session, mailing.id)
    for row in rows:
        _settle_one(session, row, "planned", phase="decision", why=mark("Tried once more by decision."), now=now)
    if rows:
        _reopen(mailing, now)
    session.flush()
    return len(rows)


def _rows(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
