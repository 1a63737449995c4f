"""What the forms of a publication send."""

from collections.abc import Mapping

from newsletter.publications.actions import COLUMNS

ZONES = ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles", "UTC")


def values_from(form: Mapping[str, str]) -> dict[str, str]:
    """The columns that a form names."""
    values = {column: form[column] for column in COLUMNS if column in form}
    # A box without a cross is not sent at all; the hidden field beside it says that it was there.
    values |= {"ask_feedback": "yes" if form.get("ask_feedback") == "yes" else "no"} if "asks_feedback" in form else {}
    return values | ({"count_clicks": "yes" if form.get("count_clicks") == "yes" else "no"} if "asks_clicks" in form else {})
