"""Who may see a letter. Every page, list, feed and file of the archive asks here and nowhere else."""

from datetime import datetime
from enum import StrEnum

VISIBILITIES = ("public", "unlisted", "delayed", "subscribers")


class Shown(StrEnum):
    """How a letter appears: in every list; as a page that only those find who have its address; or not at all."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    HIDDEN = "hidden"


def decide(visibility: str, published: datetime, listed_from: datetime | None, now: datetime) -> Shown:
    """How a letter appears at a moment. What is not known is hidden.

    Args:
        listed_from: for ``delayed``, the moment from which it is public. Without one it stays hidden.
    """
    if published > now:
        return Shown.HIDDEN
    if visibility == "public" or (visibility == "delayed" and listed_from is not None and listed_from <= now):
        return Shown.LISTED
    return Shown.UNLISTED if visibility == "unlisted" else Shown.HIDDEN


def wakes(visibility: str, published: datetime, listed_from: datetime | None, now: datetime) -> datetime | None:
    """The next moment at which :func:`decide` says something else, if there is one."""
    moments = [published, *([listed_from] if visibility == "delayed" and listed_from is not None else [])]
    return max((moment for moment in moments if moment > now), default=None)
