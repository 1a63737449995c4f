"""Reading editors, sessions and facts."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.accounts.models import ROLES, Editor, Fact, LoginSession, Membership
from newsletter.publications.models import Publication
from newsletter.tokens import digest


def anyone(session: Session) -> bool:
    """Whether the installation has an editor, so that the first start is over."""
    return session.scalar(select(func.count()).select_from(Editor)) != 0


def by_session(session: Session, secret: str, now: datetime) -> tuple[Editor, LoginSession] | None:
    """The editor of a logged-in browser."""
    row = session.execute(
        select(Editor, LoginSession)
        .join(LoginSession, LoginSession.editor_id == Editor.id)
        .where(LoginSession.digest == digest(secret), LoginSession.expires_at > now)
    ).first()
    return (row[0], row[1]) if row else None


def role_of(session: Session, editor_id: int, publication_id: int) -> str | None:
    """The role of an editor in a publication."""
    return session.scalar(select(Membership.role).where(Membership.editor_id == editor_id, Membership.publication_id == publication_id))


def publications_of(session: Session, editor_id: int) -> list[Publication]:
    """What an editor may see, by name."""
    return list(
        session.scalars(
            select(Publication)
            .join(Membership, Membership.publication_id == Publication.id)
            .where(Membership.editor_id == editor_id)
            .order_by(Publication.name)
        )
    )


def owners_of(session: Session, publication_id: int) -> list[Editor]:
    """Who answers for a publication."""
    query = select(Editor).join(Membership, Membership.editor_id == Editor.id).where(Membership.publication_id == publication_id, Membership.role == "owner")
    return list(session.scalars(query.order_by(Editor.id)))


def who_may(session: Session, publication_id: int, least: str, *, but: int | None = None) -> list[Editor]:
    """Everybody who has at least a role in a publication, one of them left out."""
    roles = ROLES[ROLES.index(least) :]
    query = select(Editor).join(Membership, Membership.editor_id == Editor.id).where(Membership.publication_id == publication_id, Membership.role.in_(roles))
    return [one for one in session.scalars(query.order_by(Editor.id)) if one.id != but]


def fact(session: Session, name: str) -> str:
    """What the installation knows about itself under this name, or nothing."""
    row = session.get(Fact, name)
    return row.value if row else ""


def fact_age(session: Session, name: str, now: datetime) -> float | None:
    """Seconds since a fact was stated; None when it never was."""
    row = session.get(Fact, name)
    return (now - row.changed_at).total_seconds() if row else None
