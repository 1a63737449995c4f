"""Doorbells for mailings."""

import dramatiq

from newsletter.broker import broker
from newsletter.deliveries import actions, digests, ledger, schedule, sending
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="mailings")
def send_mailing(mailing_id: int) -> None:
    """Hand over what is due."""
    sending.send_once(current(), mailing_id)


@dramatiq.actor(broker=broker)
def begin_mailing(mailing_id: int) -> None:
    """The undo window is over."""
    with current().writing() as session:
        actions.begin(session, mailing_id, now=current().clock())


@dramatiq.actor(broker=broker)
def finish_mailing(mailing_id: int) -> None:
    """Nothing is left to send."""
    with current().writing() as session:
        actions.finish(session, mailing_id, now=current().clock())


@dramatiq.actor(broker=broker)
def start_scheduled(issue_id: int) -> None:
    """The hour of an issue has come."""
    schedule.start_scheduled(current(), issue_id)


@dramatiq.actor(broker=broker)
def recover_deliveries() -> None:
    """Look after rows that a dead sender left behind, and give up on old ones."""
    with current().writing() as session:
        ledger.recover(session, now=current().clock())
        ledger.expire(session, now=current().clock())


@dramatiq.actor(broker=broker)
def make_digest(publication_id: int) -> None:
    """The last Friday of the month has come."""
    digests.make(current(), publication_id)
