"""Rules: what they may be about, how they may ask, and the condition that each becomes (P5).

A rule is data: ``{"about": "tag", "how": "is", "value": "7"}``. Every part of it is looked up in a table of ours or bound
as a value; nothing that a person typed becomes SQL.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, cast, column, exists, false, func, not_, or_, select, table, true
from sqlalchemy.dialects.postgresql import JSONB

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.orm import escaped, holds
from newsletter.subscriptions.models import Subscriber, Subscription

MOST_RULES = 20
STATES = ("active", "paused", "pending", "unsubscribed")

# What a rule may be about, and how it may ask.
ABOUT: dict[str, tuple[str, ...]] = {
    "tag": ("is", "is not"),
    "channel": ("is", "is not"),
    "state": ("is", "is not"),
    "joined": ("after", "before", "within", "longer than"),
    "got": ("is", "is not"),
    "answered": ("ever", "never", "within"),
    "rhythm": ("is", "is not"),
    "language": ("is", "is not"),
    "name": ("known", "unknown"),
    "domain": ("is", "is not"),
    "field": ("is", "is not", "contains", "known", "unknown", "after", "before"),
}
WITHOUT_VALUE = ("ever", "never", "known", "unknown")

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What rules need to know.

    Args:
        sqlite: which database they will be asked of.
        zone: days begin in it.
    """

    publication_id: int
    sqlite: bool
    zone: str
    now: datetime


def check(rules: Sequence[Rule]) -> list[dict[str, str]]:
    """Rules as they may be stored.

    Raises:
        Refused: there is none, there are too many, or one says something that no rule can say.
    """
    if not 1 <= len(rules) <= MOST_RULES:
        raise Refused(mark("A segment needs a rule, and not more than %(n)s."), field="rules", n=MOST_RULES)
    return [_checked(rule) for rule in rules]


def _checked(rule: Rule) -> dict[str, str]:
    about, how, value = str(rule.get("about", "")), str(rule.get("how", "")), " ".join(str(rule.get("value", "")).split())[:200]
    kind, _, key = about.partition(":")
    if how not in ABOUT.get(kind, ()) or (kind == "field") != bool(key) or (key and not re.fullmatch(r"[a-z0-9_]{1,60}", key)):
        raise Refused(mark("There is no such rule."), field="rules")
    if how in WITHOUT_VALUE:
        return {"about": about, "how": how, "value": ""}
    if not value:
        raise Refused(mark("A rule is not complete yet."), field="rules")
    if how in ("within", "longer than") and not (value.isascii() and value.isdigit() and 1 <= int(value) <= 3660):
        raise Refused(mark("Please write a number of days, 1 to 3660."), field="rules")
    if how in ("after", "before"):
        _day(value)
    if kind in ("tag", "channel", "got") and not (value.isascii() and value.isdigit() and len(value) < 12):
        raise Refused(mark("There is no such rule."), field="rules")
    if kind == "state" and value not in STATES:
        raise Refused(mark("There is no such rule."), field="rules")
    return {"about": about, "how": how, "value": value}


def condition(rules: Sequence[Rule], every: bool, context: Context) -> ColumnElement[bool]:
    """The condition on Subscription and Subscriber that rules become."""
    parts = [_condition(_checked(rule), context) for rule in rules]
    return (and_(true(), *parts) if every else or_(false(), *parts)).self_group()


def needs_subscriber(rules: Sequence[Rule]) -> bool:
    """Whether the subscriber has to be joined; counting is twice as fast without."""
    return any(str(rule.get("about")) in ("name", "domain") for rule in rules)


def _condition(rule: dict[str, str], context: Context) -> ColumnElement[bool]:
    kind, _, key = rule["about"].partition(":")
    how, value = rule["how"], rule["value"]
    if kind == "field":
        return _field(key, how, value, context)
    if kind == "joined":
        return _moment(Subscription.confirmed_at, how, value, context)
    if kind == "answered":
        if how in WITHOUT_VALUE:
            return Subscription.answered_at.is_not(None) if how == "ever" else Subscription.answered_at.is_(None)
        return _moment(Subscription.answered_at, how, value, context)
    if kind == "name":
        return Subscriber.name != "" if how == "known" else Subscriber.name == ""
    found = _equal(kind, value, context)
    return found if how == "is" else not_(found)


def _equal(kind: str, value: str, context: Context) -> ColumnElement[bool]:
    if kind == "tag":
        return has_text(Subscription.tags, f",{int(value)},", context.sqlite)
    if kind == "channel":
        # A channel that is not known is none of those that are named.
        return func.coalesce(Subscription.channel_id, 0) == int(value)
    if kind == "state":
        return Subscription.state == value
    if kind == "rhythm":
        return Subscription.rhythm == value
    if kind == "language":
        return Subscription.language == value
    if kind == "domain":
        return Subscriber.canonical.like("%@" + escaped(value.casefold()), escape="\\")
    return got(int(value))


def got(issue_id: int) -> ColumnElement[bool]:
    """Whether an issue reached somebody's mail server. The ledger stands above this package, so its tables are named and not imported."""
    deliveries = table("deliveries", column("mailing_id"), column("subscriber_id"), column("state"))
    mailings = table("mailings", column("id"), column("issue_id"))
    mine = select(mailings.c.id).where(mailings.c.issue_id == issue_id).scalar_subquery()
    return exists(
        select(deliveries.c.state).where(
            deliveries.c.subscriber_id == Subscription.subscriber_id, deliveries.c.mailing_id == mine, deliveries.c.state == "accepted"
        )
    )


def has_text(place: Any, part: str, sqlite: bool) -> ColumnElement[bool]:
    """Whether a column contains a text, letter for letter."""
    found: ColumnElement[bool] = (func.instr(place, part) if sqlite else func.strpos(place, part)) > 0
    return found


def _field(key: str, how: str, value: str, context: Context) -> ColumnElement[bool]:
    answered = has_text(Subscription.answers, f'"{key}":', context.sqlite)
    if how in ("known", "unknown"):
        return answered if how == "known" else not_(answered)
    if how in ("is", "is not"):
        # Answers are stored in one form only, so an answer can be looked for as text: see subscriptions.policy.compact.
        same = has_text(Subscription.answers, f'"{key}":{json.dumps(value, ensure_ascii=False)}', context.sqlite)
        return same if how == "is" else not_(same)
    text = func.json_extract(Subscription.answers, f"$.{key}") if context.sqlite else cast(Subscription.answers, JSONB)[key].astext
    if how == "contains":
        # Most answers are told apart by their stored text; only the others have to be taken apart.
        plain = json.dumps(value, ensure_ascii=False) == f'"{value}"'
        maybe = holds(Subscription.answers, value, sqlite=context.sqlite) if plain else answered
        return and_(maybe, answered, holds(text, value, sqlite=context.sqlite))
    return and_(answered, text > _day(value).isoformat() if how == "after" else text < _day(value).isoformat())


def _moment(place: Any, how: str, value: str, context: Context) -> ColumnElement[bool]:
    found: ColumnElement[bool]
    if how in ("within", "longer than"):
        edge = context.now - timedelta(days=int(value))
        found = place >= edge if how == "within" else place < edge
        return found
    begin = datetime.combine(_day(value), time.min, ZoneInfo(context.zone)).astimezone(UTC)
    found = place >= begin + timedelta(days=1) if how == "after" else place < begin
    return found


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Refused(mark("Please write the date like 2026-12-24."), field="rules") from error
