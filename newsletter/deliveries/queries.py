"""Reading mailings and the ledger."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from newsletter.deliveries.models import DELIVERY_STATES, IS_ODD, IS_WAITING, ODD_STATES, OPEN_STATES, Beat, Claiming, Click, Delivery, Mailing
from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.mail.replies import Reply, classify
from newsletter.orm import wave
from newsletter.subscriptions.models import Subscriber, Subscription

PAGE = 50
FRESH = timedelta(seconds=15)


@dataclass(frozen=True)
class Progress:
    """How far a mailing is."""

    counts: dict[str, int]
    rate: float
    seconds_left: float | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        return sum(self.counts[state] for state in OPEN_STATES)


def get(session: Session, mailing_id: int, publication_id: int | None = None) -> Mailing:
    """A mailing, of this publication if one is named.

    Raises:
        NotFound: there is none.
    """
    mailing = session.get(Mailing, mailing_id)
    if mailing is None or (publication_id is not None and mailing.publication_id != publication_id):
        raise NotFound(mark("There is no such mailing."))
    return mailing


def of_issue(session: Session, issue_id: int) -> Mailing | None:
    """The mailing of an issue."""
    return session.scalar(select(Mailing).where(Mailing.issue_id == issue_id))


def counts(session: Session, mailing_id: int) -> dict[str, int]:
    """Deliveries by state, every state named (I1).

    The waiting and the odd ones are counted in their own small indexes, those in hands by their claims; of all others
    there is only one state.
    """
    numbers = dict.fromkeys(DELIVERY_STATES, 0)
    held = in_hands(session, [row.id for row in session.execute(select(Claiming.id).where(Claiming.mailing_id == mailing_id))])
    numbers |= Counter(row.state for row in held)
    for some_states in (IS_WAITING, IS_ODD):
        some = select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id, some_states).group_by(Delivery.state)
        numbers |= {row[0]: row[1] for row in session.execute(some)}
    everybody = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.mailing_id == mailing_id)) or 0
    return numbers | {"accepted": everybody - sum(numbers.values())}


def in_hands(session: Session, claims: Sequence[int]) -> Sequence[Row[Any]]:
    """The deliveries of some claims that are claimed or handing over: id and state."""
    rows = session.execute(select(Claiming.id, Claiming.ids).where(Claiming.id.in_(claims))).all()
    return wave(session, _IN_HANDS, "vid bigint, vclaim bigint", [(number, claim_id) for claim_id, ids in rows for number in ids]).all()


_IN_HANDS = "SELECT d.id, d.state FROM {v} JOIN deliveries d ON d.id = vid AND d.claim_id = vclaim WHERE d.state IN ('claimed', 'handing_over')"


def progress(session: Session, mailing: Mailing, now: datetime) -> Progress:
    """Counts, mails a second by what the workers said last, and seconds that are left at that rate."""
    numbers = counts(session, mailing.id)
    rate = session.scalar(select(func.sum(Beat.rate)).where(Beat.mailing_id == mailing.id, Beat.at > now - FRESH)) or 0.0
    if mailing.state != "sending" or not rate:
        rate = _on_average(mailing, numbers, now)
    waiting = numbers["planned"] + numbers["claimed"] + numbers["handing_over"]
    return Progress(numbers, round(rate, 2), waiting / rate if rate else None)


def _on_average(mailing: Mailing, numbers: dict[str, int], now: datetime) -> float:
    if mailing.started_at is None:
        return 0.0
    spent = ((mailing.settled_at or now) - mailing.started_at).total_seconds()
    return sum(numbers[state] for state in ("accepted", "refused", "uncertain")) / max(spent, 1.0)


def agreed_to_clicks(session: Session, subscriptions: Sequence[int]) -> set[int]:
    """Who of some readers lets us count which links are followed."""
    query = select(Subscription.id).where(Subscription.id.in_(subscriptions), Subscription.clicks_agreed_at.is_not(None))
    return set(session.scalars(query)) if subscriptions else set()


def clicks(session: Session, mailing: Mailing) -> list[tuple[str, int]]:
    """How often each counted link of a letter was followed, most first."""
    counts = {row.link: row.count for row in session.scalars(select(Click).where(Click.issue_id == mailing.issue_id))}
    rows = [(target, counts.get(number, 0)) for number, target in enumerate(mailing.content.get("links", []))]
    return sorted(rows, key=lambda row: -row[1])


def last_letter(session: Session, publication_id: int) -> datetime | None:
    """When people last got a letter."""
    sent = Mailing.publication_id == publication_id, Mailing.started_at.is_not(None)
    return session.scalar(select(func.max(Mailing.started_at)).where(*sent))


def pace(session: Session, publication_id: int) -> float:
    """How many mails leave in a second, by the last mailing that was finished; a careful guess before the first one."""
    query = select(Mailing).where(Mailing.publication_id == publication_id, Mailing.state == "finished", Mailing.started_at.is_not(None))
    last = session.scalar(query.order_by(Mailing.id.desc()).limit(1))
    if last is None or last.started_at is None or last.settled_at is None:
        return GUESS
    return last.audience / max(1.0, (last.settled_at - last.started_at).total_seconds())


GUESS = 5.0


def latest(session: Session, publication_id: int) -> tuple[Mailing, Issue] | None:
    """The last mailing of a publication with its issue."""
    row = session.execute(
        select(Mailing, Issue).join(Issue, Issue.id == Mailing.issue_id).where(Mailing.publication_id == publication_id).order_by(Mailing.id.desc()).limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def rows_in(session: Session, mailing_id: int, state: str, after: int = 0) -> list[tuple[Delivery, Subscriber | None]]:
    """One page of the ledger, by keyset; at most PAGE + 1 rows."""
    small = {"planned": [IS_WAITING], "deferred": [IS_WAITING], **{odd: [IS_ODD] for odd in ODD_STATES}}
    rows = session.execute(
        select(Delivery, Subscriber)
        .outerjoin(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state == state, *small.get(state, []), Delivery.id > after)
        .order_by(Delivery.id)
        .limit(PAGE + 1)
    )
    return [(row[0], row[1]) for row in rows]


def worth_another_try(session: Session, mailing_id: int) -> list[Delivery]:
    """Refused or given up, but not because the address is dead."""
    failed = Delivery.mailing_id == mailing_id, IS_ODD, Delivery.state.in_(("refused", "expired"))
    rows = session.scalars(select(Delivery).where(*failed).order_by(Delivery.id))
    return [row for row in rows if row.state == "expired" or classify(Reply(row.code or 0, row.reply)) != "dead"]


def by_provider(session: Session, mailing_id: int) -> list[tuple[str, dict[str, int]]]:
    """How it stands with each provider, the largest first."""
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(Delivery.provider, Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id).group_by(Delivery.provider, Delivery.state)
    )  # fmt: skip
    for provider, state, number in rows:
        found.setdefault(provider, dict.fromkeys(DELIVERY_STATES, 0))[state] = number
    return sorted(found.items(), key=lambda item: -sum(item[1].values()))


def missed(session: Session, mailing_id: int) -> Iterator[tuple[Delivery, Subscriber | None]]:
    """Everybody of whom nobody can say that they got it, row by row."""
    rows = session.execute(
        select(Delivery, Subscriber)
        .outerjoin(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state != "accepted")
        .order_by(Delivery.id)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        yield row[0], row[1]


def history(session: Session, subscriber_id: int, publication_id: int) -> list[tuple[Delivery, Mailing, Issue]]:
    """What one person was sent, newest first."""
    rows = session.execute(
        select(Delivery, Mailing, Issue)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(Delivery.subscriber_id == subscriber_id, Mailing.publication_id == publication_id)
        .order_by(Delivery.id.desc())
        .limit(500)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def in_undo(session: Session, now: datetime) -> list[int]:
    """Mailings whose undo window is over."""
    return list(session.scalars(select(Mailing.id).where(Mailing.state == "preparing", Mailing.undo_until <= now)))


def sendable(session: Session, now: datetime) -> list[int]:
    """Mailings that have something to hand over now."""
    ready = exists().where(Delivery.mailing_id == Mailing.id, IS_WAITING, Delivery.state.in_(("planned", "deferred")), Delivery.next_attempt_at <= now)
    return list(session.scalars(select(Mailing.id).where(Mailing.state == "sending", Mailing.next_attempt_at <= now, ready)))


def finishable(session: Session) -> list[int]:
    """Mailings that are sending with nothing left to send (I10)."""
    waiting = exists().where(Delivery.mailing_id == Mailing.id, IS_WAITING)
    held = exists().where(Claiming.mailing_id == Mailing.id)
    return list(session.scalars(select(Mailing.id).where(Mailing.state == "sending", ~waiting, ~held)))


def abandoned(session: Session, now: datetime) -> bool:
    """Whether somebody holds a lease that is over."""
    return session.scalar(select(Claiming.id).where(Claiming.lease_until <= now).limit(1)) is not None
