"""Reading what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from newsletter.bounces import policy
from newsletter.bounces.models import Bounce
from newsletter.deliveries.models import IS_ODD, Delivery, Mailing
from newsletter.issues.models import Issue
from newsletter.subscriptions.models import Subscriber, Subscription

# A letter that was taken may still come back; after two days without a word it has arrived.
ARRIVED_AFTER = timedelta(days=2)


def history(session: Session, subscriber_id: int, now: datetime) -> list[policy.Trouble]:
    """The bounces of an address since it last proved to be alive: by a letter that stayed there, or by a pressed button."""
    silent = ~select(Bounce.id).where(Bounce.delivery_id == Delivery.id).exists()
    stayed = select(func.max(Delivery.changed_at)).where(
        Delivery.subscriber_id == subscriber_id, Delivery.state == "accepted", Delivery.changed_at < now - ARRIVED_AFTER, silent
    )
    confirmed = select(func.max(Subscription.confirmed_at)).where(Subscription.subscriber_id == subscriber_id)
    alive = max((moment for moment in (session.scalar(stayed), session.scalar(confirmed)) if moment is not None), default=None)
    query = (
        select(Bounce.at, Bounce.kind, Bounce.strong, Bounce.mailing_id)
        .join(Delivery, Delivery.id == Bounce.delivery_id)
        .where(Bounce.subscriber_id == subscriber_id)
    )
    if alive is not None:
        # What counts is when the letter left, not when the news of it came.
        query = query.where(Delivery.changed_at >= alive)
    return [policy.Trouble(*row) for row in session.execute(query)]


def unnoted(session: Session, now: datetime, limit: int = 200) -> Sequence[Delivery]:
    """Deliveries that ended with a reply which nobody has looked at."""
    recent = select(Mailing.id).where(Mailing.created_at > now - policy.BELIEVED_FOR)
    noted = select(Bounce.id).where(Bounce.delivery_id == Delivery.id)
    query = select(Delivery).where(
        Delivery.mailing_id.in_(recent), IS_ODD, Delivery.state.in_(("refused", "expired")), Delivery.attempts > 0, Delivery.reply != "", ~noted.exists()
    )
    return session.scalars(query.order_by(Delivery.id).limit(limit)).all()


def due(session: Session, now: datetime) -> bool:
    """Whether there is something of that kind."""
    return bool(unnoted(session, now, 1))


def delivered(session: Session, delivery_id: int, now: datetime) -> Delivery | None:
    """A delivery that really was handed over, and not long ago (B3)."""
    row = session.get(Delivery, delivery_id)
    if row is None or row.state not in HANDED_OVER or row.changed_at < now - policy.BELIEVED_FOR:
        return None
    return row


def count(session: Session, mailing_id: int, kinds: Sequence[str]) -> int:
    """How many bounces of some kinds a mailing has."""
    return session.scalar(select(func.count()).select_from(Bounce).where(Bounce.mailing_id == mailing_id, Bounce.kind.in_(kinds))) or 0


def share(session: Session, mailing_id: int, provider: str = "") -> tuple[int, int]:
    """How many letters of a mailing were taken, and of how many of them people complained; of one provider, or of all."""
    taken = select(func.count()).select_from(Delivery).where(Delivery.mailing_id == mailing_id, Delivery.state == "accepted")
    against = select(func.count()).select_from(Bounce).where(Bounce.mailing_id == mailing_id, Bounce.kind == "complaint")
    if provider:
        taken, against = taken.where(Delivery.provider == provider), against.where(Bounce.provider == provider)
    return session.scalar(taken) or 0, session.scalar(against) or 0


# A bounce can be here before the answer of the server is written down.
HANDED_OVER = ("handing_over", "accepted", "uncertain", "refused")


@dataclass(frozen=True)
class House:
    """What one provider has sent back in some time."""

    name: str
    accepted: int
    numbers: dict[str, int]

    @property
    def complaints(self) -> float:
        """Their share of what was taken."""
        return self.numbers.get("complaint", 0) / self.accepted if self.accepted else 0.0

    @property
    def verdict(self) -> str:
        """ "", "warn" or "stop"."""
        return policy.too_many_complaints(self.numbers.get("complaint", 0), self.accepted)

    @property
    def total(self) -> int:
        return sum(self.numbers.values())


def houses(session: Session, publication_id: int, since: datetime) -> list[House]:
    """Every provider that has sent something back since then, the one with most complaints and returns first."""
    found: dict[str, dict[str, int]] = {}
    rows = select(Bounce.provider, Bounce.kind, func.count()).where(Bounce.publication_id == publication_id, Bounce.at >= since)
    for provider, kind, number in session.execute(rows.group_by(Bounce.provider, Bounce.kind)):
        found.setdefault(provider, {})[kind] = number
    mailings = select(Mailing.id).where(Mailing.publication_id == publication_id, Mailing.created_at >= since)
    taken = (
        select(Delivery.provider, func.count())
        .where(Delivery.mailing_id.in_(mailings), Delivery.state == "accepted", Delivery.provider.in_(list(found)))
        .group_by(Delivery.provider)
    )
    accepted = {row[0]: row[1] for row in session.execute(taken)} if found else {}
    houses = [House(name, accepted.get(name, 0), numbers) for name, numbers in found.items()]
    return sorted(houses, key=lambda house: (-house.numbers.get("complaint", 0), -house.total, house.name))


def totals(session: Session, publication_id: int, since: datetime) -> dict[str, int]:
    """How many of each kind came back since then."""
    rows = select(Bounce.kind, func.count()).where(Bounce.publication_id == publication_id, Bounce.at >= since).group_by(Bounce.kind)
    return {row[0]: row[1] for row in session.execute(rows)}


def gone(session: Session, publication_id: int, since: datetime) -> int:
    """How many addresses are not written to any more because of it."""
    query = select(func.count()).select_from(Bounce).where(Bounce.publication_id == publication_id, Bounce.at >= since, Bounce.consequence != "")
    return session.scalar(query) or 0


@dataclass(frozen=True)
class Row:
    """One bounce, with the person and the letter."""

    bounce: Bounce
    subscriber: Subscriber | None
    subscription_id: int | None
    issue: Issue


def rows(session: Session, publication_id: int, *, kind: str = "", before: int = 0, limit: int = 50) -> list[Row]:
    """The newest ones."""
    query = (
        select(Bounce, Subscriber, Delivery.subscription_id, Issue)
        .join(Delivery, Delivery.id == Bounce.delivery_id)
        .join(Mailing, Mailing.id == Bounce.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .outerjoin(Subscriber, Subscriber.id == Bounce.subscriber_id)
        .where(Bounce.publication_id == publication_id)
        .order_by(Bounce.id.desc())
        .limit(limit)
    )
    conditions = [Bounce.kind == kind] if kind else []
    conditions += [Bounce.id < before] if before else []
    return [Row(*row) for row in session.execute(query.where(and_(True, *conditions)))]


def of_person(session: Session, subscriber_id: int, publication_id: int, limit: int = 5) -> Sequence[Bounce]:
    """What came back from one person's address."""
    query = select(Bounce).where(Bounce.subscriber_id == subscriber_id, Bounce.publication_id == publication_id)
    return session.scalars(query.order_by(Bounce.id.desc()).limit(limit)).all()


