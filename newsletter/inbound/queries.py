"""Reading what came in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.inbound.models import Arrival, ArrivalBytes, Hook, Mailbox
from newsletter.publications.models import Publication
from newsletter.tokens import digest


def due(session: Session, now: datetime) -> Sequence[int]:
    """What nobody has looked at."""
    query = select(Arrival.id).where(Arrival.state == "new", Arrival.next_attempt_at <= now)
    return session.scalars(query.order_by(Arrival.next_attempt_at, Arrival.id).limit(100)).all()


def mailboxes_due(session: Session, now: datetime) -> Sequence[int]:
    """Mailboxes to look into."""
    return session.scalars(select(Mailbox.id).where(Mailbox.next_look_at <= now)).all()


def raw_of(session: Session, arrival_id: int) -> bytes | None:
    """The bytes, as long as they are kept."""
    return session.scalar(select(ArrivalBytes.raw).where(ArrivalBytes.arrival_id == arrival_id))


def publication_for(session: Session, addresses: Sequence[str]) -> Publication | None:
    """Whose address a mail was written to; of several the first that is named."""
    rows = session.scalars(select(Publication).where(Publication.state == "active").order_by(Publication.id)).all()
    mine = {address.lower(): row for row in reversed(rows) for address in (row.reply_to, row.from_address) if address}
    return next((mine[one] for one in addresses if one in mine), None)


def our_addresses(session: Session) -> set[str]:
    """Every address that letters of ours come from."""
    rows = session.execute(select(Publication.from_address, Publication.reply_to))
    return {address.lower() for row in rows for address in row if address}


def mailbox_of(session: Session, publication_id: int) -> Mailbox | None:
    """The mailbox that is read for a publication."""
    return session.scalar(select(Mailbox).where(Mailbox.publication_id == publication_id))


def hooks_of(session: Session, publication_id: int) -> Sequence[Hook]:
    """The addresses that providers call."""
    return session.scalars(select(Hook).where(Hook.publication_id == publication_id).order_by(Hook.id)).all()


def hook(session: Session, publication_id: int, hook_id: int) -> Hook:
    """One of them.

    Raises:
        NotFound: there is none.
    """
    row = session.get(Hook, hook_id)
    if row is None or row.publication_id != publication_id:
        raise NotFound(mark("This webhook is not there any more."))
    return row


def hook_by(session: Session, provider: str, secret: str) -> Hook | None:
    """The webhook behind an address that was called."""
    return session.scalar(select(Hook).where(Hook.digest == digest(secret), Hook.provider == provider))


def unsettled(session: Session, publication_id: int, limit: int = 50) -> Sequence[Arrival]:
    """What somebody should look at: not understood, or without proof."""
    # What is for nobody that we know may be for anybody here; the owners of every publication may look.
    here = or_(Arrival.publication_id == publication_id, Arrival.publication_id.is_(None))
    query = select(Arrival).where(here, Arrival.state.in_(("failed", "quarantined"))).order_by(Arrival.received_at.desc(), Arrival.id.desc())
    return session.scalars(query.limit(limit)).all()


def arrival(session: Session, publication_id: int, arrival_id: int) -> Arrival:
    """One of them.

    Raises:
        NotFound: there is none for this publication.
    """
    row = session.get(Arrival, arrival_id)
    if row is None or row.publication_id not in (None, publication_id):
        raise NotFound(mark("This mail is not there any more."))
    return row


def sorted_out(session: Session, publication_id: int, since: datetime) -> dict[str, int]:
    """How many of each kind were kept out of the inbox since then."""
    rows = select(Arrival.kind, func.count()).where(Arrival.publication_id == publication_id, Arrival.state == "done", Arrival.received_at >= since)
    return {row[0]: row[1] for row in session.execute(rows.group_by(Arrival.kind))}
