"""Asking, confirming, leaving, forgetting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.accounts.actions import count
from newsletter.channels.queries import Origin, origin
from newsletter.links import Links
from newsletter.mail.addresses import Address, mailbox_key, parse
from newsletter.mail.headers import guard
from newsletter.notices.actions import queue
from newsletter.orm import wave
from newsletter.publications.models import Publication
from newsletter.rendering.merge import clean
from newsletter.subscriptions import policy, queries
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Confirmation, Form, LeaveLink, Subscriber, Subscription, Suppression
from newsletter.tokens import Tokens, digest, new_secret


@dataclass(frozen=True)
class Request:
    """What a sign-up form sent."""

    email: str
    name: str = ""
    via: str = ""
    network: str = ""
    page: str = ""


def add_form(
    session: Session,
    *,
    publication: Publication,
    name: str,
    headline: str,
    lead: str,
    button: str = "",
    consent: str = "",
    ask_name: bool = False,
    now: datetime,
) -> int:
    """Add a sign-up form; give back its id."""
    form = Form(
        publication_id=publication.id,
        name=name,
        headline=headline,
        lead=lead,
        button=button or policy.BUTTON[publication.language],
        consent=consent or policy.CONSENT[publication.language].format(name=publication.name),
        ask_name=ask_name,
        created_at=now,
    )
    session.add(form)
    session.flush()
    return form.id


def ask(session: Session, tokens: Tokens, links: Links, *, publication: Publication, form: Form, request: Request, now: datetime) -> int | None:
    """Somebody typed an address into a form. Gives back the notice to send, or nothing.

    The caller answers the same in every case: whether an address was known, suppressed or asked for too
    often stays between us and its owner (A1).

    Raises:
        Refused: this is no mail address.
    """
    address = parse(request.email)
    name = clean(guard(request.name, "name"))
    if _too_many(session, tokens, address, request.network, now):
        return None
    subscriber, subscription = _find_or_add(session, publication.id, address, origin(session, publication.id, request.via), now)
    if subscription.state in ("active", "paused"):
        return _say_already(session, tokens, links, publication, address, now)
    if _asked_just_now(session, subscription.id, now) or _mailbox_is_full_of_us(session, tokens, address, now):
        return None
    return _send_question(session, tokens, links, publication, form, subscription, subscriber, address, name, request, now)


def _too_many(session: Session, tokens: Tokens, address: Address, network: str, now: datetime) -> bool:
    window, limit = policy.EVERYBODY
    if count(session, key="sign-up:everybody", window=window, now=now) > limit:
        return True
    window, limit = policy.PER_NETWORK
    return bool(network) and count(session, key=f"sign-up:{_short(tokens, network)}", window=window, now=now) > limit


def _mailbox_is_full_of_us(session: Session, tokens: Tokens, address: Address, now: datetime) -> bool:
    key = _short(tokens, mailbox_key(address.canonical))
    numbers = [count(session, key=f"ask:{window.days}:{key}", window=window, now=now) for window, _ in policy.PER_MAILBOX]
    return any(number > limit for number, (_, limit) in zip(numbers, policy.PER_MAILBOX, strict=True))


def _short(tokens: Tokens, value: str) -> str:
    return tokens.fingerprints("throttle", value)[0][:40]


def _find_or_add(session: Session, publication_id: int, address: Address, came: Origin, now: datetime) -> tuple[Subscriber, Subscription]:
    subscriber = session.scalar(select(Subscriber).where(Subscriber.canonical == address.canonical))
    if subscriber is None:
        subscriber = Subscriber(email=address.text, canonical=address.canonical, created_at=now)
        session.add(subscriber)
        session.flush()
    query = select(Subscription).where(Subscription.subscriber_id == subscriber.id, Subscription.publication_id == publication_id)
    subscription = session.scalar(query)
    if subscription is None:
        subscription = Subscription(subscriber_id=subscriber.id, publication_id=publication_id, channel_id=came.channel_id, link_id=came.link_id, asked_at=now)
        session.add(subscription)
    elif subscription.state in ("pending", "unsubscribed") and came.channel_id:
        subscription.channel_id, subscription.link_id = came.channel_id, came.link_id
    session.flush()
    return subscriber, subscription


def _say_already(session: Session, tokens: Tokens, links: Links, publication: Publication, address: Address, now: datetime) -> int | None:
    key = f"already:{_short(tokens, mailbox_key(address.canonical))}"
    if count(session, key=key, window=policy.ALREADY_NOTICE, now=now) > 1:
        return None
    return queue(session, publication=publication, kind="already", recipient=address, form_host=_host(links), now=now).id


def _host(links: Links) -> str:
    return urlsplit(links.base).hostname or "localhost"


def _asked_just_now(session: Session, subscription_id: int, now: datetime) -> bool:
    since = now - policy.ASK_AGAIN_AFTER
    query = select(func.count()).select_from(Confirmation)
    query = query.where(Confirmation.subscription_id == subscription_id, Confirmation.used_at.is_(None), Confirmation.created_at > since)
    return bool(session.scalar(query))


def _send_question(
    session: Session, tokens: Tokens, links: Links, publication: Publication, form: Form,
    subscription: Subscription, subscriber: Subscriber, address: Address, name: str, request: Request, now: datetime,
) -> int:  # fmt: skip
    secret = new_secret()
    session.add(Confirmation(subscription_id=subscription.id, digest=digest(secret), name=name, created_at=now))
    subscription.asked_at = now
    link = links.confirm(tokens.sign("confirm", secret))
    notice = queue(session, publication=publication, kind="confirm", recipient=address, form_host=_host(links), now=now, link=link)
    record(
        session,
        subscription,
        kind="asked",
        email=subscriber.email,
        how="typed into the form",
        wording=form.consent,
        language=publication.language,
        at=now,
        form_id=form.id,
        page=request.page,
        channel=origin(session, publication.id, request.via).name,
        message_id=notice.message_id,
    )
    return notice.id


def confirm(session: Session, tokens: Tokens, *, publication: Publication, form: Form, secret: str, now: datetime) -> bool:
    """The button was pressed. False when the question was answered before or was never asked."""
    used = session.execute(update(Confirmation).where(Confirmation.digest == digest(secret), Confirmation.used_at.is_(None)).values(used_at=now))
    assert isinstance(used, CursorResult)
    found = queries.open_question(session, secret)
    if used.rowcount != 1 or found is None:
        return False
    confirmation, subscription, subscriber = found
    consent_id = record(
        session,
        subscription,
        kind="confirmed",
        email=subscriber.email,
        how="pressed the button on the confirmation page",
        wording=form.consent,
        language=publication.language,
        at=now,
        form_id=form.id,
    )
    subscription.consent_id = consent_id
    if subscription.state != "active":
        subscription.become("active")
    subscription.confirmed_at, subscription.ended_at = now, None
    if confirmation.name:
        subscriber.name = confirmation.name
    # B7: a fresh double opt-in lifts a suppression.
    session.execute(delete(Suppression).where(Suppression.fingerprint.in_(tokens.fingerprints("suppression", subscriber.canonical))))
    session.flush()
    return True


def keep_leave_links(session: Session, links: Sequence[tuple[str, int]], *, now: datetime) -> None:
    """Store the unsubscribe addresses of mails that are about to leave: pairs of digest and subscription."""
    if links:
        sql = "INSERT INTO leave_links (digest, subscription_id, created_at) SELECT vdigest, vsub, :now FROM {v}"
        wave(session, sql, "vdigest text, vsub bigint", links, now=now)


def leave(session: Session, *, secret: str, how: str, now: datetime) -> Subscription | None:
    """Somebody leaves. Doing it twice is the same as doing it once; an unknown link does nothing (U6)."""
    found = queries.by_leave_link(session, secret)
    if found is None:
        return None
    subscription, subscriber = found
    session.execute(update(LeaveLink).where(LeaveLink.digest == digest(secret), LeaveLink.used_at.is_(None)).values(used_at=now))
    if subscription.state == "unsubscribed":
        return subscription
    chain = queries.consents_of(session, subscription.id)
    last = chain[-1] if chain else None
    record(
        session,
        subscription,
        kind="withdrawn",
        email=subscriber.email,
        how=how,
        wording=last.wording if last else "",
        language=last.language if last else "de",
        at=now,
    )
    subscription.become("unsubscribed")
    subscription.ended_at = now
    session.flush()
    return subscription


def suppress(session: Session, tokens: Tokens, *, canonical: str, reason: str, now: datetime) -> None:
    """Never mail this address again. Only a keyed hash of it is stored (L5)."""
    fingerprints = tokens.fingerprints("suppression", canonical)
    if not session.scalar(select(Suppression.id).where(Suppression.fingerprint.in_(fingerprints))):
        session.add(Suppression(fingerprint=fingerprints[0], reason=reason, created_at=now))
        session.flush()


def forget_unconfirmed(session: Session, *, now: datetime) -> int:
    """Delete sign-ups that nobody confirmed in time (L4); give back how many."""
    stale = list(session.scalars(select(Subscription.id).where(Subscription.state == "pending", Subscription.asked_at < now - policy.FORGET_AFTER).limit(500)))
    session.execute(delete(Subscription).where(Subscription.id.in_(stale)))
    session.execute(delete(Confirmation).where(Confirmation.created_at < now - policy.FORGET_AFTER - timedelta(days=1)))
    orphans = (
        select(Subscriber.id)
        .outerjoin(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.id.is_(None), Subscriber.created_at < now - policy.FORGET_AFTER)
    )
    session.execute(delete(Subscriber).where(Subscriber.id.in_(orphans)).execution_options(synchronize_session=False))
    return len(stale)