def publication_of(session: Session, delivery_id: int) -> int | None:
    """Whose letter a delivery carries."""
    return session.scalar(select(Mailing.publication_id).join(Delivery, Delivery.mailing_id == Mailing.id).where(Delivery.id == delivery_id))


def by_message_id(session: Session, message_id: str, now: datetime, publication_id: int | None = None) -> Delivery | None:
    """A delivery by the Message-ID of its mail, whose first part nobody can guess. Looks through the mailings of the last two weeks."""
    reference = message_id.strip().strip("<>").rpartition("@")[0]
    if not 20 <= len(reference) <= 40:
        return None
    recent = select(Mailing.id).where(Mailing.created_at > now - policy.BELIEVED_FOR)
    recent = recent if publication_id is None else recent.where(Mailing.publication_id == publication_id)
    return session.scalar(select(Delivery).where(Delivery.mailing_id.in_(recent), Delivery.reference == reference).limit(1))


def by_address(session: Session, publication_id: int, canonical: str, now: datetime) -> Delivery | None:
    """The last letter that an address got, not long ago. Only for those whose word is proof by itself."""
    recent = select(Mailing.id).where(Mailing.publication_id == publication_id, Mailing.created_at > now - policy.BELIEVED_FOR)
    query = select(Delivery).where(Delivery.canonical == canonical, Delivery.mailing_id.in_(recent), Delivery.state.in_(("accepted", "uncertain")))
    return session.scalar(query.order_by(Delivery.mailing_id.desc()).limit(1))
