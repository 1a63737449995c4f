"""The doorbell for text messages."""

import dramatiq

from newsletter.broker import broker
from newsletter.process import current
from newsletter.sms import sending


@dramatiq.actor(broker=broker, queue_name="notices")
def send_text(message_id: int) -> None:
    """Send one text message."""
    sending.send(current(), message_id)
