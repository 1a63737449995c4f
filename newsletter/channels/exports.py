"""Reading how many follow from the files that platforms give their users. Names in them are counted and forgotten.

The files change with every year, language and device, so each is known by what is in it and not by its name: a list of
followers is counted; a table of days and numbers is taken as it is. What says something else is refused with a sentence
that says which file is meant.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

from bs4 import BeautifulSoup

from newsletter.channels.policy import checked
from newsletter.errors import Refused
from newsletter.i18n import mark

LARGEST = 64 * 1024 * 1024  # bytes, unpacked
MOST_FILES = 20_000
MOST_DAYS = 4000

# Inside a packed export, the files that can be meant; the rest is not even unpacked.
WANTED = re.compile(
    r"(^|/)(connections|user_data[\w-]*|friends|your_friends|[^/]*(abonnent|follower|subscriber)[\w -]*)\.(json|js|csv|html?|txt)$", re.IGNORECASE
)
OTHERS = re.compile(r"relationships_following|following", re.IGNORECASE)
LISTS = re.compile(r"^(relationships_followers|followers(_v\d+)?|friends(_v\d+)?|text_post_app_text_post_app_followers|fanslist)$", re.IGNORECASE)

WRONG_LIST = mark("This file lists whom you follow. The one with those who follow you is meant, often called “followers”.")
CHANGES = mark("This table says how many were added on each day, not how many there are. Look for the table of the total, or type the number in.")
UNKNOWN = mark("In this file there is neither a list of followers nor a table of days and numbers. Type the number in instead.")


@dataclass(frozen=True)
class Found:
    """What a file says.

    Args:
        points: days and how many followed then; no day means: when the file was made.
        people: whether it was a list of people, which were counted.
    """

    points: tuple[tuple[date | None, int], ...]
    people: bool


def read(name: str, stream: IO[bytes], today: date) -> Found:
    """How many follow, by a file of a platform.

    Args:
        name: what it is called; pages say by it what they list.
        stream: its bytes; a packed one is read where it lies.

    Raises:
        Refused: it says something else, or nothing that can be read.
    """
    packed = stream.read(4) == b"PK\x03\x04"
    stream.seek(0)
    if packed:
        return _packed(stream, today)
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Refused(mark("The file is too large. Ask the platform for your followers only, without pictures."), field="file")
    return _plain(name, data, today)


def _plain(name: str, data: bytes, today: date) -> Found:
    if not data.strip():
        raise Refused(mark("The file is empty."), field="file")
    text = _decoded(data)
    if text.lstrip()[:1] in "{[" or text.lstrip().startswith("window."):
        return _json(text)
    if "<html" in text[:2000].lower() or "<!doctype" in text[:200].lower():
        return _page(name, text)
    return _table(text, today)


def _packed(stream: IO[bytes], today: date) -> Found:
    refusals: list[Refused] = []
    people = 0
    try:
        with zipfile.ZipFile(stream) as packed:
            if len(packed.infolist()) > MOST_FILES:
                raise Refused(mark("The file cannot be unpacked."), field="file")
            for entry in packed.infolist():
                if not WANTED.search(entry.filename) or entry.file_size > LARGEST:
                    continue
                with packed.open(entry) as inside:
                    part = inside.read(LARGEST)
                try:
                    found = _plain(entry.filename, part, today)
                except Refused as error:
                    refusals.append(error)
                    continue
                if not found.people:
                    return found
                # Long lists come in several files: followers_1, followers_2 …
                people += sum(number for _, number in found.points)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Refused(mark("The file cannot be unpacked."), field="file") from error
    if people:
        return Found(((None, checked(people)),), True)
    raise refusals[0] if refusals else Refused(UNKNOWN, field="file")


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _json(text: str) -> Found:
    # X wraps its lists into a script: window.YTD.follower.part0 = [ … ]
    body = re.sub(r"^\s*window\.[\w.]+\s*=\s*", "", text)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(mark("The file is broken: it ends in the middle, or is no JSON."), field="file") from error
    if isinstance(found, list):
        return _counted(_people_in(found, text))
    for key, rows in _lists(found):
        if LISTS.match(key):
            return _counted(len(rows))
    if OTHERS.search(text[:2000]):
        raise Refused(WRONG_LIST, field="file")
    raise Refused(UNKNOWN, field="file")


def _people_in(rows: list[Any], text: str) -> int:
    """A bare list: of Instagram (string_list_data), of X (follower)."""
    if all(isinstance(row, dict) and "following" in row for row in rows) and rows:
        raise Refused(WRONG_LIST, field="file")
    known = [row for row in rows if isinstance(row, dict) and ("string_list_data" in row or "follower" in row)]
    if rows and not known:
        raise Refused(UNKNOWN, field="file")
    if not rows and "follower" not in text:
        raise Refused(UNKNOWN, field="file")
    return len(known)


def _lists(found: Any, depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(found, dict) and depth < 8:
        for key, value in found.items():
            if isinstance(value, list):
                yield str(key), value
            else:
                yield from _lists(value, depth + 1)


def _counted(number: int) -> Found:
    return Found(((None, checked(number)),), True)


def _page(name: str, text: str) -> Found:
    """An export as pages: one link for each person."""
    soup = BeautifulSoup(text, "html.parser")
    title = f"{name} {soup.title.get_text() if soup.title else ''}".lower()
    if re.search(r"following|gefolgt|abonniert", title) and not re.search(r"followers?\b|abonnent", title.replace("following", "")):
        raise Refused(WRONG_LIST, field="file")
    places = {str(link.get("href")) for link in soup.find_all("a", href=True)}
    people = {place for place in places if re.match(r"https?://(www\.)?(instagram|facebook|threads|tiktok)\.(com|net)/[^?#]+", place)}
    if not people:
        raise Refused(UNKNOWN, field="file")
    return _counted(len(people))


def _table(text: str, today: date) -> Found:
    rows = _rows(text)
    if not rows:
        raise Refused(UNKNOWN, field="file")
    series = _series(rows, today)
    if series:
        return Found(tuple(series), False)
    # LinkedIn lists connections below a note about them; Mastodon lists accounts as name@host.
    people = [row for row in rows if any(re.search(r"linkedin\.com/in/", cell) or re.fullmatch(r"@?[\w.-]+@[\w-]+(\.[\w-]+)+", cell) for cell in row)]
    if not people:
        raise Refused(UNKNOWN, field="file")
    head = " ".join(rows[0]).lower()
    if "show boosts" in head or "following" in head or "notify on new posts" in head:
        raise Refused(WRONG_LIST, field="file")
    return _counted(len(people))


def _rows(text: str) -> list[list[str]]:
    sample = "\n".join(text.splitlines()[:20])
    delimiter = max((",", ";", "\t"), key=sample.count)
    try:
        found = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise Refused(mark("The file is broken: its table cannot be read."), field="file") from error
    return [row for row in found if any(row)]


def _series(rows: list[list[str]], today: date) -> list[tuple[date | None, int]]:
    """Days and numbers, if the table is one of those."""
    dated = [(place, row) for place, row in enumerate(rows) if row and _day(row[0]) is not None]
    if len(dated) < 2 or len(dated) < 0.7 * len(rows) - 3:
        return []
    head = rows[dated[0][0] - 1] if dated[0][0] else []
    column = _column(head, dated[0][1])
    title = head[column].lower() if column < len(head) else ""
    numbers = [(_day(row[0]), _whole(row[column]) if column < len(row) else None) for _, row in dated]
    found = [(day, number) for day, number in numbers if day is not None and number is not None and day <= today]
    if re.search(r"\b(new|neue?r?|net|netto|gained|gewonnen|lost|verloren|change|änderung|zuwachs)\b", title) or any(number < 0 for _, number in found):
        raise Refused(CHANGES, field="file")
    return [(day, checked(number)) for day, number in sorted(found)[-MOST_DAYS:]]


def _column(head: list[str], row: list[str]) -> int:
    """Which column counts followers: by its head, or the only one with numbers."""
    for place, title in enumerate(head[1:], 1):
        if re.search(r"total|gesamt|follower|abonn|subscri|fans|audience|mitglied|member", title, re.IGNORECASE):
            return place
    numeric = [place for place, cell in enumerate(row[1:], 1) if _whole(cell) is not None]
    if len(numeric) != 1:
        raise Refused(UNKNOWN, field="file")
    return numeric[0]


def _day(text: str) -> date | None:
    text = text.strip().strip('"')[:25]
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%Y/%m/%d", "%b %d, %Y", "%Y%m%d"):
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 -- a day has no zone
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    text = text.strip().replace("\u00a0", "").replace(" ", "")
    if re.fullmatch(r"-?\d{1,3}([.,]\d{3})+", text):
        text = re.sub(r"[.,]", "", text)
    return int(text) if re.fullmatch(r"-?\d{1,15}", text) else None
