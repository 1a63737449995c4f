"""A Site as a folder, so that an archive can be kept and built without the service that made it.

::

    site.json                   name, base, language …, and the letters with their tags and dates
    letters/<slug>.html         the text of each letter
    media/<name>                its pictures
"""

import json
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from archive_site.artifact import write
from archive_site.site import Letter, Site


class SourceBroken(Exception):
    """The folder cannot be read. One sentence says why."""


def load(folder: Path) -> Site:
    """Read a Site from a folder.

    Raises:
        SourceBroken: something is missing or not what it should be.
    """
    try:
        described: dict[str, Any] = json.loads((folder / "site.json").read_text("utf-8"))
        letters = tuple(_letter(folder, row) for row in described.pop("letters"))
        known = {field.name for field in fields(Site)} - {"letters", "media"}
        values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in described.items() if name in known}
        media = {path.name: path for path in sorted((folder / "media").glob("*"))} if (folder / "media").is_dir() else {}
        return Site(**{**values, "letters": letters, "media": media})
    except OSError as error:
        raise SourceBroken(f"{error.filename} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SourceBroken(f"{folder / 'site.json'} is not as it should be: {error}.") from error


def _letter(folder: Path, row: dict[str, Any]) -> Letter:
    slug = str(row["slug"])
    if "/" in slug or slug.startswith("."):
        raise ValueError(f"“{slug}” cannot be a slug")
    return Letter(
        number=int(row["number"]),
        slug=slug,
        title=str(row["title"]),
        summary=str(row.get("summary", "")),
        html=(folder / "letters" / f"{slug}.html").read_text("utf-8"),
        published=datetime.fromisoformat(row["published"]),
        tags=tuple(row.get("tags", ())),
        minutes=int(row.get("minutes", 1)),
    )


def save(site: Site, folder: Path) -> None:
    """Write a Site into a folder that :func:`load` can read."""
    described = asdict(site)
    described.pop("media")
    described["letters"] = []
    for letter in site.letters:
        row = asdict(letter)
        write(folder / "letters" / f"{letter.slug}.html", row.pop("html").encode())
        described["letters"].append(row | {"published": letter.published.isoformat()})
    for name, path in site.media.items():
        write(folder / "media" / name, path.read_bytes())
    write(folder / "site.json", (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode())
