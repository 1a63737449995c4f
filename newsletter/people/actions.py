"""What people decide about themselves, and what is done to many of them at once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import String, cast, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from newsletter.bounces.models import Bounce
from newsletter.conversations.forgetting import forget, hand_on
from newsletter.deliveries.models import Attempt, Delivery, Mailing
from newsletter.errors import Refused
from newsletter.forms.actions import wording as wording_of
from newsletter.growth.actions import depart
from newsletter.i18n import mark
from newsletter.imports.models import RefusedRow
from newsletter.inbound.models import Arrival
from newsletter.links import Links
from newsletter.mail.addresses import Address, parse
from newsletter.notices.actions import queue
from newsletter.notices.models import Notice
from newsletter.people import queries
from newsletter.people.models import Stroke
from newsletter.people.queries import Person
from newsletter.publications.models import Publication
from newsletter.shield.models import Held
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions import policy
from newsletter.subscriptions.consents import record
from newsletter.subscriptions.models import Confirmation, Consent, Proof, Subscriber, Subscription
from newsletter.subscriptions.queries import consents_of
from newsletter.tokens import Tokens, digest

PAUSES = {"week": timedelta(days=7), "month": timedelta(days=30)}
LONGEST_PAUSE = timedelta(days=366)
KINDS = ("tag", "untag", "pause", "leave")
MOST_AT_ONCE = 50_000


def send_key(session: Session, tokens: Tokens, links: Links, one: Person, *, now: datetime) -> int:
    """A mail to somebody's own address with a link that opens everything about her for an hour (L9). Gives back the notice."""
    token = subscriptions.question_link(session, tokens, one.subscription, purpose="key", now=now)
    notice = queue(
        session, publication=one.publication, kind="key", recipient=parse(one.subscriber.email), form_host=subscriptions.host_of(links), now=now,
        language=one.subscription.language, subscription_id=one.subscription.id, link=links.preferences(token),
    )  # fmt: skip
    return notice.id


def ask_to_move(session: Session, tokens: Tokens, links: Links, one: Person, address: Address, *, now: datetime) -> int | None:
    """A mail to the new address; until its button is pressed the old one holds (Art. 16 GDPR, L9). Gives back the notice.

    Whether the new address reads along already is nobody else's business: then nothing happens.
    """
    if address.canonical == one.subscriber.canonical or _reads(session, one.publication.id, address.canonical):
        return None
    token = subscriptions.question_link(session, tokens, one.subscription, purpose="move", email=address.text, now=now)
    notice = queue(
        session, publication=one.publication, kind="move", recipient=address, form_host=subscriptions.host_of(links), now=now,
        language=one.subscription.language, subscription_id=one.subscription.id, link=links.move(token),
    )  # fmt: skip
    return notice.id


def move(session: Session, *, secret: str, now: datetime) -> Person | None:
    """The button at the new address was pressed. Nothing when it was pressed before, or the address is taken by now."""
    question = session.scalar(select(Confirmation).where(Confirmation.digest == digest(secret), Confirmation.purpose == "move").with_for_update())
    if question is None or question.used_at is not None:
        return None
    question.used_at = now
    one = queries.person(session, question.subscription_id)
    address = parse(question.email)
    if _reads(session, one.publication.id, address.canonical):
        return None
    chain = consents_of(session, one.subscription.id)
    if chain:
        record(
            session, one.subscription, kind="changed", email=address.text, how="pressed the button on the page for the new address",
            wording_id=chain[-1].wording_id, language=chain[-1].language, at=now,
        )  # fmt: skip
    _give_address(session, one, address, now)
    return queries.person(session, one.subscription.id)


def _give_address(session: Session, one: Person, address: Address, now: datetime) -> None:
    others = session.scalar(select(func.count()).select_from(Subscription).where(Subscription.subscriber_id == one.subscriber.id)) or 0
    taken = session.scalar(select(Subscriber).where(Subscriber.canonical == address.canonical))
    if others == 1 and taken is None:
        one.subscriber.email, one.subscriber.canonical = address.text, address.canonical
        session.flush()
        return
    if taken is None:
        taken = Subscriber(email=address.text, canonical=address.canonical, name=one.subscriber.name, created_at=now)
        session.add(taken)
        session.flush()
    old, one.subscription.subscriber_id = one.subscriber.id, taken.id
    session.execute(update(Delivery).where(Delivery.subscriber_id == old, Delivery.subscription_id == one.subscription.id).values(subscriber_id=taken.id))
    hand_on(session, one.publication.id, old, taken.id)
    session.flush()
    subscriptions.forget_strays(session, [old])


def _reads(session: Session, publication_id: int, canonical: str) -> bool:
    query = select(Subscription.id).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    return session.scalar(query.where(Subscriber.canonical == canonical, Subscription.publication_id == publication_id)) is not None


