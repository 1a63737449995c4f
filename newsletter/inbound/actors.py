"""The doorbells for what came in."""

import dramatiq

from newsletter.broker import broker
from newsletter.inbound import mailbox, understanding
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="notices")
def understand_arrival(arrival_id: int) -> None:
    """Look at one mail or event."""
    understanding.understand(current(), arrival_id)


@dramatiq.actor(broker=broker, queue_name="notices")
def read_mailbox(mailbox_id: int) -> None:
    """Take what is new out of a mailbox."""
    mailbox.look(current(), mailbox_id)
