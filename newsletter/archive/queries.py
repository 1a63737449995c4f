"""Reading builds."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.archive.models import Build


def due(session: Session, now: datetime) -> list[int]:
    """Builds that should be made now; the newest of a publication stands for all of them."""
    return list(session.scalars(select(Build.id).where(Build.state == "queued", Build.next_attempt_at <= now).order_by(Build.id).limit(20)))


def latest(session: Session, publication_id: int) -> Build | None:
    """The last build of a publication."""
    return session.scalar(select(Build).where(Build.publication_id == publication_id).order_by(Build.id.desc()).limit(1))
