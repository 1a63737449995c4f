"""A publication as a folder, so that an archive can be kept and built without the service that made it.

::

    site.json                        name, base, language …
    letters/<id>-<slug>.json         title, tags, dates … of one letter
    letters/<id>-<slug>.md, .html    its text, as it was written and as it is shown
    media/<name>                     its images
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from archive_site.artifact import write
from archive_site.site import Landing, Letter, Site
from archive_site.source import Broken, SourceBroken, Stamp

IMAGE = re.compile(r"/media/([A-Za-z0-9_-]{1,60}\.[a-z]{3,4})")
LETTER = tuple(field.name for field in fields(Letter))
MOMENTS = ("published", "changed", "listed_from")


class FolderSource:
    """Reads an exported folder.

    Raises:
        SourceBroken: ``site.json`` is missing or not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[int, str] = {}
        self._broken: list[Broken] = []
        try:
            described = json.loads((folder / "site.json").read_text("utf-8"))
            known = {field.name for field in fields(Site)} - {"media"}
            values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in described.items() if name in known}
            landings = tuple(landing_of(row) for row in values.pop("landings", ()))
            self._site = Site(**values, landings=landings, media=folder / "media")
        except OSError as error:
            raise SourceBroken(f"{error.filename} cannot be read: {error.strerror}.") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise SourceBroken(f"{folder / 'site.json'} is not as it should be: {error}.") from error

    @property
    def site(self) -> Site:
        return self._site

    def stamps(self, only: list[int] | None = None) -> Iterator[Stamp]:
        """Letters by the names, sizes and times of their files; nothing is opened."""
        self._names, self._broken = {}, []
        marks: dict[str, list[str]] = {}
        letters = self._folder / "letters"
        for entry in sorted(os.scandir(letters), key=lambda entry: entry.name) if letters.is_dir() else []:
            stem, _, suffix = entry.name.rpartition(".")
            if suffix in ("json", "md", "html") and not stem.startswith("."):
                seen = entry.stat()
                marks.setdefault(stem, []).append(f"{entry.name}:{seen.st_size}:{seen.st_mtime_ns}")
        for name, parts in marks.items():
            lead = name.partition("-")[0]
            if not re.fullmatch(r"[0-9]{1,15}", lead):
                self._broken.append(Broken(0, name, "its name has to begin with the number of the letter"))
            elif int(lead) in self._names:
                self._broken.append(Broken(0, name, f"it has the same number as {self._names[int(lead)]}"))
            else:
                self._names[int(lead)] = name
                yield Stamp(int(lead), hashlib.blake2b("".join(parts).encode(), digest_size=12).hexdigest())

    @property
    def broken(self) -> list[Broken]:
        """Files that do not even say which letter they are, as of the last look."""
        return self._broken

    def letters(self, ids: Iterable[int]) -> Iterator[Letter | Broken]:
        for number in ids:
            name = self._names[number]
            try:
                yield self._letter(number, name)
            except OSError as error:
                yield Broken(number, Path(str(error.filename)).name, error.strerror or str(error))
            except (ValueError, KeyError, TypeError) as error:
                yield Broken(number, f"{name}.json", f"{type(error).__name__}: {error}")

    def _letter(self, number: int, name: str) -> Letter:
        folder = self._folder / "letters"
        row: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
        markdown = folder / f"{name}.md"
        row["markdown"] = markdown.read_text("utf-8") if markdown.is_file() else ""
        return letter_of(row | {"id": number, "html": (folder / f"{name}.html").read_text("utf-8")})


def landing_of(row: dict[str, Any]) -> Landing:
    """A Landing from what JSON can hold.

    Raises:
        ValueError, KeyError, TypeError: it is not what a landing page is made of.
    """
    if not re.fullmatch(r"[a-z0-9]{1,40}", row["code"]):
        raise ValueError(f"“{row['code']}” is no code of a link")
    return Landing(row["code"], str(row["title"]), str(row.get("lead", "")), tuple((str(label), str(address)) for label, address in row.get("entries", ())))


def letter_of(row: dict[str, Any]) -> Letter:
    """A Letter from what JSON can hold.

    Raises:
        ValueError, KeyError, TypeError: it is not what a letter is made of.
    """
    values = {key: value for key, value in row.items() if key in LETTER}
    for key in MOMENTS:
        if values.get(key) is not None:
            moment = datetime.fromisoformat(values[key])
            if moment.tzinfo is None:
                raise ValueError(f"“{key}” has no time zone")
            values[key] = moment
    for key in ("tags", "authors", "old_slugs"):
        values[key] = tuple(str(item) for item in values.get(key) or ())
    for key in ("translations", "mentions", "answers"):
        values[key] = tuple(tuple(str(part) for part in item) for item in values.get(key) or ())
    for key in ("title", "summary", "html", "markdown", "series", "language", "cover", "cover_alt"):
        values[key] = str(values.get(key, ""))
    return Letter(**values | {"id": int(values["id"]), "number": int(values.get("number", values["id"])), "minutes": int(values.get("minutes", 1))})


def row_of(letter: Letter) -> dict[str, Any]:
    """The opposite of :func:`letter_of`."""
    # asdict would copy every word of it.
    row = {name: getattr(letter, name) for name in LETTER}
    for key in MOMENTS:
        row[key] = row[key].isoformat() if row[key] is not None else None
    return row


def save(site: Site, letters: Iterable[Letter], folder: Path) -> None:
    """Write a publication into a folder that :class:`FolderSource` can read."""
    described = asdict(site)
    described.pop("media")
    used = {site.logo} - {""}
    for letter in letters:
        used |= {*IMAGE.findall(letter.html), *([letter.cover] if letter.cover else [])}
        row = row_of(letter)
        write(folder / "letters" / f"{letter.id}-{letter.slug}.html", row.pop("html").encode())
        write(folder / "letters" / f"{letter.id}-{letter.slug}.md", row.pop("markdown").encode())
        write(folder / "letters" / f"{letter.id}-{letter.slug}.json", (json.dumps(row, ensure_ascii=False, indent=1) + "\n").encode())
    for name in sorted(used):
        if (site.media / name).is_file():
            write(folder / "media" / name, (site.media / name).read_bytes())
    write(folder / "site.json", (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode())
