"""Doorbells for imports."""

import dramatiq

from newsletter.broker import broker
from newsletter.imports import running
from newsletter.process import current


@dramatiq.actor(broker=broker)
def run_import(import_id: int) -> None:
    """Look a file through, take it over, or take it back."""
    running.run(current(), import_id)
