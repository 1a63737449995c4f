"""What a form may ask and what may be answered, decided without I/O."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.mail.headers import guard
from newsletter.rendering.merge import clean
from newsletter.slugs import slugify

KINDS = ("text", "choice", "date", "yes")
MOST_FIELDS = 12
MOST_CHOICES = 40
LONGEST_ANSWER = 500

# What a form asks for unless the founder wrote her own words.
CONSENT = {
    "de": "Ich möchte „{name}“ per E-Mail bekommen. Das kann ich jederzeit widerrufen, mit einem Klick in jeder Mail.",
    "en": "I would like to get “{name}” by mail. I can withdraw that at any time, with one click in every mail.",
}
BUTTON = {"de": "Brief bestellen", "en": "Get the letter"}

Field = dict[str, Any]


def field(kind: str, label: str, *, required: bool = False, choices: Sequence[str] = (), key: str = "", taken: Sequence[str] = ()) -> Field:
    """A question of a form.

    Args:
        key: what answers are kept under. It stays when the label changes; made from the label when empty.
        taken: keys of the other fields.

    Raises:
        Refused: it has no label, its kind is unknown, or a choice offers nothing to choose.
    """
    label = " ".join(label.split())[:120]
    if kind not in KINDS or not label:
        raise Refused(mark("Each question needs a text and a kind."), field="fields")
    options = [" ".join(one.split())[:80] for one in choices if one.strip()][:MOST_CHOICES]
    if kind == "choice" and len(dict.fromkeys(options)) < 2:
        raise Refused(mark("“%(label)s” needs at least two things to choose from."), field="fields", label=label)
    key = key if re.fullmatch(r"[a-z0-9_]{1,40}", key) else slugify(label, 30).replace("-", "_") or "field"
    stem, number = key, 2
    while key in taken:
        key, number = f"{stem}_{number}", number + 1
    made: Field = {"key": key, "kind": kind, "label": label, "required": required}
    return made | ({"choices": list(dict.fromkeys(options))} if kind == "choice" else {})


def answers(fields: Sequence[Field], given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Refused]]:
    """What somebody answered, typed; and what cannot stand, by the key of its field. Unknown keys are dropped (L11)."""
    found: dict[str, str] = {}
    wrong: dict[str, Refused] = {}
    for one in fields:
        try:
            value = _answer(one, given.get(one["key"], ""))
        except Refused as error:
            wrong[one["key"]] = error
            continue
        if value:
            found[one["key"]] = value
        elif one["required"]:
            wrong[one["key"]] = Refused(mark("Please answer this, too."))
    return found, wrong


def _answer(one: Field, text: str) -> str:
    text = " ".join(clean(guard(text[:LONGEST_ANSWER].replace("\r", " ").replace("\n", " "), one["key"])).split())
    if not text:
        return ""
    if one["kind"] == "yes":
        return "yes" if text.casefold() in ("yes", "ja", "1", "true", "on") else ""
    if one["kind"] == "choice" and text not in one["choices"]:
        raise Refused(mark("Please choose one of these."))
    if one["kind"] == "date":
        return _date(text)
    return text


def _date(text: str) -> str:
    """A date as ISO 8601; 24.12.1980 is understood, too."""
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text)
    try:
        found = date(int(german[3]), int(german[2]), int(german[1])) if german else date.fromisoformat(text)
    except ValueError as error:
        raise Refused(mark("Please write the date like 2026-12-24.")) from error
    if not 1900 <= found.year <= 2100:
        raise Refused(mark("Please write the date like 2026-12-24."))
    return found.isoformat()


def origins(text: str) -> list[str]:
    """The sites that may show a form: one address a line, only scheme and host are kept.

    Raises:
        Refused: a line is no address of a site.
    """
    found = []
    for line in text.split():
        parts = urlsplit(line if "://" in line else f"https://{line}")
        if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+", parts.netloc or "-/"):
            raise Refused(mark("“%(line)s” is no address of a site. It should look like https://example.org."), field="origins", line=line[:80])
        found.append(f"{parts.scheme}://{parts.netloc.lower()}")
    return list(dict.fromkeys(found))[:20]


def may_post(allowed: Sequence[str], origin: str, *own: str) -> bool:
    """Whether a site may post to a form. Without an Origin header nobody can tell; browsers always send one here.

    Args:
        own: our own addresses, that of an archive that lies elsewhere among them.
    """
    ours = [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, own) if parts.netloc]
    return not allowed or not origin or origin in (*ours, *allowed)