def erase(session: Session, tokens: Tokens, one: Person, *, years: int, reason: str = "erased", now: datetime) -> str:
    """Forget somebody in one publication (Art. 17 GDPR, L5). Gives back the keyed hash of the address, which is all that stays.

    What stays with it: that and when she consented and with which words, until claims have lapsed; and that she is not to
    be written to. What the ledger counts stays a number without a person.
    """
    canonical, fingerprint = one.subscriber.canonical, tokens.fingerprints("suppression", one.subscriber.canonical)[0]
    if one.subscription.state in ("active", "paused"):
        depart(session, one.publication.id, channel_id=one.subscription.channel_id, joined_at=one.subscription.confirmed_at, now=now)
    _keep_proof(session, one, fingerprint, policy.keep_proof_until(one.subscription.ended_at or now, years), now)
    _forget_ledger(session, one, canonical)
    _forget_mail(session, one, canonical, now)
    for model, where in (
        (Notice, Notice.subscription_id == one.subscription.id),
        (Held, (Held.canonical == canonical) & (Held.publication_id == one.publication.id)),
    ):
        session.execute(delete(model).where(where))
    session.execute(delete(Notice).where(Notice.publication_id == one.publication.id, func.lower(Notice.recipient) == canonical))
    session.execute(delete(RefusedRow).where(func.lower(RefusedRow.email) == canonical))
    # The trigger that guards consents lets them go only with a subscription that is nobody's any more.
    session.execute(update(Subscription).where(Subscription.id == one.subscription.id).values(state="unsubscribed", consent_id=None, confirmed_at=None))
    session.execute(delete(Consent).where(Consent.subscription_id == one.subscription.id))
    session.execute(delete(Subscription).where(Subscription.id == one.subscription.id))
    subscriptions.forget_strays(session, [one.subscriber.id])
    if reason:
        subscriptions.suppress(session, tokens, canonical=canonical, reason=reason, publication_id=one.publication.id, now=now)
    session.expire_all()
    return fingerprint


def _keep_proof(session: Session, one: Person, fingerprint: str, keep_until: datetime, now: datetime) -> None:
    rows = [
        {
            "publication_id": one.publication.id, "fingerprint": fingerprint, "kind": row.kind, "at": row.at, "wording_id": row.wording_id,
            "how": row.how, "digest": row.digest, "keep_until": keep_until,
        }
        for row in consents_of(session, one.subscription.id)
    ]  # fmt: skip
    if rows and keep_until > now:
        session.execute(insert(Proof), rows)


def _forget_ledger(session: Session, one: Person, canonical: str) -> None:
    """The numbers of a mailing stay true (I1); whom they count is forgotten. A sender who holds a row finds nobody to hand it over for (I6)."""
    mine = select(Mailing.id).where(Mailing.publication_id == one.publication.id)
    ids = list(session.scalars(select(Delivery.id).where(Delivery.subscriber_id == one.subscriber.id, Delivery.mailing_id.in_(mine))))
    if not ids:
        return
    session.execute(update(Attempt).where(Attempt.delivery_id.in_(ids)).values(reply=""))
    session.execute(update(Bounce).where(Bounce.delivery_id.in_(ids)).values(subscriber_id=None, text=""))
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(subscriber_id=None, subscription_id=None, canonical=literal("erased:") + cast(Delivery.id, String), reply="")
        .execution_options(synchronize_session=False)
    )


def _forget_mail(session: Session, one: Person, canonical: str, now: datetime) -> None:
    """What she wrote to us, with the bytes that it came in."""
    arrivals = forget(session, one.publication.id, subscriber_id=one.subscriber.id, canonical=canonical, now=now)
    here = or_(Arrival.publication_id == one.publication.id, Arrival.publication_id.is_(None))
    session.execute(delete(Arrival).where(or_(Arrival.id.in_(arrivals), (Arrival.sender == canonical) & here)))


def erase_by_fingerprints(session: Session, tokens: Tokens, wanted: set[tuple[int, str]], *, years: int, now: datetime) -> int:
    """After an older copy of the database was put back: forget those again who were forgotten since (L5). Gives back how many."""
    found = 0
    rows = session.execute(
        select(Subscription.id, Subscription.publication_id, Subscriber.canonical).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    )
    for subscription_id, publication_id, canonical in rows.all():
        if any((publication_id, one) in wanted for one in tokens.fingerprints("suppression", canonical)):
            erase(session, tokens, queries.person(session, subscription_id), years=years, now=now)
            found += 1
    return found


def forget_the_old(session: Session, tokens: Tokens, *, years: int, now: datetime, limit: int = 200) -> int:
    """Whoever left so long ago that nobody can claim anything is deleted, and every proof that is not needed any more (L5)."""
    session.execute(delete(Proof).where(Proof.keep_until <= now))
    over = datetime(now.astimezone(UTC).year - years, 1, 1, tzinfo=UTC)
    old = select(Subscription.id).where(
        Subscription.state == "unsubscribed", Subscription.ended_at < over, Subscription.publication_id.in_(select(Publication.id))
    )
    ids = list(session.scalars(old.limit(limit)))
    for subscription_id in ids:
        erase(session, tokens, queries.person(session, subscription_id), years=years, reason="", now=now)
    return len(ids)


