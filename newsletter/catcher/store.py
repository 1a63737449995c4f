"""The catcher's mailbox: a small SQLite file of its own, so that it disturbs nobody."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path


@dataclass(frozen=True)
class Caught:
    """One mail as it arrived."""

    id: int
    at: datetime
    sender: str
    recipient: str
    subject: str
    message_id: str
    raw: bytes = b""

    def message(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = BytesParser(policy=policy.default).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def body(self, kind: str) -> str:
        """The text of the part ``plain`` or ``html``."""
        part = self.message().get_body((kind,))
        return str(part.get_content()) if part else ""


@dataclass(frozen=True)
class CaughtText:
    """One text message as it was handed over."""

    at: datetime
    number: str
    text: str


class Store:
    """The mailbox of one DATA_DIR."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "catcher.db"

    def prepare(self) -> None:
        """Make the file if it is not there."""
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, at TEXT NOT NULL, sender TEXT NOT NULL,"
                " recipient TEXT NOT NULL, subject TEXT NOT NULL, message_id TEXT NOT NULL, raw BLOB NOT NULL)"
            )

    def keep_text(self, number: str, text: str, key: str) -> int:
        """Write a text message to disk; the same key twice is kept once."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, at TEXT NOT NULL, number TEXT NOT NULL, text TEXT NOT NULL,"
                " key TEXT NOT NULL UNIQUE)"
            )
            database.execute("INSERT OR IGNORE INTO texts (at, number, text, key) VALUES (?, ?, ?, ?)", (now, number, text, key))
            return int(database.execute("SELECT id FROM texts WHERE key = ?", (key,)).fetchone()[0])

    def texts(self, limit: int = 100) -> list[CaughtText]:
        """The newest text messages."""
        with self._open() as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'texts'").fetchone():
                return []
            rows = database.execute("SELECT at, number, text FROM texts ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [CaughtText(datetime.fromisoformat(row[0]), row[1], row[2]) for row in rows]

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Write a mail to disk; only then may the server say 250."""
        head = BytesParser(policy=policy.default).parsebytes(raw, headersonly=True)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = (now, sender, ", ".join(recipients), str(head.get("Subject", "")), str(head.get("Message-ID", "")), raw)
        with self._open() as database:
            database.execute("INSERT INTO mails (at, sender, recipient, subject, message_id, raw) VALUES (?, ?, ?, ?, ?, ?)", row)

    def latest(self, limit: int = 100, recipient: str = "") -> list[Caught]:
        """The newest mails without their bytes."""
        with self._open() as database:
            rows = database.execute(
                "SELECT id, at, sender, recipient, subject, message_id FROM mails WHERE recipient LIKE ? ORDER BY id DESC LIMIT ?",
                (f"%{recipient}%", limit),
            ).fetchall()
        return [Caught(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in rows]

    def get(self, mail_id: int) -> Caught | None:
        """One mail with its bytes."""
        with self._open() as database:
            row = database.execute("SELECT id, at, sender, recipient, subject, message_id, raw FROM mails WHERE id = ?", (mail_id,)).fetchone()
        return Caught(row[0], datetime.fromisoformat(row[1]), *row[2:]) if row else None

    def count(self) -> int:
        """How many mails there are."""
        with self._open() as database:
            return int(database.execute("SELECT count(*) FROM mails").fetchone()[0])

    def message_ids(self) -> list[str]:
        """The Message-ID of every mail; a double would stand there twice."""
        with self._open() as database:
            return [row[0] for row in database.execute("SELECT message_id FROM mails ORDER BY id")]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=20)
        try:
            with connection:
                yield connection
        finally:
            connection.close()
