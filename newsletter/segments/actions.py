"""Adding, changing and deleting segments and tags."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.segments.models import Segment
from newsletter.segments.rules import Rule, check
from newsletter.subscriptions.models import Subscription, Tag


def save(session: Session, *, publication_id: int, segment: Segment | None, name: str, every: bool, rules: Sequence[Rule], now: datetime) -> int:
    """Keep a segment, a new one when none is given; give back its id.

    Raises:
        Refused: it has no name, another one has the same, or a rule cannot stand.
    """
    name = " ".join(name.split())[:120]
    if not name:
        raise Refused(mark("Please give it a name."), field="name")
    same = select(Segment.id).where(Segment.publication_id == publication_id, Segment.name == name)
    if session.scalar(same if segment is None else same.where(Segment.id != segment.id)):
        raise Refused(mark("There is a segment with this name already."), field="name")
    checked = check(rules)
    if segment is None:
        segment = Segment(publication_id=publication_id, created_at=now)
        session.add(segment)
    segment.name, segment.every, segment.rules = name, every, checked
    session.flush()
    return segment.id


def remove(session: Session, segment: Segment) -> None:
    """Delete a segment.

    Raises:
        Refused: a letter that has not gone out yet is meant for it.
    """
    if session.scalar(select(Issue.id).where(Issue.segment_id == segment.id, Issue.state != "published").limit(1)):
        raise Refused(mark("A letter that has not gone out yet is meant for this segment."))
    session.delete(segment)
    session.flush()


def rename_tag(session: Session, *, publication_id: int, tag_id: int, name: str) -> None:
    """Give a tag another name.

    Raises:
        Refused: it has none, or another tag has it.
    """
    name = " ".join(name.replace(",", " ").split())[:60]
    taken = select(Tag.id).where(Tag.publication_id == publication_id, Tag.name == name, Tag.id != tag_id)
    if not name or session.scalar(taken):
        raise Refused(mark("A tag needs a name that no other tag has."), field="name")
    session.execute(update(Tag).where(Tag.id == tag_id, Tag.publication_id == publication_id).values(name=name))


def remove_tag(session: Session, *, publication_id: int, tag_id: int) -> None:
    """Delete a tag and take it from everybody."""
    mine = Subscription.publication_id == publication_id, Subscription.tags.like(f"%,{int(tag_id)},%")
    session.execute(
        update(Subscription).where(*mine).values(tags=func.replace(Subscription.tags, f",{int(tag_id)},", ",")).execution_options(synchronize_session=False)
    )
    session.execute(
        update(Subscription)
        .where(Subscription.publication_id == publication_id, Subscription.tags == ",")
        .values(tags="")
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Tag).where(Tag.id == tag_id, Tag.publication_id == publication_id))
