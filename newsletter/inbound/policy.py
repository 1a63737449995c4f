"""How much is taken, how often something is tried, and how long it is kept. Decided without I/O."""

from datetime import timedelta

# What a mail may weigh; the large houses let no more out. It is refused before it is held in memory (RFC 1870).
LARGEST = 26 * 1024 * 1024
LARGEST_EVENT = 2 * 1024 * 1024

# A mail that cannot be understood is tried again, and then left for a person to look at. It is never thrown away.
TRIES = (timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))

# Bounces, notices of absence and the like: their bytes say nothing that is not written down, and hold addresses (L5).
KEPT = timedelta(days=30)
# What proves nothing, or is for nobody here.
KEPT_IN_QUARANTINE = timedelta(days=30)
# That something came at all, so that the same bytes are known again.
REMEMBERED = timedelta(days=90)

LOOK_EVERY = timedelta(minutes=1)
LOOK_AFTER_TROUBLE = timedelta(minutes=10)


def next_try(attempts: int) -> timedelta | None:
    """When to try again; None to leave it."""
    return TRIES[attempts - 1] if 0 < attempts <= len(TRIES) else None
