"""Asking: many sign-ups in one transaction, each decided as if it were alone.

A thousand people may press the button in the same second. One transaction reads everything that their decisions depend
on, decides one after the other without looking at the database again, and writes what follows in one statement for each
table. The answer to the browser is the same whatever was decided (A1).
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from newsletter.accounts.models import Throttle
from newsletter.accounts.queries import owners_of
from newsletter.channels.policy import shared_by
from newsletter.channels.queries import SHARED, Origin
from newsletter.forms.models import Form
from newsletter.growth.actions import Key, add_all, key
from newsletter.links import Links
from newsletter.mail.addresses import Address, mailbox_key, parse
from newsletter.notices.actions import queue, row_of
from newsletter.orm import take_turns, wave
from newsletter.publications.models import Publication
from newsletter.shield import policy as shield
from newsletter.shield.counting import Counts
from newsletter.shield.models import Held
from newsletter.subscriptions import policy
from newsletter.subscriptions.consents import sealed
from newsletter.subscriptions.models import Consent, Subscriber, Subscription, Suppression
from newsletter.tokens import Tokens, digest, new_secret


@dataclass(frozen=True)
class Setting:
    """A form and its publication as a sign-up needs them: values, so that threads may share them.

    Args:
        wordings: the texts that the form has ever shown, by number; the last one is the present one.
        calm: sign-ups in ten minutes that are no reason to worry.
        most: sign-ups in an hour, over all publications, after which everybody waits in quarantine.
    """

    publication: Publication
    form: Form
    wordings: dict[int, tuple[str, str]]
    origins: dict[str, Origin]
    usual: float
    calm: int
    most: int


@dataclass
class Wish:
    """One sign-up.

    Args:
        machine: why it looks like a machine's, or nothing.
        worked: it comes with a proof of work, or has waited instead.
    """

    setting: Setting
    address: Address
    name: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    via: str = ""
    network: str = ""
    page: str = ""
    wording_id: int = 0
    machine: str = ""
    worked: bool = False
    notice_id: int | None = None
    outcome: str = ""


@dataclass
class _Known:
    """What is known of an address in one publication."""

    subscriber_id: int = 0
    subscription_id: int = 0
    state: str = ""
    asked_just_now: bool = False
    previous: str = ""


def ask_all(session: Session, tokens: Tokens, links: Links, wishes: Sequence[Wish], *, now: datetime) -> None:
    """Decide on sign-ups, in their order, and write down what follows.

    Afterwards ``outcome`` of each is asked, already, ignored, held, or work: then it has to come again with a proof of work.
    """
    # What one transaction counts the next one has to see, or two of them would each send the last mail that is allowed.
    take_turns(session, 7264834)
    book = _Book(session, tokens, links, wishes, now)
    for wish in wishes:
        wish.outcome = book.decide(wish)
    book.write()


class _Book:
    """Everything that the decisions of one transaction need and make."""

    def __init__(self, session: Session, tokens: Tokens, links: Links, wishes: Sequence[Wish], now: datetime) -> None:
        self._session, self._tokens, self._links, self._now = session, tokens, links, now
        self._counts = Counts(session, now)
        self._counts.load(name for wish in wishes for name in self._names(wish))
        self._known = {(publication_id, canonical): known for publication_id, canonical, known in self._look_up(wishes)}
        self._tallies: Counter[Key] = Counter()
        self._held: list[dict[str, Any]] = []
        self._asked: list[tuple[Wish, _Known]] = []
        self._already: list[Wish] = []
        self._alarms: dict[int, Publication] = {}

    # What is counted

    def _short(self, value: str) -> str:
        return self._tokens.fingerprints("throttle", value)[0][:40]

    def _names(self, wish: Wish) -> list[str]:
        mailbox = self._short(mailbox_key(wish.address.canonical))
        names = ["sign-up:everybody", f"sign-up:ten:{wish.setting.publication.id}", f"already:{mailbox}"]
        names += [f"ask:{window.days}:{mailbox}" for window, _ in shield.PER_MAILBOX]
        return [*names, f"sign-up:{self._short(wish.network)}"] if wish.network else names

    def _look_up(self, wishes: Sequence[Wish]) -> Iterator[tuple[int, str, _Known]]:
        wanted: dict[int, set[str]] = {}
        for wish in wishes:
            wanted.setdefault(wish.setting.publication.id, set()).add(wish.address.canonical)
        just_now = self._now - policy.ASK_AGAIN_AFTER
        for publication_id, addresses in wanted.items():
            rows = self._session.execute(
                select(Subscriber.canonical, Subscriber.id, Subscription.id, Subscription.state, Subscription.asked_at)
                .outerjoin(Subscription, (Subscription.subscriber_id == Subscriber.id) & (Subscription.publication_id == publication_id))
                .where(Subscriber.canonical.in_(addresses))
            ).all()
            ends = self._last_seals([row[2] for row in rows if row[2]])
            silent = self._suppressed(publication_id, [row[0] for row in rows if row[3] in ("active", "paused")])
            for canonical, subscriber_id, subscription_id, stored, asked_at in rows:
                # B7: who is on the list and gets nothing, because her mailbox was thought dead, can prove that it is not.
                state = "suppressed" if canonical in silent else stored
                open_question = bool(subscription_id) and state in ("pending", "unsubscribed", "suppressed") and asked_at is not None and asked_at > just_now
                yield publication_id, canonical, _Known(subscriber_id, subscription_id or 0, state or "", open_question, ends.get(subscription_id, ""))

    def _suppressed(self, publication_id: int, readers: list[str]) -> set[str]:
        prints = {mark: one for one in readers for mark in self._tokens.fingerprints("suppression", one)}
        if not prints:
            return set()
        here = or_(Suppression.publication_id == publication_id, Suppression.publication_id.is_(None))
        return {prints[row] for row in self._session.scalars(select(Suppression.fingerprint).where(Suppression.fingerprint.in_(list(prints)), here))}

    def _last_seals(self, subscriptions: list[int]) -> dict[int, str]:
        if not subscriptions:
            return {}
        rows = self._session.execute(select(Consent.subscription_id, Consent.digest).where(Consent.subscription_id.in_(subscriptions)).order_by(Consent.id))
        return {row[0]: row[1] for row in rows}

    # What is decided

    def decide(self, wish: Wish) -> str:
        """What happens with a sign-up, and put down what follows from it."""
        place, setting = wish.setting.publication.id, wish.setting
        if wish.machine:
            return self._hold(wish, wish.machine)
        in_ten_minutes = self._counts.add(f"sign-up:ten:{place}", shield.TEN_MINUTES)
        if shield.under_pressure(in_ten_minutes, setting.usual, setting.calm):
            self._alarms[place] = setting.publication
            if not wish.worked:
                return "work"
        if self._counts.add("sign-up:everybody", shield.HOUR) > setting.most:
            return self._hold(wish, "flood")
        if wish.network and self._counts.add(f"sign-up:{self._short(wish.network)}", shield.PER_NETWORK[0]) > shield.PER_NETWORK[1]:
            return self._hold(wish, "network")
        self._tallies[key(place, "asked", self._now, self._origin(wish).channel_id)] += 1
        return self._ask(wish)

    def _ask(self, wish: Wish) -> str:
        known = self._known.setdefault((wish.setting.publication.id, wish.address.canonical), _Known())
        mailbox = self._short(mailbox_key(wish.address.canonical))
        if known.state in ("active", "paused"):
            if self._counts.add(f"already:{mailbox}", shield.ALREADY_NOTICE) > 1:
                return "ignored"
            self._already.append(wish)
            return "already"
        if known.asked_just_now:
            return "ignored"
        numbers = [self._counts.add(f"ask:{window.days}:{mailbox}", window) for window, _ in shield.PER_MAILBOX]
        if any(number > limit for number, (_, limit) in zip(numbers, shield.PER_MAILBOX, strict=True)):
            return "ignored"
        known.asked_just_now = True
        self._asked.append((wish, known))
        return "asked"

    def _hold(self, wish: Wish, reason: str) -> str:
        place = wish.setting.publication.id
        self._tallies[key(place, "machine" if wish.machine else "held", self._now)] += 1
        self._held.append(
            {
                "publication_id": place, "form_id": wish.setting.form.id, "email": wish.address.text, "canonical": wish.address.canonical,
                "name": wish.name, "answers": wish.answers, "via": wish.via[:60], "page": wish.page[:500], "reason": reason, "created_at": self._now,
            }
        )  # fmt: skip
        return "held"

    def _origin(self, wish: Wish) -> Origin:
        origins = wish.setting.origins
        return origins.get(wish.via) or (origins.get(SHARED, _NOWHERE) if self._by(wish) is not None else _NOWHERE)

    def _by(self, wish: Wish) -> int | None:
        """Whose share link she came by."""
        return shared_by(self._tokens, wish.via.removeprefix(SHARED)) if wish.via.startswith(SHARED) else None

    # What is written

    def write(self) -> None:
        """Write down what was decided: one statement for each table, past the query builder, whose work would cost more than theirs."""
        self._add_subscribers()
        self._add_subscriptions()
        notices = self._questions()
        notices += [self._notice(wish, "already", {}) for wish in self._already]
        if notices:
            rows = [[json.dumps(row[name]) if name == "facts" else row[name] for name in NOTICE] for row in notices]
            found: Any = wave(self._session, _NOTICES, _places(NOTICE), rows, now=self._now).all()
            ids = {row[1]: row[0] for row in found}
            for wish, notice in zip([*(wish for wish, _ in self._asked), *self._already], notices, strict=True):
                wish.notice_id = ids[notice["message_id"]]
        self._keep_held()
        add_all(self._session, self._tallies)
        self._counts.write()
        for publication in self._alarms.values():
            raise_alarm(self._session, self._links, publication, now=self._now)

    def _add_subscribers(self) -> None:
        fresh = {wish.address.canonical: wish.address.text for wish, known in self._asked if not known.subscriber_id}
        if fresh:
            rows = [(shown, canonical) for canonical, shown in fresh.items()]
            found: Any = wave(self._session, _SUBSCRIBERS, "vemail text, vcanonical text", rows, now=self._now).all()
            numbers = {row[1]: row[0] for row in found}
            for wish, known in self._asked:
                known.subscriber_id = known.subscriber_id or numbers[wish.address.canonical]

    def _add_subscriptions(self) -> None:
        fresh = [(wish, known) for wish, known in self._asked if not known.subscription_id]
        again = [(wish, known) for wish, known in self._asked if known.subscription_id]
        if fresh:
            rows = [
                (
                    known.subscriber_id,
                    wish.setting.publication.id,
                    self._origin(wish).channel_id,
                    self._origin(wish).link_id,
                    wish.setting.form.id,
                    self._by(wish),
                )
                for wish, known in fresh
            ]
            columns = "vperson bigint, vpub integer, vchannel integer, vlink integer, vform integer, vby bigint"
            found: Any = wave(self._session, _SUBSCRIPTIONS, columns, rows, now=self._now).all()
            numbers = {(row[1], row[2]): row[0] for row in found}
            for wish, known in fresh:
                known.subscription_id, known.state = numbers[known.subscriber_id, wish.setting.publication.id], "pending"
        for wish, known in again:
            row = self._session.get_one(Subscription, known.subscription_id)
            row.asked_at, row.form_id = self._now, wish.setting.form.id
            if self._origin(wish).channel_id:
                row.channel_id, row.link_id = self._origin(wish).channel_id, self._origin(wish).link_id
                row.recommended_by = self._by(wish)
        self._session.flush()

    def _questions(self) -> list[dict[str, Any]]:
        notices, confirmations, consents = [], [], []
        for wish, known in self._asked:
            secret = new_secret()
            facts: dict[str, object] = {"link": self._links.confirm(self._tokens.sign("confirm", secret))}
            notice = self._notice(wish, "confirm", facts, known.subscription_id)
            notices.append(notice)
            confirmations.append((known.subscription_id, digest(secret), wish.setting.form.id, wish.name, policy.compact(wish.answers)))
            consents.append(self._consent(wish, known, str(notice["message_id"])))
        if notices:
            columns = "vsub bigint, vdigest text, vform integer, vname text, vanswers text"
            wave(self._session, _CONFIRMATIONS, columns, confirmations, now=self._now)
            wave(self._session, _CONSENTS, _places(CONSENT), [[row[name] for name in CONSENT] for row in consents], now=self._now)
        return notices

    def _consent(self, wish: Wish, known: _Known, message_id: str) -> dict[str, Any]:
        setting = wish.setting
        wording_id = wish.wording_id if wish.wording_id in setting.wordings else next(reversed(setting.wordings))
        words, version = setting.wordings[wording_id]
        language, how, page, channel = setting.form.language or setting.publication.language, "typed into the form", wish.page[:500], self._origin(wish).name
        seal = sealed(
            known.previous,
            known.subscription_id,
            "asked",
            self._now,
            wish.address.text,
            how,
            words,
            version,
            language,
            setting.form.id,
            page,
            channel,
            message_id,
        )
        return {
            "subscription_id": known.subscription_id, "kind": "asked", "email": wish.address.text, "how": how, "wording_id": wording_id,
            "language": language, "form_id": setting.form.id, "page": page, "channel": channel, "message_id": message_id,
            "previous": known.previous, "digest": seal,
        }  # fmt: skip

    def _notice(self, wish: Wish, kind: str, facts: dict[str, object], subscription_id: int | None = None) -> dict[str, Any]:
        host = urlsplit(self._links.base).hostname or "localhost"
        language = wish.setting.form.language
        row = row_of(wish.setting.publication, kind, wish.address, now=self._now, form_host=host, language=language, facts=facts)
        return row | {"subscription_id": subscription_id}

    def _keep_held(self) -> None:
        """Quarantine is small: a flood is counted, not kept."""
        for place in {row["publication_id"] for row in self._held}:
            free = shield.MOST_HELD - len(self._session.scalars(select(Held.id).where(Held.publication_id == place).limit(shield.MOST_HELD)).all())
            rows = [row for row in self._held if row["publication_id"] == place][:free]
            if rows:
                self._session.execute(insert(Held), rows)


_NOWHERE = Origin()

NOTICE = ("publication_id", "kind", "sender", "recipient", "message_id", "form_host", "language", "facts", "subscription_id")
CONSENT = ("subscription_id", "kind", "email", "how", "wording_id", "language", "form_id", "page", "channel", "message_id", "previous", "digest")
_NUMBERS = {"publication_id", "subscription_id", "wording_id", "form_id"}


def _places(names: Sequence[str]) -> str:
    return ", ".join(f"v{name} {'bigint' if name in _NUMBERS else 'json' if name == 'facts' else 'text'}" for name in names)


_SUBSCRIBERS = "INSERT INTO subscribers (email, canonical, name, created_at) SELECT vemail, vcanonical, '', :now FROM {v} RETURNING id, canonical"
_SUBSCRIPTIONS = """
INSERT INTO subscriptions (subscriber_id, publication_id, state, asked_at, channel_id, link_id, form_id, recommended_by)
SELECT vperson, vpub, 'pending', :now, vchannel, vlink, vform, vby FROM {v} RETURNING id, subscriber_id, publication_id
"""
_CONFIRMATIONS = """
INSERT INTO confirmations (subscription_id, digest, purpose, form_id, name, answers, created_at)
SELECT vsub, vdigest, 'confirm', vform, vname, vanswers, :now FROM {v}
"""
# The names in these two are our own.
_CONSENTS = f"INSERT INTO consents ({', '.join(CONSENT)}, at) SELECT {', '.join(f'v{name}' for name in CONSENT)}, :now FROM {{v}}"  # noqa: S608
_NOTICES = f"""
INSERT INTO notices ({", ".join(NOTICE)}, state, sha256, attempts, reply, created_at, next_attempt_at)
SELECT {", ".join(f"v{name}" for name in NOTICE)}, 'queued', '', 0, '', :now, :now FROM {{v}} RETURNING id, message_id
"""  # noqa: S608


def raise_alarm(session: Session, links: Links, publication: Publication, *, now: datetime) -> None:
    """Tell the owners that unusually many sign-ups come in, once a day."""
    name = f"alarm:{publication.id}"
    row = session.get(Throttle, name, populate_existing=True)
    if row is not None and row.expires_at > now:
        return
    session.merge(Throttle(key=name, count=1, expires_at=now + timedelta(days=1)))
    session.flush()
    publication = session.get_one(Publication, publication.id)
    for owner in owners_of(session, publication.id):
        queue(session, publication=publication, kind="alarm", recipient=parse(owner.email), form_host="", now=now, link=links.shield(publication.slug))