def agree_to_clicks(session: Session, one: Person, *, agreed: bool, wording: str, language: str, now: datetime) -> None:
    """She lets us count which links are followed, or takes that back; either is a step of her consent (L8)."""
    if agreed == (one.subscription.clicks_agreed_at is not None):
        return
    one.subscription.clicks_agreed_at = now if agreed else None
    how = "agreed to counted links on the preference page" if agreed else "took back counted links on the preference page"
    record(session, one.subscription, kind="changed", email=one.subscriber.email, how=how, wording_id=wording_of(session, wording), language=language, at=now)
    session.flush()


def pause_until(choice: str, day: str, zone_now: datetime) -> datetime | None:
    """When a pause ends: a week, a month, or at the beginning of a day in the publication's time zone.

    Raises:
        Refused: that is no day, it is over, or it is more than a year away.
    """
    if choice in PAUSES:
        return zone_now + PAUSES[choice]
    try:
        found = datetime.fromisoformat(day).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=zone_now.tzinfo)
    except ValueError as error:
        raise Refused(mark("Please choose a day on which the letter shall come again."), field="until") from error
    if not zone_now < found <= zone_now + LONGEST_PAUSE:
        raise Refused(mark("The day should lie between tomorrow and a year from now."), field="until")
    return found


def strike(
    session: Session, publication: Publication, *, kind: str, ids: Sequence[int], tag: str = "", editor_id: int, how: str, now: datetime
) -> Stroke | None:
    """Do something to many people at once; nothing when it changes nobody.

    Raises:
        Refused: there is no such act, or its tag has no name.
    """
    if kind not in KINDS or (kind in ("tag", "untag") and not tag.strip()):
        raise Refused(mark("Please say what should happen, and with which tag."), field="kind")
    tag_id = subscriptions.tag(session, publication.id, tag) if kind in ("tag", "untag") else None
    rows = session.scalars(select(Subscription).where(Subscription.publication_id == publication.id, Subscription.id.in_(ids[:MOST_AT_ONCE]))).all()
    before = [was for row in rows if (was := _strike_one(session, row, kind, tag_id, how, now)) is not None]
    if not before:
        return None
    stroke = Stroke(publication_id=publication.id, editor_id=editor_id, kind=kind, tag_id=tag_id, before=before, at=now)
    session.add(stroke)
    session.flush()
    return stroke


def _strike_one(session: Session, row: Subscription, kind: str, tag_id: int | None, how: str, now: datetime) -> list[object] | None:
    was: list[object] = [row.id, row.state, row.tags]
    if kind in ("tag", "untag"):
        assert tag_id is not None
        row.tags = subscriptions.with_tags(row.tags, *(([tag_id], ()) if kind == "tag" else ((), [tag_id])))
        return was if row.tags != was[2] else None
    if kind == "pause" and row.state == "active":
        subscriptions.pause(session, row, until=now + PAUSES["month"], now=now)
        return was
    if kind == "leave" and row.state in ("active", "paused", "pending"):
        subscriptions.end(session, row, session.get_one(Subscriber, row.subscriber_id), how=how, now=now)
        return was
    return None


def take_back(session: Session, stroke: Stroke, *, how: str, now: datetime) -> int:
    """Make an act on many undone. Who has decided something herself in the meantime keeps what she decided. Gives back how many changed."""
    changed = 0
    for subscription_id, state, tags in stroke.before:
        row = session.get(Subscription, subscription_id)
        if row is None:
            continue
        if stroke.tag_id is not None:
            had = str(stroke.tag_id) in tags.split(",")
            row.tags = subscriptions.with_tags(row.tags, [stroke.tag_id]) if had else subscriptions.with_tags(row.tags, (), [stroke.tag_id])
            changed += 1
        elif stroke.kind == "pause" and row.state == "paused":
            subscriptions.resume(session, row)
            changed += 1
        elif stroke.kind == "leave" and row.state == "unsubscribed" and row.ended_at == stroke.at:
            _bring_back(session, row, state, how, now)
            changed += 1
    stroke.undone_at = now
    session.flush()
    return changed


def _bring_back(session: Session, row: Subscription, state: str, how: str, now: datetime) -> None:
    """The founder took somebody out and takes that back. Her own consent was never withdrawn by her, and the chain says what happened."""
    subscriber = session.get_one(Subscriber, row.subscriber_id)
    chain = consents_of(session, row.id)
    if chain:
        record(session, row, kind="changed", email=subscriber.email, how=how, wording_id=chain[-1].wording_id, language=chain[-1].language, at=now)
    if state in ("active", "paused"):
        # Taken off the day on which it was counted, however much later that is.
        depart(session, row.publication_id, channel_id=row.channel_id, joined_at=row.confirmed_at, now=row.ended_at or now, number=-1)
    row.state, row.ended_at = state, None
