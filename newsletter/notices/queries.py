"""Reading notices."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from newsletter.notices.models import Notice


def due(session: Session, now: datetime) -> list[int]:
    """Notices that should go out now."""
    return list(
        session.scalars(
            select(Notice.id)
            .where(Notice.state == "queued", Notice.next_attempt_at <= now, or_(Notice.lease_until.is_(None), Notice.lease_until <= now))
            .order_by(Notice.id)
            .limit(100)
        )
    )


def failed(session: Session, publication_id: int, since: datetime) -> list[Notice]:
    """Notices that could not be delivered lately, newest first."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.publication_id == publication_id, Notice.state == "failed", Notice.created_at >= since)
            .order_by(Notice.id.desc())
            .limit(20)
        )
    )
