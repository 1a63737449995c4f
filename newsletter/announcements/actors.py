"""The doorbell for announcements."""

import dramatiq

from newsletter.announcements import sending
from newsletter.broker import broker
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="archive")
def send_announcement(announcement_id: int) -> None:
    """Post one announcement."""
    sending.post(current(), announcement_id)
