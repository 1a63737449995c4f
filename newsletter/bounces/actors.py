"""The doorbell for what mail servers refused."""

import dramatiq

from newsletter.bounces import looking
from newsletter.broker import broker
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="notices")
def note_refusals() -> None:
    """Look at the replies of mail servers that nobody has looked at."""
    looking.look(current())
