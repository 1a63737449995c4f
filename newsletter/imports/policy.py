"""What a row of a file says about a person, decided without I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.imports.presets import MEANINGS, state_of
from newsletter.mail.addresses import parse
from newsletter.mail.addresses import plain as address
from newsletter.spreadsheets import plain
from newsletter.subscriptions.policy import compact

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
MOST_TAGS_IN_A_ROW = 50


class Row(NamedTuple):
    """One person, as a file describes her.

    Args:
        number: the row of the file.
        state: active, paused, unsubscribed, dead or complaint.
        joined: when she confirmed elsewhere, in UTC, as a database writes it; or nothing.
    """

    number: int
    email: str
    canonical: str
    name: str
    state: str
    joined: str
    ended: str
    tags: tuple[str, ...]
    language: str
    answers: str
    evidence: str


class RowRefused(Exception):
    """A row that says nothing that could be taken; ``reason`` is one of :data:`newsletter.imports.forms.REASONS`."""

    def __init__(self, reason: str, email: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.email = email


@dataclass(frozen=True)
class Columns:
    """Which column is what.

    Args:
        columns: by meaning; a meaning of "evidence" may have several.
        fields: columns that become answers, by their keys.
        always: the state of everybody, where there is no column that says it.
    """

    columns: dict[str, list[int]]
    fields: dict[int, str]
    always: str
    zone: str = "UTC"


def mapping_of(stored: Mapping[str, Any], zone: str) -> Columns:
    """A mapping as it was stored: ``{"columns": {"0": "email", "3": "field:city"}, "always": "active"}``.

    Raises:
        Refused: no column has the addresses, or one meaning was given twice.
    """
    columns: dict[str, list[int]] = {}
    fields: dict[int, str] = {}
    for index, meaning in stored.get("columns", {}).items():
        if meaning.startswith("field:"):
            fields[int(index)] = re.sub(r"[^a-z0-9_]", "_", meaning[6:].casefold())[:40]
        elif meaning in MEANINGS or meaning in ("dead", "disabled"):
            columns.setdefault(meaning, []).append(int(index))
    if "email" not in columns:
        raise Refused(mark("Please say in which column the addresses are."), field="columns")
    if any(len(found) > 1 for meaning, found in columns.items() if meaning != "evidence"):
        raise Refused(mark("Two columns cannot mean the same."), field="columns")
    return Columns(columns, fields, stored.get("always", "") or "active", zone)


class Reader:
    """Reads rows by a mapping. Made once for a file: a million rows pass through :meth:`read`."""

    def __init__(self, mapping: Columns) -> None:
        first = {meaning: found[0] for meaning, found in mapping.columns.items()}
        self._mapping = mapping
        self._email = first["email"]
        self._least = self._email
        self._name, self._first, self._last = first.get("name"), first.get("first"), first.get("last")
        self._state, self._joined, self._ended = first.get("state"), first.get("joined"), first.get("ended")
        self._tags, self._language, self._dead, self._disabled = first.get("tags"), first.get("language"), first.get("dead"), first.get("disabled")
        self._evidence = mapping.columns.get("evidence", [])
        self._simple = not any((self._state is not None, self._ended is not None, self._dead is not None, self._disabled is not None))

    def read(self, number: int, cells: Sequence[str]) -> Row:
        """What a row says.

        Raises:
            RowRefused: nothing that could be taken.
        """
        width = len(cells)
        if width <= self._least:
            raise RowRefused("too few cells")
        email, canonical = address_of(cells[self._email])
        name = self._name_in(cells, width)
        state = self._mapping.always if self._simple else self._state_in(cells, width, email)
        joined = moment_of(cells[self._joined], self._mapping.zone) if self._joined is not None and self._joined < width else ""
        ended = moment_of(cells[self._ended], self._mapping.zone) if self._ended is not None and self._ended < width else ""
        tags = tags_of(cells[self._tags]) if self._tags is not None and self._tags < width else ()
        language = cells[self._language].strip()[:2].casefold() if self._language is not None and self._language < width else ""
        answers = self._answers_in(cells, width) if self._mapping.fields else "{}"
        evidence = " · ".join(cells[index].strip() for index in self._evidence if index < width and cells[index].strip())[:500] if self._evidence else ""
        if not (name + answers + evidence).isprintable() and _CONTROL.search(name + answers + evidence):
            raise RowRefused("control characters", email)
        return Row(number, email, canonical, name, state, joined, ended, tags, language if language in ("de", "en") else "", answers, evidence)

    def _name_in(self, cells: Sequence[str], width: int) -> str:
        if self._name is not None and self._name < width and cells[self._name]:
            return " ".join(plain(cells[self._name]).split())[:120]
        parts = [cells[index] for index in (self._first, self._last) if index is not None and index < width]
        return " ".join(" ".join(map(plain, parts)).split())[:120] if parts else ""

    def _state_in(self, cells: Sequence[str], width: int, email: str) -> str:
        if self._dead is not None and self._dead < width and cells[self._dead].strip() not in ("", "0"):
            return "dead"
        if self._disabled is not None and self._disabled < width and state_of(cells[self._disabled]) == "active":
            return "unsubscribed"
        state = self._mapping.always
        if self._state is not None and self._state < width and cells[self._state].strip():
            state = state_of(cells[self._state])
        elif self._ended is not None and self._ended < width and cells[self._ended].strip() not in ("", "0") and state == "active":
            state = "unsubscribed"
        if not state:
            raise RowRefused("unknown state", email)
        if state == "pending":
            # Nobody who was never confirmed elsewhere becomes confirmed by being carried over (L1).
            raise RowRefused("unconfirmed", email)
        return state

    def _answers_in(self, cells: Sequence[str], width: int) -> str:
        found = {key: " ".join(plain(cells[index]).split())[:500] for index, key in self._mapping.fields.items() if index < width and cells[index].strip()}
        return compact(found) if found else "{}"


def address_of(cell: str) -> tuple[str, str]:
    """The address in a cell, as it is shown and as it is compared.

    Raises:
        RowRefused: there is none.
    """
    if (short := address(cell)) is not None:
        return short
    text = plain(cell.strip().strip("<>")).strip()
    if not text:
        raise RowRefused("no address")
    try:
        found = parse(text)
    except Refused as error:
        raise RowRefused("bad address", text[:254]) from error
    return found.text, found.canonical


@lru_cache(maxsize=8192)
def moment_of(cell: str, zone: str) -> str:
    """A moment as programs write it, in UTC as databases write it; nothing when it is none. Without a zone it is in the publication's."""
    found = _moment(cell.strip(), zone)
    return found.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if found is not None and 1990 <= found.year <= 2100 else ""


