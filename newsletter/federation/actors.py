"""Doorbells for what other servers are told and asked."""

import dramatiq

from newsletter.broker import broker
from newsletter.federation import sending
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="archive")
def send_ping(ping_id: int) -> None:
    """Say one thing to another server."""
    sending.ping(current(), ping_id)
