"""When a notice is tried again."""

from datetime import timedelta

# A confirmation is waited for, so the first tries come quickly. After a day nobody remembers asking.
PAUSES = (
    timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=15),
    timedelta(hours=1), timedelta(hours=3), timedelta(hours=6), timedelta(hours=12),
)  # fmt: skip
LEASE = timedelta(minutes=15)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after the n-th failed try; None means to give up."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None
