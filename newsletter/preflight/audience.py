"""Who gets it, and when."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from newsletter.rendering.findings import Finding

# L6: after such a silence people do not expect a letter any more (AG München 161 C 12736/22), or have not for long.
LONG_SILENCE = timedelta(days=548)
# D3: from 5,000 a day to one provider on, its rules for bulk senders hold, and for ever.
NEAR_BULK = 4_000
BULK_HOUSES = ("gmail", "microsoft", "yahoo")
JUMP, JUMP_FROM = 3, 500
LONG = timedelta(hours=2)


def check_consents(without: int) -> list[Finding]:
    """L1: nobody gets a letter without a consent on record."""
    if not without:
        return []
    text, fix = "%(n)s of the readers have no consent on record.", "Ask them anew, or take them off the list; without proof every letter may be warned off."
    return [Finding("consent-missing", "error", text, fix, values={"n": without})]


def check_silence(last: datetime | None, now: datetime) -> list[Finding]:
    """L6: a list that was silent for long."""
    if last is None or now - last <= LONG_SILENCE:
        return []
    text, fix = "Nobody has got a letter for a year and a half.", "Say in the first lines who you are and why they get it; some will have forgotten."
    return [Finding("list-silent", "warning", text, fix)]


def check_jump(readers: int, before: int | None) -> list[Finding]:
    """Providers distrust whoever suddenly sends much more than before."""
    if before is None or readers < JUMP_FROM or readers <= JUMP * max(before, 1):
        return []
    text, fix = "The letter goes to %(n)s people, the last one went to %(before)s.", "Send to a part first; providers distrust a sudden jump."
    return [Finding("volume-jump", "warning", text, fix, values={"n": readers, "before": before})]


def check_providers(providers: Mapping[str, int], own_host: str) -> list[Finding]:
    """D3 and the rules of T-Online (RULES §1.1)."""
    found = []
    for house in BULK_HOUSES:
        if providers.get(house, 0) >= NEAR_BULK:
            text, fix = (
                "%(n)s readers are at %(house)s; from 5,000 a day on you are a bulk sender there, for ever.",
                "Look at the page of your domain: everything must be green there.",
            )
            found.append(Finding("bulk-near", "warning", text, fix, values={"n": providers[house], "house": house}))
    if own_host and providers.get("t-online", 0):
        text, fix = (
            "%(n)s readers are at T-Online, which asks for an imprint at http://%(host)s.",
            "Put a page there that says who you are; without it they refuse your server.",
        )
        found.append(Finding("t-online", "hint", text, fix, values={"n": providers["t-online"], "host": own_host}))
    return found


def check_duration(readers: int, per_second: float) -> list[Finding]:
    """How long it takes under the limits that were set."""
    if not per_second or readers / per_second < LONG.total_seconds():
        return []
    text, fix = "Under your limits the last reader gets it after about %(hours)s hours.", "Nothing to do, if that is early enough."
    return [Finding("duration-long", "hint", text, fix, values={"hours": round(readers / per_second / 3600)})]


def check_moment(scheduled: datetime | None, now: datetime) -> list[Finding]:
    """The hour at which it should leave."""
    if scheduled is None or scheduled > now:
        return []
    return [Finding("moment-past", "error", "The moment at which it should leave is over.", "Choose one that is still to come.")]
