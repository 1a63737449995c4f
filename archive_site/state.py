"""What an archive was made from and what was written: one SQLite file beside the releases.

It answers "what uses this?", so that a new letter costs as much in an archive of ten thousand as in one of ten. It
is a cache: whoever deletes it pays with one full build.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from archive_site.folder import letter_of, row_of
from archive_site.site import Letter, may_be_called
from archive_site.slugs import slugify

# Another number throws the file away. It belongs to the shape of the tables and to everything that is kept in them.
SHAPE = "2"
PER_PAGE = 20
REMEMBERED = 2000  # heads of letters in memory, a kilobyte each
TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE letters (
    id INTEGER PRIMARY KEY, mark TEXT NOT NULL, shown TEXT NOT NULL, wakes TEXT, slug TEXT NOT NULL, row TEXT NOT NULL);
CREATE INDEX letters_wakes ON letters (wakes) WHERE wakes IS NOT NULL;
CREATE UNIQUE INDEX letters_slug ON letters (slug) WHERE shown <> 'hidden';
CREATE TABLE texts (id INTEGER PRIMARY KEY, html TEXT NOT NULL, markdown TEXT NOT NULL, checked INTEGER NOT NULL);
CREATE TABLE old_slugs (slug TEXT NOT NULL, letter INTEGER NOT NULL, PRIMARY KEY (slug, letter)) WITHOUT ROWID;
CREATE INDEX old_slugs_letter ON old_slugs (letter);
CREATE TABLE places (list TEXT NOT NULL, rank INTEGER NOT NULL, letter INTEGER NOT NULL, sort TEXT NOT NULL, PRIMARY KEY (list, rank)) WITHOUT ROWID;
CREATE INDEX places_letter ON places (letter);
CREATE INDEX places_sort ON places (list, sort);
CREATE TABLE images (name TEXT NOT NULL, letter INTEGER NOT NULL, PRIMARY KEY (name, letter)) WITHOUT ROWID;
CREATE INDEX images_letter ON images (letter);
CREATE TABLE files (path TEXT PRIMARY KEY, unit TEXT NOT NULL, part TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, public INTEGER NOT NULL)
WITHOUT ROWID;
CREATE INDEX files_unit ON files (unit);
CREATE INDEX files_part ON files (part);
CREATE TABLE journal (id INTEGER PRIMARY KEY, stage TEXT NOT NULL, kind TEXT NOT NULL, paths TEXT NOT NULL);
CREATE TABLE sent (target TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (target, path)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Place:
    """A letter in a list. Ranks count from the oldest, so that they stay when newer ones come."""

    rank: int
    letter: int


@dataclass(frozen=True)
class Count:
    """How many letters a list has, and its pages. Page 1 is the oldest; the newest 20 to 39 stand on the front."""

    letters: int

    @property
    def full(self) -> int:
        """Pages that are full and never change when a letter is added."""
        return self.letters // PER_PAGE

    @property
    def pages(self) -> int:
        """Pages with an address of their own; the last full one is part of the front."""
        return max(0, self.full - 1)

    @property
    def front(self) -> int:
        """The first rank that stands on the front."""
        return self.pages * PER_PAGE


class State:
    """Opens the file, or makes it anew when it is of another shape or damaged.

    Args:
        file: None: keep nothing.
        reading: only look into it, beside the process that writes.
    """

    def __init__(self, file: Path | None, *, reading: bool = False) -> None:
        self._heads: dict[int, Letter] = {}
        if file is None:
            self.db = sqlite3.connect(":memory:", isolation_level=None)
            self.db.executescript(TABLES)
            return
        self.file = file
        if reading:
            self.db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=60)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.db = self._open()
        except sqlite3.OperationalError:
            raise  # it is busy or the disk is full; that says nothing against what is in it
        except sqlite3.DatabaseError:
            for path in file.parent.glob(f"{file.name}*"):
                path.unlink()
            self.db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, timeout=60)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA cache_size=-8000")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
                db.executescript(f"BEGIN; {TABLES} INSERT INTO facts VALUES ('shape', '{SHAPE}'); COMMIT")  # noqa: S608 -- our own constants
            shape = db.execute("SELECT value FROM facts WHERE name = 'shape'").fetchone()
            if shape is None or shape[0] != SHAPE:
                raise sqlite3.DatabaseError("another shape")
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def close(self) -> None:
        self.db.close()

    def fact(self, name: str) -> str:
        """Something written down, or nothing."""
        row = self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else ""

    def state_fact(self, name: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def marks(self, only: list[int] | None = None) -> dict[int, str]:
        """Every letter that was read, or these, with its mark."""
        if only is None:
            return dict(self.db.execute("SELECT id, mark FROM letters"))
        return dict(self.db.execute("SELECT id, mark FROM letters WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(only),)))

    def asleep_until(self, now: datetime) -> list[tuple[int, str]]:
        """Letters whose appearance changes by this moment, with their marks."""
        return self.db.execute("SELECT id, mark FROM letters WHERE wakes <= ? ORDER BY id", (_utc(now),)).fetchall()

    def letter(self, letter_id: int) -> Letter | None:
        """A letter with its text."""
        head = self.head(letter_id)
        row = self.db.execute("SELECT html, markdown FROM texts WHERE id = ?", (letter_id,)).fetchone()
        return replace(head, html=row[0], markdown=row[1]) if head is not None and row else None

    def head(self, letter_id: int) -> Letter | None:
        """A letter without its text."""
        if letter_id not in self._heads:
            row = self.db.execute("SELECT row FROM letters WHERE id = ?", (letter_id,)).fetchone()
            if row is None:
                return None
            self._remember(letter_id, row[0])
        return self._heads[letter_id]

    def _remember(self, letter_id: int, row: str) -> Letter:
        if len(self._heads) >= REMEMBERED:
            self._heads.clear()
        self._heads[letter_id] = found = letter_of(json.loads(row) | {"html": ""})
        return found

    def was_checked(self, letter_id: int) -> bool:
        """Whether the text of a letter has passed the checks since it changed."""
        row = self.db.execute("SELECT checked FROM texts WHERE id = ?", (letter_id,)).fetchone()
        return bool(row and row[0])

    def shown(self, letter_id: int) -> str:
        """How a letter appears; ``hidden`` for one that is not there."""
        row = self.db.execute("SELECT shown FROM letters WHERE id = ?", (letter_id,)).fetchone()
        return row[0] if row else "hidden"

    def keep(self, letter: Letter, mark: str, shown: str, wakes: datetime | None = None) -> None:
        """Write down a letter. Its places in lists are a matter of :mod:`archive_site.changes`."""
        self._heads.pop(letter.id, None)
        row = row_of(letter)
        html, markdown = row.pop("html"), row.pop("markdown")
        values = (letter.id, mark, shown, _utc(wakes) if wakes else None, letter.slug, _whole(json.dumps(row, ensure_ascii=False, sort_keys=True)))
        self.db.execute("INSERT OR REPLACE INTO letters VALUES (?, ?, ?, ?, ?, ?)", values)
        self.db.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?, 0)", (letter.id, _whole(html), _whole(markdown)))
        self.db.execute("DELETE FROM old_slugs WHERE letter = ?", (letter.id,))
        self.db.executemany(
            "INSERT OR IGNORE INTO old_slugs VALUES (?, ?)", [(slug, letter.id) for slug in letter.old_slugs if slug != letter.slug and may_be_called(slug)]
        )

    def forget(self, letter_id: int) -> None:
        self._heads.pop(letter_id, None)
        for table, column in (("letters", "id"), ("texts", "id"), ("old_slugs", "letter"), ("images", "letter")):
            self.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (letter_id,))  # noqa: S608 -- our own constants

    def forget_everything(self) -> None:
        """Read every letter anew next time."""
        self._heads.clear()
        for table in ("letters", "texts", "old_slugs", "images", "places"):
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own constants

    def count(self, name: str) -> Count:
        row = self.db.execute("SELECT max(rank) FROM places WHERE list = ?", (name,)).fetchone()
        return Count(0 if row[0] is None else row[0] + 1)

    def places(self, name: str, begin: int = 0, end: int | None = None) -> list[Place]:
        """The letters of a list between two ranks, oldest first."""
        rows = self.db.execute("SELECT rank, letter FROM places WHERE list = ? AND rank >= ? AND rank < ? ORDER BY rank", (name, begin, end or 1 << 60))
        return [Place(*row) for row in rows]

    def heads(self, name: str, begin: int = 0, end: int | None = None) -> list[Letter]:
        """The same, as letters without their texts."""
        rows = self.db.execute("SELECT letter FROM places WHERE list = ? AND rank >= ? AND rank < ? ORDER BY rank", (name, begin, end or 1 << 60))
        return [head for row in rows.fetchall() if (head := self.head(row[0])) is not None]

    def rank(self, name: str, letter_id: int) -> int | None:
        row = self.db.execute("SELECT rank FROM places WHERE letter = ? AND list = ?", (letter_id, name)).fetchone()
        return row[0] if row else None

    def lists_of(self, letter_id: int) -> list[str]:
        return [row[0] for row in self.db.execute("SELECT list FROM places WHERE letter = ?", (letter_id,))]

    def lists(self, kind: str = "") -> list[str]:
        """The names of all lists, or of one kind (``tag``, ``series``, ``author``, ``year``)."""
        at, end = (f"{kind}:", f"{kind};") if kind else ("", "\uffff")
        found = []
        # One look into the index for each list; DISTINCT would read every place of every letter.
        while (row := self.db.execute("SELECT min(list) FROM places WHERE list > ?", (at,)).fetchone()) and row[0] is not None and row[0] < end:
            found.append(at := row[0])
        return found

    def ids(self) -> Iterator[int]:
        """Every letter that has a page."""
        for row in self.db.execute("SELECT id FROM letters WHERE shown <> 'hidden' ORDER BY id").fetchall():
            yield row[0]


def sort_key(letter: Letter) -> str:
    """Older letters first; two of one moment by their id."""
    return f"{_utc(letter.published)} {letter.id:015d}"


def _whole(text: str) -> str:
    """Text without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def lists_for(letter: Letter, timezone: str, author: str) -> list[str]:
    """The lists that a letter stands in."""
    year = letter.published.astimezone(ZoneInfo(timezone)).year
    names = [
        "all",
        f"year:{year}",
        *(f"tag:{slugify(tag)}" for tag in letter.tags),
        *(f"author:{slugify(name)}" for name in letter.authors or (author,) if name),
    ]
    return sorted({*names, *([f"series:{slugify(letter.series)}"] if letter.series else [])})


def not_before(moment: str, now: datetime) -> datetime:
    """The later of what was written down and now: a clock that goes back makes no letter disappear."""
    return max(now, datetime.fromisoformat(moment)) if moment else now
