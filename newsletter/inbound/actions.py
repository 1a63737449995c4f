"""Taking in: first the bytes are safe, then somebody looks at them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from newsletter.conversations.models import Message
from newsletter.errors import Conflict, NotFound
from newsletter.i18n import mark
from newsletter.inbound import policy
from newsletter.inbound.models import PROVIDERS, Arrival, ArrivalBytes, UsedToken
from newsletter.mail.incoming.letter import visible
from newsletter.mail.incoming.mime import Fields
from newsletter.mail.incoming.verdict import address_of
from newsletter.orm import insert_into

Outcome = Literal["done", "quarantined"]


def keep(
    session: Session, raw: bytes, *, door: str, envelope_from: str = "", envelope_to: Sequence[str] = (), publication_id: int | None = None, now: datetime
) -> int | None:
    """Store what came in; gives back its number, or nothing when the same bytes are here already.

    Args:
        door: pipe, smtp, lmtp, imap or the name of a provider.
        publication_id: whose mailbox or webhook it was, where that is known.
    """
    head = raw[:65536].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    fields = Fields(b"" if door in PROVIDERS else head)
    values = {
        "publication_id": publication_id, "door": door, "sha256": hashlib.sha256(raw).hexdigest(), "envelope_from": envelope_from[:320],
        "envelope_to": [one[:320] for one in envelope_to][:100], "sender": address_of(fields.get("from"))[:254],
        "subject": visible(fields.words("subject"))[:200],
        "size": len(raw), "received_at": now, "state": "new", "kind": "", "why": "", "attempts": 0, "next_attempt_at": now,
    }  # fmt: skip
    number = session.scalar(insert_into(session, Arrival).values(values).on_conflict_do_nothing().returning(Arrival.id))
    if number is not None:
        session.add(ArrivalBytes(arrival_id=number, raw=raw))
        session.flush()
    return number


def settle(session: Session, arrival: Arrival, outcome: Outcome, *, kind: str, why: str = "", publication_id: int | None = None) -> None:
    """It was understood, or is left for a person to look at."""
    arrival.state, arrival.kind, arrival.why = outcome, kind[:12], why[:500]
    arrival.publication_id = arrival.publication_id or publication_id
    session.flush()


def put_off(session: Session, arrival_id: int, *, why: str, now: datetime) -> None:
    """It could not be understood, or the database was in the way. It stays where it is, and says why (B4)."""
    arrival = session.get_one(Arrival, arrival_id)
    if arrival.state != "new":
        return
    arrival.attempts += 1
    arrival.why = why[:500]
    pause = policy.next_try(arrival.attempts)
    if pause is None:
        arrival.state = "failed"
    else:
        arrival.next_attempt_at = now + pause


def again(session: Session, arrival_id: int, *, now: datetime) -> None:
    """A person wants it to be looked at once more.

    Raises:
        NotFound: it is not there any more.
        Conflict: its bytes were deleted, or it was understood.
    """
    arrival = session.get(Arrival, arrival_id)
    if arrival is None:
        raise NotFound(mark("This mail is not there any more."))
    if arrival.state not in ("failed", "quarantined") or session.get(ArrivalBytes, arrival_id) is None:
        raise Conflict(mark("This mail was looked at already."))
    arrival.state, arrival.attempts, arrival.next_attempt_at = "new", 0, now
    session.flush()


def throw_away(session: Session, arrival_id: int) -> None:
    """A person has looked, and does not want to keep it."""
    session.execute(delete(Arrival).where(Arrival.id == arrival_id, Arrival.state.in_(("failed", "quarantined"))))


def use_token(session: Session, hook_id: int, token: str, *, now: datetime) -> bool:
    """Whether a token of a provider was never used before (B8)."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    query = insert_into(session, UsedToken).values(hook_id=hook_id, token=digest, at=now).on_conflict_do_nothing().returning(UsedToken.hook_id)
    return session.scalar(query) is not None


def forget(session: Session, *, now: datetime) -> int:
    """Bytes that say nothing any more go; those of conversations stay as long as the conversation. Gives back how many went."""
    used = exists().where(Message.arrival_id == Arrival.id)
    old = select(Arrival.id).where(Arrival.state == "done", Arrival.received_at < now - policy.KEPT, ~used)
    gone = session.scalars(old.where(exists().where(ArrivalBytes.arrival_id == Arrival.id)).limit(500)).all()
    session.execute(delete(ArrivalBytes).where(ArrivalBytes.arrival_id.in_(gone)))
    session.execute(update(Arrival).where(Arrival.id.in_(gone)).values(sender="", subject="", envelope_from="", envelope_to=[]))
    session.execute(delete(Arrival).where(Arrival.state == "quarantined", Arrival.received_at < now - policy.KEPT_IN_QUARANTINE))
    session.execute(delete(Arrival).where(Arrival.state == "done", Arrival.received_at < now - policy.REMEMBERED, ~used))
    session.execute(delete(UsedToken).where(UsedToken.at < now - policy.KEPT))
    return len(gone)
