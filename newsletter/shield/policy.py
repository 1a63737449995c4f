"""How much is too much (A1). Decided without I/O."""

from datetime import timedelta

# Opt-in mails for one mailbox, over all publications and spellings.
PER_MAILBOX = ((timedelta(hours=24), 2), (timedelta(days=30), 3))
PER_NETWORK = (timedelta(hours=1), 30)
HOUR = timedelta(hours=1)
TEN_MINUTES = timedelta(minutes=10)
ALREADY_NOTICE = timedelta(hours=24)

# A person needs longer than this between seeing a page and pressing its button (A1, A2).
TOO_QUICK = timedelta(seconds=2)

# More than this many times the usual is no coincidence.
UNUSUAL = 10
MOST_HELD = 1000

# A proof of work takes a phone about two seconds; who has no script waits half a minute instead.
WORK_BITS = 17
WAIT = timedelta(seconds=30)
WORK_WITHIN = timedelta(hours=1)


def under_pressure(in_ten_minutes: int, usual: float, calm: int) -> bool:
    """Whether so many sign-ups come that each has to show that somebody is behind it.

    Args:
        usual: how many come in ten minutes on an ordinary day.
        calm: so many are never too many.
    """
    return in_ten_minutes > max(calm, UNUSUAL * usual)
