"""The doorbell for answers."""

import dramatiq

from newsletter.broker import broker
from newsletter.conversations import sending
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="notices")
def send_answer(message_id: int) -> None:
    """Send one answer."""
    sending.send(current(), message_id)
