"""What an archive is made from."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Letter:
    """One published issue. ``html`` is safe already; images in it are called ``/media/<name>``."""

    number: int
    slug: str
    title: str
    summary: str
    html: str
    published: datetime
    tags: tuple[str, ...] = ()
    minutes: int = 1


@dataclass(frozen=True)
class Site:
    """One publication. Addresses are absolute; ``base`` ends in a slash."""

    name: str
    base: str
    language: str
    timezone: str
    byline: str = ""
    author: str = ""
    about: str = ""
    promise: str = ""
    sign_up_url: str = ""
    form_action: str = ""
    form_via: str = ""
    form_button: str = ""
    form_hint: str = ""
    privacy_url: str = ""
    imprint: tuple[str, ...] = ()
    letters: tuple[Letter, ...] = ()
    media: dict[str, Path] = field(default_factory=dict)

    @property
    def newest_first(self) -> list[Letter]:
        return sorted(self.letters, key=lambda letter: letter.number, reverse=True)

    def years(self) -> list[tuple[int, list[Letter]]]:
        """Letters by year in the publication's zone, newest first."""
        zone = ZoneInfo(self.timezone)
        return [(year, list(group)) for year, group in groupby(self.newest_first, lambda letter: letter.published.astimezone(zone).year)]

    def tags(self) -> list[tuple[str, list[Letter]]]:
        """Tags with their letters, by name."""
        names = sorted({tag for letter in self.letters for tag in letter.tags}, key=str.casefold)
        return [(name, [letter for letter in self.newest_first if name in letter.tags]) for name in names]
