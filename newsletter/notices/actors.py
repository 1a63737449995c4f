"""Doorbells for notices."""

import dramatiq

from newsletter.broker import broker
from newsletter.notices import sending
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="notices")
def send_notice(notice_id: int) -> None:
    """Send one notice, if it is still due."""
    sending.send(current(), notice_id)
