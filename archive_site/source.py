"""Where letters come from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from archive_site.site import Letter, Site


class SourceBroken(Exception):
    """The source cannot be read at all. One sentence says why."""


@dataclass(frozen=True)
class Broken:
    """A letter that could not be read. Its old page stays, if there was one."""

    id: int
    name: str
    why: str


@dataclass(frozen=True)
class Stamp:
    """A letter as it is known without reading it.

    Args:
        mark: another one means that the letter has changed.
    """

    id: int
    mark: str


class Source(Protocol):
    """Letters, by id. What it gives is sorted out by :mod:`archive_site.visibility`."""

    @property
    def site(self) -> Site:
        """The publication."""

    def stamps(self, only: list[int] | None = None) -> Iterable[Stamp]:
        """Every letter that there is, or those of these that are there."""

    def letters(self, ids: Iterable[int]) -> Iterator[Letter | Broken]:
        """These letters, whole."""
