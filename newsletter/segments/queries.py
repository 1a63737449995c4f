"""Reading segments, and counting whom they fit."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.i18n import mark
from newsletter.orm import unindexed
from newsletter.publications.models import Publication
from newsletter.segments.models import Segment
from newsletter.segments.rules import Context, Rule, condition, needs_subscriber
from newsletter.subscriptions.models import Subscriber, Subscription


def all_of(session: Session, publication_id: int) -> Sequence[Segment]:
    """The segments of a publication by name."""
    return session.scalars(select(Segment).where(Segment.publication_id == publication_id).order_by(func.lower(Segment.name))).all()


def get(session: Session, publication_id: int, segment_id: int) -> Segment:
    """One of them.

    Raises:
        NotFound: there is none, or it is another publication's.
    """
    segment = session.get(Segment, segment_id)
    if segment is None or segment.publication_id != publication_id:
        raise NotFound(mark("There is no such segment."))
    return segment


def context_of(session: Session, publication: Publication, now: datetime) -> Context:
    """What rules need to know of a publication."""
    return Context(publication.id, session.get_bind().dialect.name == "sqlite", publication.timezone, now)


def fits(session: Session, publication: Publication, segment_id: int | None, now: datetime) -> ColumnElement[bool]:
    """The condition of a segment on Subscription and Subscriber; without a segment it is everybody.

    Raises:
        NotFound: the segment is gone. A letter that was meant for some must not go to all.
    """
    if segment_id is None:
        return true()
    segment = get(session, publication.id, segment_id)
    return condition(segment.rules, segment.every, context_of(session, publication, now))


def count(session: Session, publication: Publication, rules: Sequence[Rule], every: bool, now: datetime) -> tuple[int, int]:
    """How many people rules fit, and how many of them are active."""
    # One walk along the rows answers every rule; by way of an index each row would be fetched from elsewhere.
    context = context_of(session, publication, now)
    wanted = and_(unindexed(Subscription.publication_id, sqlite=context.sqlite) == publication.id, condition(rules, every, context))
    query: Select[int, int] = select(func.count(), func.count().filter(Subscription.state == "active")).select_from(Subscription)
    if needs_subscriber(rules):
        query = query.join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    row = session.execute(query.where(wanted)).one()
    return row[0], row[1]
