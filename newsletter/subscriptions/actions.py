"""Confirming, leaving, pausing, forgetting what was never confirmed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.channels.queries import origins
from newsletter.forms import queries as forms
from newsletter.forms.models import Form
from newsletter.growth.actions import add, depart
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.mail.headers import guard
from newsletter.notices.actions import queue
from newsletter.orm import insert_into, wave
from newsletter.publications.models import Publication
from newsletter.rendering.merge import clean
from newsletter.shield.models import Held
from newsletter.subscriptions import policy, queries
from newsletter.subscriptions.asking import Setting, Wish, ask_all
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Confirmation, LeaveLink, Subscriber, Subscription, Suppression, Tag
from newsletter.tokens import Tokens, digest, new_secret


@dataclass(frozen=True)
class Request:
    """What a sign-up form sent."""

    email: str
    name: str = ""
    via: str = ""
    network: str = ""
    page: str = ""


def ask(
    session: Session,
    tokens: Tokens,
    links: Links,
    *,
    publication: Publication,
    form: Form,
    request: Request,
    answers: dict[str, str] | None = None,
    now: datetime,
) -> int | None:
    """One sign-up, for a program that has just this one; the pages use :class:`newsletter.subscriptions.desk.Desk`.

    Gives back the notice to send, or nothing. Whoever asked is told the same in every case (A1).

    Raises:
        Refused: this is no mail address.
    """
    wordings = {wording.id: (wording.text, wording.digest) for _, wording in reversed(forms.versions(session, form.id))}
    setting = Setting(publication, form, wordings, origins(session, publication.id), 0.0, 10_000_000, 1000)
    name = clean(guard(request.name, "name"))
    wish = Wish(setting, parse(request.email), name, answers or {}, request.via, request.network, request.page)
    ask_all(session, tokens, links, [wish], now=now)
    return wish.notice_id


def release(session: Session, tokens: Tokens, links: Links, held: Held, *, publication: Publication, now: datetime) -> int | None:
    """An editor says that a person stands behind a sign-up in quarantine: she gets her mail. Gives back the notice."""
    form = session.get_one(Form, held.form_id)
    session.delete(held)
    session.flush()
    request = Request(held.email, held.name, held.via, "", held.page)
    return ask(session, tokens, links, publication=publication, form=form, request=request, answers=dict(held.answers), now=now)


def confirm(
    session: Session, tokens: Tokens, links: Links, *, publication: Publication, form: Form, secret: str, wording_id: int | None = None, now: datetime
) -> Subscription | None:
    """The button was pressed. Nothing when the question was answered before or was never asked.

    Args:
        wording_id: the words that stood on the page with the button.
    """
    used = session.execute(
        update(Confirmation).where(Confirmation.digest == digest(secret), Confirmation.purpose == "confirm", Confirmation.used_at.is_(None)).values(used_at=now)
    )
    found = queries.open_question(session, secret)
    if _rows(used) != 1 or found is None:
        return None
    confirmation, subscription, subscriber = found
    subscription.consent_id = record(
        session,
        subscription,
        kind="confirmed",
        email=subscriber.email,
        how="pressed the button on the confirmation page",
        wording_id=forms.wording_of(session, form, wording_id),
        language=form.language or publication.language,
        at=now,
        form_id=form.id,
    )
    if subscription.state != "active":
        subscription.become("active")
        add(session, publication.id, "joined", now=now, channel_id=subscription.channel_id)
        _thank(session, subscription, now)
    subscription.confirmed_at, subscription.ended_at = now, None
    subscription.paused_at = subscription.paused_until = None
    subscriber.name = confirmation.name or subscriber.name
    subscription.answers = policy.compact(json.loads(subscription.answers) | json.loads(confirmation.answers))
    subscription.tags = with_tags(subscription.tags, [tag(session, publication.id, name) for name in form.tags])
    _lift(session, tokens, publication.id, subscriber.canonical)
    _welcome(session, links, publication, form, subscription, subscriber, now)
    session.flush()
    return subscription


def _thank(session: Session, subscription: Subscription, now: datetime) -> None:
    """She came by another reader's link: that one is told, as a number, and it is forgotten who came."""
    by = session.get(Subscription, subscription.recommended_by) if subscription.recommended_by else None
    if by is not None and by.publication_id == subscription.publication_id and by.id != subscription.id:
        by.recommended += 1
        add(session, subscription.publication_id, "brought", now=now, channel_id=subscription.channel_id)
    subscription.recommended_by = None


