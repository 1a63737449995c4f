"""Writing notices into the queue, and what became of them."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.accounts.models import Editor
from newsletter.accounts.queries import owners_of
from newsletter.mail.addresses import Address, parse
from newsletter.mail.message import Letter, Sender, compose
from newsletter.mail.replies import Reply
from newsletter.notices.models import Notice
from newsletter.notices.policy import LEASE, pause_after
from newsletter.notices.templates import words
from newsletter.publications.models import Publication


def queue(
    session: Session,
    *,
    publication: Publication,
    kind: str,
    recipient: Address,
    form_host: str,
    now: datetime,
    language: str = "",
    subscription_id: int | None = None,
    **facts: object,
) -> Notice:
    """Write a notice; the worker makes its bytes and sends it. Gives back its row.

    Args:
        form_host: the host of the form that asked for it; becomes the Form-Sub field.
        language: the reader's, where it is not the publication's.
        facts: what the templates of this kind need, as JSON can carry it.
    """
    row = row_of(publication, kind, recipient, now=now, form_host=form_host, language=language, facts=facts)
    notice = Notice(**row, subscription_id=subscription_id)
    session.add(notice)
    session.flush()
    return notice


def tell_owners(session: Session, publication: Publication, kind: str, *, now: datetime, **facts: Any) -> int:
    """Write a notice to everybody who answers for a publication, each in her own language; give back how many."""
    return tell(session, publication, kind, owners_of(session, publication.id), now=now, **facts)


def tell(session: Session, publication: Publication, kind: str, editors: Sequence[Editor], *, now: datetime, **facts: Any) -> int:
    """Write a notice to some editors, each in her own language; give back how many."""
    for one in editors:
        queue(session, publication=publication, kind=kind, recipient=parse(one.email), form_host="", now=now, language=one.language, **facts)
    return len(editors)


def row_of(
    publication: Publication, kind: str, recipient: Address, *, now: datetime, form_host: str = "", language: str = "", facts: dict[str, object]
) -> dict[str, Any]:
    """The columns of a notice, for those who write many at once."""
    sender = parse(publication.from_address)
    return {
        "publication_id": publication.id,
        "kind": kind,
        "sender": sender.wire,
        "recipient": recipient.wire,
        # Known before there are bytes: a consent names it (L2).
        "message_id": f"<n.{secrets.token_hex(12)}@{sender.domain}>",
        "form_host": form_host,
        "language": language,
        "facts": facts,
        "created_at": now,
        "next_attempt_at": now,
    }


def bytes_of(session: Session, notice: Notice) -> bytes:
    """The mail of a notice: the same bytes at every try, as long as its publication says the same about itself."""
    if notice.raw is not None:
        return notice.raw
    publication = session.get_one(Publication, notice.publication_id)
    language = notice.language or publication.language
    subject, text, html = words(notice.kind, language, publication=publication, imprint=publication.imprint_lines(), **(notice.facts or {}))
    letter = Letter(
        sender=Sender(publication.from_name, parse(notice.sender), parse(publication.reply_to) if publication.reply_to else None),
        recipient=parse(notice.recipient),
        subject=subject,
        text=text,
        html=html,
        reference=notice.message_id.strip("<>").rpartition("@")[0],
        form_host=notice.form_host,
    )
    return compose(letter, notice.created_at)


def claim(session: Session, notice_id: int, *, now: datetime) -> Notice | None:
    """Take a notice for sending; None when somebody else has it or it is settled."""
    result = session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.state == "queued", or_(Notice.lease_until.is_(None), Notice.lease_until <= now))
        .values(lease_until=now + LEASE, attempts=Notice.attempts + 1)
    )
    assert isinstance(result, CursorResult)
    return session.get(Notice, notice_id, populate_existing=True) if result.rowcount == 1 else None


def accept(session: Session, notice_id: int, *, reply: Reply, raw: bytes, now: datetime) -> None:
    """The server took it. The bytes go, the hash of what was sent stays (L2)."""
    notice = session.get_one(Notice, notice_id)
    notice.state, notice.reply, notice.settled_at = "accepted", str(reply)[:500], now
    notice.raw, notice.facts, notice.lease_until, notice.sha256 = None, None, None, hashlib.sha256(raw).hexdigest()


def put_off(session: Session, notice_id: int, *, why: str, final: bool, now: datetime) -> None:
    """It did not work. A confirmation may come twice rather than never (I4), so it is tried again."""
    notice = session.get_one(Notice, notice_id)
    pause = pause_after(notice.attempts)
    notice.reply, notice.lease_until = why[:500], None
    if final or pause is None:
        notice.state, notice.settled_at, notice.raw, notice.facts = "failed", now, None, None
    else:
        notice.next_attempt_at = now + pause
