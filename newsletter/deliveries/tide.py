"""Noticing that an older copy of the database was put back (P9).

Whoever sent letters since that copy was made is not in it; to go on by itself would send them twice. So a number rises in
the database and in a file beside it. A database whose number is lower than the file's is an older one, and nothing leaves
until a person has said so.
"""

import contextlib
import os
import threading
from pathlib import Path

from sqlalchemy.orm import Session

from newsletter.accounts.actions import state_fact
from newsletter.accounts.queries import fact
from newsletter.process import Process


def is_frozen(session: Session) -> bool:
    """Whether somebody has to confirm before anything leaves."""
    return fact(session, "frozen") == "yes"


def look(process: Process) -> bool:
    """Compare database and file, and freeze when the database is older. Gives back whether it is frozen."""
    file = _file(process)
    with process.writing() as session:
        if _number(fact(session, "tide")) < _in_file(file):
            state_fact(session, name="frozen", value="yes", now=process.clock())
        return is_frozen(session)


def rise(process: Process) -> None:
    """Something has left: both numbers rise, the database first. A crash in between leaves the file lower, which is no harm."""
    with process.writing() as session:
        if is_frozen(session):
            return
        number = max(_number(fact(session, "tide")), _in_file(_file(process))) + 1
        state_fact(session, name="tide", value=str(number), now=process.clock())
    _write(_file(process), number)


def confirm(process: Process) -> None:
    """A person has looked: what is planned may leave."""
    with process.writing() as session:
        number = max(_number(fact(session, "tide")), _in_file(_file(process)))
        state_fact(session, name="tide", value=str(number), now=process.clock())
        state_fact(session, name="frozen", value="no", now=process.clock())


def _file(process: Process) -> Path:
    return process.settings.data_dir / "tide"


def _in_file(file: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(file.read_text("ascii"))
    return 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _write(file: Path, number: int) -> None:
    # Several senders may write at the same moment; each has a file of its own until the rename.
    fresh = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    fresh.write_text(str(number), "ascii")
    fresh.replace(file)
