"""What follows from trouble with an address. Decided without I/O (RULES B6, D4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

BELIEVED_FOR = timedelta(days=14)  # B3: after that a bounce is about no delivery that anybody remembers

# B6. The address itself does not exist, in the words of RFC 3463 and RFC 7505; one such answer is enough.
SAYS_IT_ALL = {"5.1.1", "5.1.10"}
# The domain is not found: true only if a look into the DNS says the same.
ASK_THE_DNS = {"5.1.2"}

DEAD_TIMES, DEAD_OVER = 3, timedelta(days=7)
FULL_TIMES, FULL_OVER = 5, timedelta(days=30)

# D4: the shares of complaints at which Gmail and the German houses begin to look, and to refuse.
COMPLAINTS_WARN, COMPLAINTS_STOP = 0.001, 0.003
# One angry person among a hundred readers is no reason to stop a letter.
COMPLAINTS_AT_LEAST = 3
# So many refusals for what a letter says, or for who sends it, and the owners are told, once for each mailing.
ALARM_AT = 3


@dataclass(frozen=True)
class Trouble:
    """One bounce in the history of an address."""

    at: datetime
    kind: str
    strong: bool
    mailing_id: int


def is_strong(kind: str, status: str, *, no_such_domain: bool | None = None) -> bool:
    """Whether one answer is enough.

    Args:
        status: the enhanced status code.
        no_such_domain: what a look into the DNS said; None when nobody looked, or nobody answered.
    """
    return kind == "dead" and (status in SAYS_IT_ALL or (status in ASK_THE_DNS and no_such_domain is True))


def consequence(history: Sequence[Trouble]) -> str:
    """The reason for which an address is not mailed any more: "dead", "full", or "" to go on.

    Args:
        history: its bounces since the last letter that was taken without one, in any order; the newest is what just happened.
    """
    dead = [one for one in history if one.kind == "dead"]
    if any(one.strong for one in dead):
        return "dead"
    if _often(dead, DEAD_TIMES, DEAD_OVER):
        return "dead"
    weak = [one for one in history if one.kind in ("full", "unclear", "dead")]
    if any(one.kind in ("full", "unclear") for one in weak) and _often(weak, FULL_TIMES, FULL_OVER):
        return "full"
    return ""


def _often(some: Sequence[Trouble], times: int, over: timedelta) -> bool:
    """So many letters, over such a time. A letter that is refused twice counts once."""
    firsts: dict[int, datetime] = {}
    for one in some:
        firsts[one.mailing_id] = min(one.at, firsts.get(one.mailing_id, one.at))
    return len(firsts) >= times and max(firsts.values()) - min(firsts.values()) >= over


def too_many_complaints(complaints: int, accepted: int) -> str:
    """What the share of complaints means: "", "warn" or "stop" (D4)."""
    if not accepted or complaints < COMPLAINTS_AT_LEAST:
        return ""
    share = complaints / accepted
    return "stop" if share > COMPLAINTS_STOP else "warn" if share > COMPLAINTS_WARN else ""
