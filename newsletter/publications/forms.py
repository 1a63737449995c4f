"""What the forms of a publication send."""

from collections.abc import Mapping

from newsletter.publications.actions import COLUMNS

ZONES = ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles", "UTC")


def values_from(form: Mapping[str, str]) -> dict[str, str]:
    """The columns that a form names."""
    return {column: form[column] for column in COLUMNS if column in form}
