"""Writing notices into the queue, and what became of them."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.mail.addresses import Address, parse
from newsletter.mail.message import Letter, Sender, compose
from newsletter.mail.replies import Reply
from newsletter.notices.models import Notice
from newsletter.notices.policy import LEASE, pause_after
from newsletter.notices.templates import words
from newsletter.publications.models import Publication


def queue(session: Session, *, publication: Publication, kind: str, recipient: Address, form_host: str, now: datetime, **values: object) -> Notice:
    """Write a notice; the worker sends it. Gives back its row.

    Args:
        form_host: the host of the form that asked for it; becomes the Form-Sub field.
        values: what the templates of this kind need.
    """
    subject, text, html = words(kind, publication.language, publication=publication, imprint=publication.imprint_lines(), **values)
    address = parse(publication.from_address)
    letter = Letter(
        sender=Sender(publication.from_name, address, parse(publication.reply_to) if publication.reply_to else None),
        recipient=recipient,
        subject=subject,
        text=text,
        html=html,
        reference=f"n.{secrets.token_hex(12)}",
        form_host=form_host,
    )
    raw = compose(letter, now)
    notice = Notice(
        publication_id=publication.id,
        kind=kind,
        sender=address.wire,
        recipient=recipient.wire,
        message_id=letter.message_id,
        raw=raw,
        sha256=hashlib.sha256(raw).hexdigest(),
        created_at=now,
        next_attempt_at=now,
    )
    session.add(notice)
    session.flush()
    return notice


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
    notice.raw, notice.lease_until, notice.sha256 = None, None, hashlib.sha256(raw).hexdigest()


def put_off(session: Session, notice_id: int, *, why: str, final: bool, now: datetime) -> None:
    """It did not work. A confirmation may come twice rather than never (I4), so it is tried again."""
    notice = session.get_one(Notice, notice_id)
    pause = pause_after(notice.attempts)
    notice.reply, notice.lease_until = why[:500], None
    if final or pause is None:
        notice.state, notice.settled_at, notice.raw = "failed", now, None
    else:
        notice.next_attempt_at = now + pause