def _moment(text: str, zone: str) -> datetime | None:
    if not text or text == "0":
        return None
    if text.isascii() and text.isdigit() and 9 <= len(text) <= 10:
        return datetime.fromtimestamp(int(text), UTC)
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?", text)
    american = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?", text)
    try:
        if german:
            day, month, year, *clock = (int(part or 0) for part in german.groups())
            found = datetime(year, month, day, clock[0], clock[1], clock[2])  # noqa: DTZ001 -- the zone follows below
        elif american:
            month, day, year, *clock = (int(part or 0) for part in american.groups())
            found = datetime(year, month, day, clock[0], clock[1], clock[2])  # noqa: DTZ001 -- the same
        else:
            found = datetime.fromisoformat(re.sub(r" ?(?:UTC|GMT)$", "+00:00", text))
    except ValueError:
        return None
    return found.replace(tzinfo=ZoneInfo(zone)) if found.tzinfo is None else found


@lru_cache(maxsize=8192)
def tags_of(cell: str) -> tuple[str, ...]:
    """Tags as programs write them: between commas, semicolons or bars, in quotation marks or brackets."""
    text = plain(cell.strip()).strip("[]")
    found = (" ".join(part.strip().strip("\"'").split())[:60] for part in re.split(r"[,;|]", text))
    return tuple(dict.fromkeys(tag for tag in found if tag and not _CONTROL.search(tag)))[:MOST_TAGS_IN_A_ROW]