def heard(session: Session, *, secret: str, channel_id: int, now: datetime) -> Subscription | None:
    """What a reader says herself about where she heard of it. Saying something else replaces it; nobody but who has just confirmed can.

    Args:
        channel_id: 0 for none of those that we know.
    """
    found = queries.open_question(session, secret)
    if found is None or found[0].used_at is None or found[1].state != "active":
        return None
    subscription = found[1]
    if subscription.heard_id is not None:
        add(session, subscription.publication_id, "heard", now=now, channel_id=subscription.heard_id, number=-1)
    add(session, subscription.publication_id, "heard", now=now, channel_id=channel_id)
    subscription.heard_id = channel_id
    session.flush()
    return subscription


def _lift(session: Session, tokens: Tokens, publication_id: int, canonical: str) -> None:
    """B7: a fresh double opt-in lifts a suppression, of this publication and of a mailbox that was thought dead."""
    here = or_(Suppression.publication_id == publication_id, Suppression.publication_id.is_(None))
    session.execute(delete(Suppression).where(Suppression.fingerprint.in_(tokens.fingerprints("suppression", canonical)), here))


def _welcome(session: Session, links: Links, publication: Publication, form: Form, subscription: Subscription, subscriber: Subscriber, now: datetime) -> None:
    """The first letter, once in a subscription's life."""
    if subscription.welcomed_at is None and form.welcome:
        subscription.welcomed_at = now
        queue(
            session, publication=publication, kind="welcome", recipient=parse(subscriber.email), form_host="", now=now, language=form.language,
            subscription_id=subscription.id, words=form.welcome_text, name=subscriber.name, archive=links.archive(publication.slug),
            preferences=links.preferences(leave_secret(session, subscription.id, now=now)),
        )  # fmt: skip


def leave_secret(session: Session, subscription_id: int, *, now: datetime) -> str:
    """A new address for leaving and for the preferences, for a mail that is no letter."""
    secret = new_secret()
    keep_leave_links(session, [(digest(secret), subscription_id)], now=now)
    return secret


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
    end(session, subscription, subscriber, how=how, now=now)
    return subscription


def end(session: Session, subscription: Subscription, subscriber: Subscriber, *, how: str, now: datetime) -> None:
    """A subscription ends; nobody who left gets anything that is not at the mail server yet (U7)."""
    if subscription.state == "unsubscribed":
        return
    chain = queries.consents_of(session, subscription.id)
    was_reader = subscription.state in ("active", "paused")
    if chain:
        record(
            session, subscription, kind="withdrawn", email=subscriber.email, how=how, wording_id=chain[-1].wording_id, language=chain[-1].language, at=now,
        )  # fmt: skip
    subscription.become("unsubscribed")
    subscription.ended_at, subscription.paused_until, subscription.paused_at = now, None, None
    if was_reader:
        depart(session, subscription.publication_id, channel_id=subscription.channel_id, joined_at=subscription.confirmed_at, now=now)
    session.flush()


def wrote_back(session: Session, subscription: Subscription, *, now: datetime) -> None:
    """A reader answered a letter. The first time counts for the channel that brought her."""
    if subscription.answered_at is None:
        add(session, subscription.publication_id, "answered", now=now, channel_id=subscription.channel_id)
    subscription.answered_at = now
    session.flush()


def pause(session: Session, subscription: Subscription, *, until: datetime | None, now: datetime) -> None:
    """Nothing comes until then; without a day, until she says so.

    Raises:
        Conflict: the subscription has ended, or never began.
    """
    if subscription.state != "paused":
        subscription.become("paused")
        subscription.paused_at = now
    subscription.paused_until = until
    session.flush()


