"""Doorbells for the archive."""

import dramatiq

from newsletter.archive import building
from newsletter.broker import broker
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="archive")
def build_archive(build_id: int) -> None:
    """Make a build, if it is still wanted."""
    building.run(current(), build_id)
