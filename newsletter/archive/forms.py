"""What the forms of the archive send."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from archive_site import themes
from archive_site.visibility import VISIBILITIES
from newsletter.archive.actions import is_colour
from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.publications.models import Publication

LOOKS = ("theme", "accent", "logo", "visibility", "delay_days", "ai_crawlers", "archive_base", "hub")


def looks_of(publication: Publication) -> dict[str, str]:
    """The settings of an archive as a form shows them."""
    return {name: str(getattr(publication, name)) for name in LOOKS}


def looks_from(form: Mapping[str, str]) -> dict[str, str]:
    """The settings as they were typed."""
    values = {name: form.get(name, "").strip() for name in LOOKS}
    if form.get("own_accent") != "yes":
        values["accent"] = ""
    if values["archive_base"] and not values["archive_base"].endswith("/"):
        values["archive_base"] += "/"
    return values


def check(values: Mapping[str, str], extra: Path) -> dict[str, Refused]:
    """What of them cannot stand, by field."""
    found: dict[str, Refused] = {}
    if values["theme"] not in themes.names(extra):
        found["theme"] = Refused(mark("There is no such theme."))
    if values["accent"] and not is_colour(values["accent"]):
        found["accent"] = Refused(mark("A colour looks like #2f5470."))
    if values["visibility"] not in VISIBILITIES:
        found["visibility"] = Refused(mark("There is no such visibility."))
    if not values["delay_days"].isdecimal() or not 0 <= int(values["delay_days"]) <= 3650:
        found["delay_days"] = Refused(mark("Write a number of days."))
    if values["ai_crawlers"] not in ("allow", "refuse"):
        found["ai_crawlers"] = Refused(mark("Choose one of the two."))
    for name in ("archive_base", "hub"):
        parts = urlsplit(values[name])
        if values[name] and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or len(values[name]) > 200):
            found[name] = Refused(mark("An address begins with https://."))
    return found


def put_looks(publication: Publication, values: Mapping[str, str]) -> None:
    """Write checked settings down."""
    for name in LOOKS:
        setattr(publication, name, int(values[name]) if name == "delay_days" else values[name])


def appearance_of(issue: Issue, zone: str) -> dict[str, str]:
    """How an issue appears, as a form shows it."""
    return {
        "slug": issue.slug,
        "visibility": issue.visibility,
        "listed_from": issue.listed_from.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if issue.listed_from else "",
        "series": issue.series,
        "language": issue.language,
        "authors": ", ".join(issue.authors),
        "tags": ", ".join(issue.tags),
        "cover": issue.cover,
        "cover_alt": issue.cover_alt,
        "counterpart_id": str(issue.counterpart_id or ""),
    }


def appearance_from(form: Mapping[str, str]) -> dict[str, str]:
    """The same as it was typed."""
    names = ("slug", "visibility", "listed_from", "series", "language", "authors", "tags", "cover", "cover_alt", "counterpart_id")
    return {name: " ".join(form.get(name, "").split()) for name in names}


def appearance_values(typed: Mapping[str, str], zone: str) -> dict[str, object]:
    """The columns that it means.

    Raises:
        Refused: something cannot be read.
    """
    moment = None
    if typed["listed_from"]:
        try:
            moment = datetime.fromisoformat(typed["listed_from"]).replace(tzinfo=ZoneInfo(zone))
        except ValueError as error:
            raise Refused(mark("This is no date."), field="listed_from") from error
    if typed["language"] not in ("", "de", "en"):
        raise Refused(mark("There is no such language."), field="language")
    if typed["cover"] and not typed["cover_alt"]:
        raise Refused(mark("Say what the picture shows, for those who do not see it."), field="cover_alt")
    if typed["counterpart_id"] and not typed["counterpart_id"].isdecimal():
        raise Refused(mark("There is no such issue."), field="counterpart_id")
    return {
        "visibility": typed["visibility"],
        "listed_from": moment,
        "series": typed["series"][:120],
        "language": typed["language"],
        "authors": [name.strip()[:80] for name in typed["authors"].split(",") if name.strip()][:6],
        "tags": list(dict.fromkeys(tag.strip()[:40] for tag in typed["tags"].split(",") if tag.strip()))[:12],
        "cover": typed["cover"][:60],
        "cover_alt": typed["cover_alt"][:300],
        "counterpart_id": int(typed["counterpart_id"]) if typed["counterpart_id"] else None,
    }