def resume(session: Session, subscription: Subscription) -> None:
    """The pause is over.

    Raises:
        Conflict: there is none.
    """
    if subscription.state == "paused":
        subscription.become("active")
    subscription.paused_until = None
    session.flush()


def wake(session: Session, *, now: datetime) -> int:
    """Everybody whose pause is over gets the next letter again; gives back how many."""
    over = Subscription.paused_until.is_not(None), Subscription.paused_until <= now, Subscription.state == "paused"
    return _rows(session.execute(update(Subscription).where(*over).values(state="active", paused_until=None).execution_options(synchronize_session=False)))


def suppress(session: Session, tokens: Tokens, *, canonical: str, reason: str, publication_id: int | None = None, now: datetime) -> None:
    """Never mail this address again. Only a keyed hash of it is stored (L5).

    Args:
        reason: dead and full hold for everybody, all else for one publication.
    """
    fingerprints = tokens.fingerprints("suppression", canonical)
    same = Suppression.publication_id.is_(None) if publication_id is None else Suppression.publication_id == publication_id
    if not session.scalar(select(Suppression.id).where(Suppression.fingerprint.in_(fingerprints), same)):
        session.add(Suppression(fingerprint=fingerprints[0], publication_id=publication_id, reason=reason, created_at=now))
        session.flush()


def tag(session: Session, publication_id: int, name: str) -> int:
    """The number of a tag, made when it is new."""
    name = " ".join(name.replace(",", " ").split())[:60]
    query = select(Tag.id).where(Tag.publication_id == publication_id, Tag.name == name)
    found = session.scalar(query)
    if found is None:
        session.execute(insert_into(session, Tag).values(publication_id=publication_id, name=name).on_conflict_do_nothing())
        found = session.scalars(query).one()
    return found


def with_tags(stored: str, add: Iterable[int] = (), without: Iterable[int] = ()) -> str:
    """The stored tags of somebody, some more and some fewer."""
    numbers = ({int(one) for one in stored.split(",") if one} | set(add)) - set(without)
    return f",{','.join(map(str, sorted(numbers)))}," if numbers else ""


def forget_unconfirmed(session: Session, *, now: datetime, after: timedelta = timedelta(days=7)) -> int:
    """Delete sign-ups that nobody confirmed in time (L4), and what waits in quarantine; give back how many."""
    old = select(Subscription.id, Subscription.subscriber_id).where(Subscription.state == "pending", Subscription.asked_at < now - after).limit(500)
    stale = {row[0]: row[1] for row in session.execute(old)}
    session.execute(delete(Subscription).where(Subscription.id.in_(stale)))
    session.execute(delete(Confirmation).where(Confirmation.created_at < now - after - timedelta(days=1)))
    session.execute(delete(Held).where(Held.created_at < now - after))
    forget_strays(session, stale.values())
    return len(stale)


def forget_strays(session: Session, subscribers: Iterable[int]) -> None:
    """Delete those of some people who subscribe to nothing any more."""
    readers = select(Subscription.subscriber_id).where(Subscription.subscriber_id == Subscriber.id).exists()
    session.execute(delete(Subscriber).where(Subscriber.id.in_(set(subscribers)), ~readers).execution_options(synchronize_session=False))


def question_link(session: Session, tokens: Tokens, subscription: Subscription, *, purpose: str, email: str = "", now: datetime) -> str:
    """A token for a link that only the owner of a mailbox gets; see :class:`Confirmation`."""
    secret = new_secret()
    session.add(Confirmation(subscription_id=subscription.id, digest=digest(secret), purpose=purpose, email=email, created_at=now))
    session.flush()
    return tokens.sign(purpose, secret)


def host_of(links: Links) -> str:
    """The host that stands in the Form-Sub field of a mail that a form asked for (A1)."""
    return urlsplit(links.base).hostname or "localhost"


def _rows(result: object) -> int:
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
