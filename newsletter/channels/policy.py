"""Who is a machine, what can be an audience, and which codes are whose. Without I/O."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlsplit

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.tokens import Tokens

# Programs that say what they are: search engines, previews in messengers, monitors, libraries.
MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|fetch|scan|monitor|probe|check|validator|archiver|curl|wget|python|java/|go-http|okhttp|axios|node|ruby|perl"
    r"|php|libwww|headless|phantom|facebookexternalhit|whatsapp|telegram|skypeuripreview|embedly|pingdom|feed|rss|mastodon|pleroma|misskey|zgrab|nmap",
    re.IGNORECASE,
)
# More than that in one minute on one link is no crowd any more. Counted for the link, because nobody's address is looked at.
MOST_A_MINUTE = 1200
MOST_PEOPLE = 9_000_000_000  # more than there are
JUMP = 20  # times as many as last time is more likely a slip than a success


def looks_like_a_machine(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a visit is none of a person, by what the request says about itself.

    Every browser names itself and the languages of its reader; what loads a page before anybody asked for it says so
    (Sec-Purpose, HTML Standard).
    """
    agent = headers.get("User-Agent", "")
    ahead = f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')} {headers.get('X-Moz', '')}".lower()
    if method != "GET" or not agent or "prefetch" in ahead or "preview" in ahead or "prerender" in ahead:
        return True
    return MACHINES.search(agent) is not None or not headers.get("Accept-Language")


def audience(text: str) -> int:
    """How many follow, as people type it: 3860, 3.860, 3 860, 3,860, 3,9k, 1,2 Mio.

    Raises:
        Refused: it is no number of people.
    """
    words = text.strip().casefold().replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")
    found = re.fullmatch(r"(-?)(\d{1,3}(?:[.,' ]\d{3})+|\d+)(?:[.,](\d{1,2}))?\s*(k|tsd\.?|t|mio\.?|m|million(?:en|s)?)?", words, re.ASCII)
    if not found:
        raise Refused(mark("“%(text)s” is no number of people."), field="number", text=text.strip()[:40])
    factor = {"k": 1000, "t": 1000, "m": 1_000_000}.get((found[4] or "")[:1], 1)
    if found[3] and factor == 1:
        raise Refused(mark("“%(text)s” is no number of people."), field="number", text=text.strip()[:40])
    number = int(re.sub(r"\D", "", found[2])) * factor + (int(found[3].ljust(2, "0")) * factor // 100 if found[3] else 0)
    return checked(-number if found[1] else number)


def checked(number: int) -> int:
    """A number of people that can be one.

    Raises:
        Refused: it is below zero or above all people there are.
    """
    if number < 0:
        raise Refused(mark("Fewer than nobody cannot follow you."), field="number")
    if number > MOST_PEOPLE:
        raise Refused(mark("That is more than there are people."), field="number")
    return number


def surprising(before: int | None, number: int) -> bool:
    """Whether a number is so far from the one before that somebody should look at it again."""
    return before is not None and max(before, number) > 100 and (number > before * JUMP or number * JUMP < before)


def figure_day(text: str, today: date) -> date:
    """The day of a figure; today when nothing is said.

    Raises:
        Refused: it is no day, or it is still to come.
    """
    if not text.strip():
        return today
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused(mark("This is no day."), field="day") from error
    if day > today:
        raise Refused(mark("That day is still to come."), field="day")
    if day.year < 1990:
        raise Refused(mark("Nobody counted followers then."), field="day")
    return day


def cost(text: str) -> int:
    """Cents a month, as people type euros; nothing is nothing.

    Raises:
        Refused: it is no amount of money, or too much of it.
    """
    words = text.strip().replace("€", "").replace("EUR", "").strip()
    if not words:
        return 0
    found = re.fullmatch(r"(\d{1,7}|\d{1,3}(?:[.' ]\d{3})+)(?:[.,](\d{1,2}))?", words, re.ASCII)
    if not found:
        raise Refused(mark("Write the cost in euros, like 12 or 12,50."), field="cost")
    return int(re.sub(r"\D", "", found[1])) * 100 + int((found[2] or "0").ljust(2, "0"))


def web_address(text: str, field: str) -> str:
    """An address of a page, completed with https where somebody left it out.

    Raises:
        Refused: it is none.
    """
    text = text.strip()
    if not text:
        return ""
    if "://" not in text and not text.startswith("mailto:"):
        text = f"https://{text}"
    parts = urlsplit(text)
    wrong = parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname or any(sign.isspace() for sign in text)
    if wrong or len(text) > 300 or parts.username:
        raise Refused(mark("“%(text)s” is no address of a page."), field=field, text=text[:60])
    return text


def share_code(tokens: Tokens, subscription_id: int) -> str:
    """What stands in a reader's share link: which subscription it is, and a proof that it comes from here.

    It is made anew each time and stored nowhere. It says nothing about anybody, and opens nothing.
    """
    number = base64.b32encode(subscription_id.to_bytes((subscription_id.bit_length() + 7) // 8 or 1, "big")).decode().rstrip("=").lower()
    return f"{number}-{_proof(tokens, subscription_id)[0]}"


def shared_by(tokens: Tokens, code: str) -> int | None:
    """Whose share link this is; nobody's, when it was made up."""
    number, _, proof = code.strip().lower().partition("-")
    if not 0 < len(number) <= 14 or len(proof) != 8:
        return None
    try:
        found = int.from_bytes(base64.b32decode(number.upper() + "=" * (-len(number) % 8)), "big")
    except (binascii.Error, ValueError):
        return None
    return found if proof in _proof(tokens, found) else None


def _proof(tokens: Tokens, subscription_id: int) -> list[str]:
    return [one[:8] for one in tokens.fingerprints("share", str(subscription_id))]
