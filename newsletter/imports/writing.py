"""Writing a few thousand people at once: one transaction, one statement for each table."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from newsletter.growth.actions import add_all, key
from newsletter.imports.models import ChangedRow, Import, RefusedRow
from newsletter.imports.policy import Row
from newsletter.orm import insert_many, new_ids, stamp, wave
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.consents import record, sealed
from newsletter.subscriptions.models import Subscriber, Subscription, Suppression
from newsletter.subscriptions.policy import compact
from newsletter.tokens import Tokens

SUBSCRIBERS = ("id", "email", "canonical", "name", "created_at")
SUBSCRIPTIONS = (
    "id", "subscriber_id", "publication_id", "state", "consent_id", "asked_at", "confirmed_at", "ended_at", "rhythm", "language", "answers", "tags",
    "import_id",
)  # fmt: skip
CONSENTS = (
    "id", "subscription_id", "kind", "at", "email", "how", "wording_id", "language", "page", "channel", "message_id", "evidence", "previous", "digest",
)  # fmt: skip


@dataclass
class Counts:
    """What became of some rows."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    ended: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)

    def refuse(self, number: int, email: str, reason: str) -> None:
        self.refused.append((number, email[:254], reason))


class Known(NamedTuple):
    """What is known of an address already."""

    subscriber_id: int
    subscription_id: int | None
    state: str
    import_id: int | None
    name: str
    tags: str
    answers: str


