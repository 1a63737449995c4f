"""Writing down what came back, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from newsletter.accounts.queries import owners_of
from newsletter.bounces import policy, queries
from newsletter.bounces.models import Bounce
from newsletter.deliveries.actions import set_back
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.i18n import mark
from newsletter.links import Links
from newsletter.mail.incoming.reasons import reason_for
from newsletter.mail.replies import Reply, classify
from newsletter.notices.actions import tell
from newsletter.orm import insert_into, take_turns
from newsletter.publications.models import Publication
from newsletter.subscriptions.actions import end, suppress
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.tokens import Tokens

Source = Literal["reply", "mail", "event"]

# Two workers must not count to three at the same time.
TURN = 7264840


@dataclass(frozen=True)
class Report:
    """What somebody said about one delivery.

    Args:
        kind: a class of RULES B2, or "complaint".
        status: the enhanced status code, or nothing.
        code: the basic reply code, or 0.
        text: the server's words.
    """

    kind: str
    reason: str = ""
    status: str = ""
    code: int = 0
    text: str = ""


def note(
    session: Session, tokens: Tokens, links: Links, *, delivery_id: int, report: Report, source: Source, no_such_domain: bool | None = None, now: datetime
) -> str | None:
    """Write down what came back, and do what follows. The same thing said twice counts once.

    Args:
        no_such_domain: what a look into the DNS said about the address, where one was taken (B6).

    Gives back the consequence for the address ("dead", "full", "complaint" or nothing), and None when there was nothing new.
    """
    take_turns(session, TURN)
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        return None
    mailing = session.get_one(Mailing, delivery.mailing_id)
    strong = policy.is_strong(report.kind, report.status, no_such_domain=no_such_domain)
    values = {
        "publication_id": mailing.publication_id, "mailing_id": mailing.id, "delivery_id": delivery.id, "subscriber_id": delivery.subscriber_id,
        "provider": delivery.provider, "at": now, "kind": report.kind, "reason": report.reason[:30], "source": source, "status": report.status[:12],
        "code": report.code or None, "text": report.text[:500], "strong": strong, "consequence": "",
    }  # fmt: skip
    number = session.scalar(insert_into(session, Bounce).values(values).on_conflict_do_nothing().returning(Bounce.id))
    if number is None:
        return None
    bounce = session.get_one(Bounce, number)
    bounce.consequence = _complained(session, tokens, delivery, mailing, now) if report.kind == "complaint" else _failed(session, tokens, delivery, now)
    session.flush()
    _alarm(session, links, mailing, delivery.provider, report, now)
    return bounce.consequence


def _complained(session: Session, tokens: Tokens, delivery: Delivery, mailing: Mailing, now: datetime) -> str:
    """B5: out at once, and nothing is sent about it."""
    if delivery.canonical:
        suppress(session, tokens, canonical=delivery.canonical, reason="complaint", publication_id=mailing.publication_id, now=now)
    subscription = session.get(Subscription, delivery.subscription_id) if delivery.subscription_id else None
    subscriber = session.get(Subscriber, delivery.subscriber_id) if delivery.subscriber_id else None
    if subscription is not None and subscriber is not None and subscription.publication_id == mailing.publication_id:
        end(session, subscription, subscriber, how="reported a letter as spam", now=now)
    return "complaint"


def _failed(session: Session, tokens: Tokens, delivery: Delivery, now: datetime) -> str:
    if not delivery.canonical or delivery.subscriber_id is None:
        return ""
    reason = policy.consequence(queries.history(session, delivery.subscriber_id, now))
    if reason:
        suppress(session, tokens, canonical=delivery.canonical, reason=reason, now=now)
    return reason


def _alarm(session: Session, links: Links, mailing: Mailing, provider: str, report: Report, now: datetime) -> None:
    """Tell the owners, once: that letters are refused for what they say, or that too many complain (B6, D4)."""
    publication = session.get_one(Publication, mailing.publication_id)
    if report.kind in ("content", "sender"):
        if queries.count(session, mailing.id, ("content", "sender")) == policy.ALARM_AT:
            tell(
                session, publication, "filtered", owners_of(session, publication.id), now=now, subject=str(mailing.content["subject"]), reply=report.text[:300],
                provider=provider, link=links.returns(publication.slug),
            )  # fmt: skip
        return
    if report.kind == "complaint" and mailing.state == "sending":
        for accepted, complaints in (queries.share(session, mailing.id), queries.share(session, mailing.id, provider)):
            if policy.too_many_complaints(complaints, accepted) == "stop":
                set_back(session, mailing.id, links, why=mark("Too many readers report this letter as spam."), stop=True, now=now)


def note_refusals(session: Session, tokens: Tokens, links: Links, *, domains_gone: set[str], now: datetime, limit: int = 200) -> int:
    """What mail servers said at hand-over counts like a mail that comes back (S1, B2).

    Args:
        domains_gone: domains of which the DNS says, asked just now, that there are none.

    Gives back how many were new.
    """
    found = queries.unnoted(session, now, limit)
    for row in found:
        domain = row.canonical.rpartition("@")[2]
        gone = None if row.enhanced not in policy.ASK_THE_DNS else domain in domains_gone
        note(session, tokens, links, delivery_id=row.id, report=report_of(row), source="reply", no_such_domain=gone, now=now)
    return len(found)


def report_of(row: Delivery) -> Report:
    """What the reply means with which a delivery ended."""
    reply = Reply(row.code or 0, row.reply)
    reason = reason_for(row.reply, code=row.code or 0, status=row.enhanced, final=row.state == "refused").name
    kind = classify(reply) if row.code else "temporary"
    return Report(kind, reason, row.enhanced, row.code or 0, row.reply)
