"""Doorbells for the archive."""

import dramatiq

from newsletter.archive import building, publishing
from newsletter.broker import broker
from newsletter.process import current


@dramatiq.actor(broker=broker, queue_name="archive")
def build_archive(build_id: int) -> None:
    """Make a build, if it is still wanted."""
    building.run(current(), build_id)


@dramatiq.actor(broker=broker, queue_name="archive")
def serve_target(target_id: int) -> None:
    """Bring a target up to date, or check it."""
    publishing.run(current(), target_id)


@dramatiq.actor(broker=broker, queue_name="archive")
def look_at_mention(mention_id: int) -> None:
    """Look at a page that mentions an issue."""
    building.look_at_mention(current(), mention_id)
