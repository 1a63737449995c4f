"""How much may leave, and when: decided without I/O."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.mail.replies import Reply

# A new server earns trust by growing slowly: the first day fifty, then twice as many every day.
WARM_UP_FIRST = 50
WARM_UP_DAYS = 12

REST = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
LEAST_EASE = 0.05


@dataclass(frozen=True)
class Grant:
    """How many may leave now, what is written down then, and when the next one may."""

    number: int
    next_at: datetime
    ready_at: datetime


def grant(next_at: datetime | None, wanted: int, *, count: float, seconds: float, now: datetime) -> Grant:
    """Ask for hand-overs under a limit, by the generic cell rate algorithm (ITU-T I.371).

    However one lays a window of ``seconds``, at most ``count`` fall into it (I9): mails leave evenly, and what may
    leave at once after a quiet while is taken off the rate. A small limit has no such reserve.

    Args:
        next_at: when the next one could leave if everything had left evenly, as the last grant said.
        wanted: how many.
    """
    burst = 1 if count < 20 else int(count / 20)
    step = seconds / (count if count < 20 else count - burst)
    behind = (next_at - now).total_seconds() if next_at else 0.0
    # Further ahead than the algorithm ever writes: a clock was put back, and nobody should wait for that hour.
    ahead = 0.0 if behind > step * (burst + 1) else max(behind, 0.0)
    # Moments are kept to the microsecond.
    number = min(wanted, max(0, math.floor(burst - (ahead - 2e-6) / step)))
    ahead += number * step
    ready = max(0.0, ahead - (burst - 1) * step)
    return Grant(number, now + timedelta(seconds=ahead), now + timedelta(seconds=ready))


def warm_up_cap(first: date, today: date) -> int | None:
    """How many may leave on this day; None when the server is warm."""
    day = (today - first).days
    return WARM_UP_FIRST * 2 ** max(0, day) if day < WARM_UP_DAYS else None


def next_day(now: datetime) -> datetime:
    """When the next day begins for the warm-up, in UTC."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def wants_patience(reply: Reply | None) -> bool:
    """Whether a provider says that it is too much for now: 421, or 4.7.x (RFC 3463: security or policy status)."""
    return reply is not None and (reply.code == 421 or reply.enhanced.startswith("4.7."))


def rest_after(setbacks: int, now: datetime) -> datetime:
    """Until when a provider is left alone."""
    return now + REST[min(setbacks, len(REST) - 1)]