class Writer:
    """Writes the rows of one import, a chunk in each transaction.

    Args:
        wording: number, text and hash of the basis on which these people may be written to; it is the wording of their consents.
        dry: only say what would happen.
    """

    def __init__(self, tokens: Tokens, job: Import, wording: tuple[int, str, str], language: str, *, dry: bool) -> None:
        self._tokens, self._job, self._wording, self._language, self._dry = tokens, job, wording, language, dry
        self._tags: dict[str, int] = {}
        self._how = f"imported from “{job.file_name}”"[:200]

    def write(self, session: Session, rows: Sequence[Row], *, now: datetime) -> Counts:
        """Write a chunk; give back what became of it. The caller commits."""
        counts = Counts()
        rows = self._without_twins(rows, counts)
        known = self._look_up(session, [one.canonical for one in rows])
        suppressed = self._suppressed(session, rows)
        fresh: list[Row] = []
        old: list[tuple[Row, Known]] = []
        for one in rows:
            found = known.get(one.canonical)
            if one.state in ("dead", "complaint"):
                self._suppress(session, one, found, counts, now)
            elif one.canonical in suppressed:
                counts.refuse(one.number, one.email, "suppressed")
            elif found is None or found.subscription_id is None:
                fresh.append(one)
            else:
                old.append((one, found))
        self._add(session, fresh, known, counts, now)
        self._change(session, old, counts, now)
        self._keep_refused(session, counts)
        return counts

    def _without_twins(self, rows: Sequence[Row], counts: Counts) -> list[Row]:
        seen: set[str] = set()
        kept = []
        for one in rows:
            if one.canonical in seen:
                counts.refuse(one.number, one.email, "twice")
            else:
                seen.add(one.canonical)
                kept.append(one)
        return kept

    def _look_up(self, session: Session, canonicals: list[str]) -> dict[str, Known]:
        sql = (
            "SELECT s.canonical, s.id, p.id, p.state, p.import_id, s.name, p.tags, p.answers FROM {v} JOIN subscribers s ON s.canonical = vcanonical "
            "LEFT JOIN subscriptions p ON p.subscriber_id = s.id AND p.publication_id = :publication"
        )
        rows: Any = wave(session, sql, "vcanonical text", [(one,) for one in canonicals], publication=self._job.publication_id)
        return {row[0]: Known(row[1], row[2], row[3] or "", row[4], row[5], row[6] or "", row[7] or "{}") for row in rows}

    def _suppressed(self, session: Session, rows: Sequence[Row]) -> set[str]:
        """Who must not be written to. Hashes are only made where there is anything to compare them with."""
        here = (Suppression.publication_id == self._job.publication_id) | Suppression.publication_id.is_(None)
        if session.scalar(select(Suppression.id).where(here).limit(1)) is None:
            return set()
        prints = {one: row.canonical for row in rows for one in self._tokens.fingerprints("suppression", row.canonical)}
        sql = "SELECT fingerprint FROM {v} JOIN suppressions ON fingerprint = vprint WHERE publication_id = :publication OR publication_id IS NULL"
        found = wave(session, sql, "vprint text", [(one,) for one in prints], publication=self._job.publication_id)
        return {prints[row[0]] for row in found}

    def _suppress(self, session: Session, one: Row, found: Known | None, counts: Counts, now: datetime) -> None:
        """Somebody whom the other program did not write to any more; whoever came from a file leaves, too (B7)."""
        counts.ended += 1
        if self._dry:
            return
        subscriptions.suppress(session, self._tokens, canonical=one.canonical, reason="imported", publication_id=self._job.publication_id, now=now)
        if found is not None and found.subscription_id is not None and found.import_id is not None:
            self._end(session, found.subscription_id, now)

    def _end(self, session: Session, subscription_id: int, now: datetime) -> None:
        row = session.get_one(Subscription, subscription_id, populate_existing=True)
        subscriptions.end(session, row, session.get_one(Subscriber, row.subscriber_id), how=self._how, now=now)

    # Who is new

    def _add(self, session: Session, rows: list[Row], known: dict[str, Known], counts: Counts, now: datetime) -> None:
        counts.added += sum(one.state != "unsubscribed" for one in rows)
        counts.ended += sum(one.state == "unsubscribed" for one in rows)
        if self._dry or not rows:
            return
        postgres = session.get_bind().dialect.name == "postgresql"
        at = stamp(now, session.get_bind().dialect)
        zone = "+00" if postgres else ""
        unknown = [one for one in rows if one.canonical not in known]
        ids = dict(zip((one.canonical for one in unknown), new_ids(session, "subscribers", len(unknown)), strict=True))
        people = [(ids[one.canonical], one.email, one.canonical, one.name, at) for one in unknown]
        place, job_id, how = self._job.publication_id, self._job.id, self._how
        wording_id, words, version = self._wording
        evidence = self._job.evidence[:500]
        subscribed: list[tuple[object, ...]] = []
        consents: list[tuple[object, ...]] = []
        tallies: Counter[tuple[str, str]] = Counter()
        numbers = zip(rows, new_ids(session, "subscriptions", len(rows)), new_ids(session, "consents", len(rows)), strict=True)
        for row, number, consent_id in numbers:
            joined = row.joined + zone if row.joined else at
            tallies["joined", joined[:10]] += 1
            # Whoever was in a pause there stays in one until she, or the founder, ends it: rather a letter too few.
            state, ended = row.state, None
            if row.state == "unsubscribed":
                ended = row.ended + zone if row.ended else at
                tallies["left", ended[:10]] += 1
            subscriber_id = ids.get(row.canonical) or known[row.canonical].subscriber_id
            tags = self._tags_of(session, row.tags) if row.tags or self._job.tags else ""
            language = row.language if row.language != self._language else ""
            subscribed.append((number, subscriber_id, place, state, consent_id, joined, joined, ended, "each", language, row.answers, tags, job_id))
            proof = f"{row.evidence} · {evidence}"[:500].strip(" ·") if row.evidence else evidence
            seal = sealed("", number, "imported", now, row.email, how, words, version, self._language, evidence=proof)
            consents.append((consent_id, number, "imported", at, row.email, how, wording_id, self._language, "", "", "", proof, "", seal))
        insert_many(session, "subscribers", SUBSCRIBERS, people)
        insert_many(session, "subscriptions", SUBSCRIPTIONS, subscribed)
        insert_many(session, "consents", CONSENTS, consents)
        add_all(session, {(place, kind, date.fromisoformat(day), 0): n for (kind, day), n in tallies.items()})

    def _tags_of(self, session: Session, names: tuple[str, ...]) -> str:
        wanted = (*self._job.tags, *names)
        for name in wanted:
            if name not in self._tags:
                self._tags[name] = subscriptions.tag(session, self._job.publication_id, name)
        return subscriptions.with_tags("", [self._tags[name] for name in wanted])

    # Who is known

    def _change(self, session: Session, rows: list[tuple[Row, Known]], counts: Counts, now: datetime) -> None:
        changes: list[tuple[Known, str, str, str]] = []
        for one, found in rows:
            if found.state == "unsubscribed":
                # Somebody who left here does not come back by a file; she can come back herself (B7, C9).
                counts.refuse(one.number, one.email, "left")
            elif one.state == "unsubscribed":
                self._leave(session, one, found, counts, now)
            elif found.state == "pending":
                self._vouch(session, one, found, now)
                counts.updated += 1
            elif (changed := self._changed(session, one, found)) is not None:
                changes.append((found, *changed))
                counts.updated += 1
            else:
                counts.unchanged += 1
        if changes and not self._dry:
            self._write_changes(session, changes)

    def _leave(self, session: Session, one: Row, found: Known, counts: Counts, now: datetime) -> None:
        """Whoever confirmed here has decided here; whoever came from a file leaves by a file."""
        if found.import_id is None:
            counts.unchanged += 1
            return
        counts.ended += 1
        if not self._dry and found.subscription_id is not None:
            self._end(session, found.subscription_id, now)

    def _vouch(self, session: Session, one: Row, found: Known, now: datetime) -> None:
        """She asked here and has not confirmed; the founder's evidence from elsewhere stands in for that."""
        if self._dry or found.subscription_id is None:
            return
        row = session.get_one(Subscription, found.subscription_id, populate_existing=True)
        row.consent_id = record(
            session, row, kind="imported", email=one.email, how=self._how, wording_id=self._wording[0], language=self._language, at=now,
            evidence=one.evidence or self._job.evidence,
        )  # fmt: skip
        row.become("active")
        row.confirmed_at, row.import_id = now, self._job.id
        add_all(session, {key(self._job.publication_id, "joined", now, row.channel_id): 1})

    def _changed(self, session: Session, row: Row, found: Known) -> tuple[str, str, str] | None:
        """Name, tags and answers as they would be; nothing is ever emptied, and a name that is known stays."""
        if not self._job.update:
            return None
        name = found.name or row.name
        tags = found.tags
        if row.tags or self._job.tags:
            if self._dry:
                tags = tags if not row.tags else f"{tags}?"
            else:
                numbers = [int(one) for one in self._tags_of(session, row.tags).split(",") if one]
                tags = subscriptions.with_tags(found.tags, numbers)
        answers = compact(json.loads(found.answers) | json.loads(row.answers)) if row.answers != "{}" else found.answers
        after = (name, tags, answers)
        return after if after != (found.name, found.tags, found.answers) else None

    def _write_changes(self, session: Session, changes: list[tuple[Known, str, str, str]]) -> None:
        session.execute(
            insert(ChangedRow),
            [
                {"import_id": self._job.id, "subscription_id": found.subscription_id, "name": found.name, "tags": found.tags, "answers": found.answers}
                for found, *_ in changes
            ],
        )
        rows = [(found.subscription_id, found.subscriber_id, name, tags, answers) for found, name, tags, answers in changes]
        columns = "vid bigint, vperson bigint, vname text, vtags text, vanswers text"
        wave(session, "UPDATE subscriptions SET tags = vtags, answers = vanswers FROM {v} WHERE id = vid", columns, rows)
        wave(session, "UPDATE subscribers SET name = vname FROM {v} WHERE id = vperson AND name <> vname", columns, rows)

    def _keep_refused(self, session: Session, counts: Counts) -> None:
        if counts.refused:
            keep_refused(session, self._job.id, counts.refused)


def keep_refused(session: Session, import_id: int, rows: Sequence[tuple[int, str, str]]) -> None:
    """Remember rows that were not taken: number, address, reason."""
    values: list[dict[str, Any]] = [{"import_id": import_id, "row": number, "email": email, "reason": reason} for number, email, reason in rows]
    session.execute(insert(RefusedRow), values)
