"""What a publication decides about the look of its letters."""

from collections.abc import Collection, Mapping

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.publications.models import Publication
from newsletter.rendering.look import FONTS, LAYOUTS, Look, is_colour

FIELDS = ("mail_layout", "mail_accent", "mail_paper", "mail_font", "mail_logo", "mail_logo_width", "mail_footer")
NAMES = {
    "letter": (mark("Letter"), mark("Serif type, a thin line, much air: one person writes to another.")),
    "magazine": (mark("Magazine"), mark("A masthead, large headlines, rules between the parts.")),
    "digest": (mark("Digest"), mark("Compact, with a list of what is in it.")),
    "plain": (mark("Plain"), mark("Almost nothing but text, like a mail from a friend.")),
}
LONGEST_FOOTER = 600


def looks_of(publication: Publication) -> dict[str, str]:
    """As a form shows it."""
    values = {name: str(getattr(publication, name)) for name in FIELDS}
    return values | {"mail_accent": publication.mail_accent or Look.accent, "mail_paper": publication.mail_paper or Look.paper}


def looks_from(form: Mapping[str, str]) -> dict[str, str]:
    """As it was chosen."""
    values = {name: form.get(name, "").strip().replace("\r\n", "\n") for name in FIELDS}
    return values | {name: values[name].lower() for name in ("mail_accent", "mail_paper")}


def check(values: Mapping[str, str], images: Collection[str]) -> dict[str, Refused]:
    """What of it cannot stand, by field."""
    found: dict[str, Refused] = {}
    if values["mail_layout"] not in LAYOUTS:
        found["mail_layout"] = Refused(mark("There is no such layout."))
    if values["mail_font"] not in FONTS:
        found["mail_font"] = Refused(mark("There is no such type."))
    for name in ("mail_accent", "mail_paper"):
        if not is_colour(values[name]):
            found[name] = Refused(mark("A colour looks like #2f5470."))
    if values["mail_logo"] and values["mail_logo"] not in images:
        found["mail_logo"] = Refused(mark("There is no such picture."))
    if not values["mail_logo_width"].isdecimal() or not 20 <= int(values["mail_logo_width"]) <= 552:
        found["mail_logo_width"] = Refused(mark("Between 20 and 552 pixels fit into a mail."))
    if len(values["mail_footer"]) > LONGEST_FOOTER:
        found["mail_footer"] = Refused(mark("%(n)s characters are too many here; %(limit)s are possible."), n=len(values["mail_footer"]), limit=LONGEST_FOOTER)
    return found


def put_looks(publication: Publication, values: Mapping[str, str]) -> None:
    """Write checked values down. The usual colours are not written, so that they may change with the program."""
    for name in FIELDS:
        setattr(publication, name, int(values[name]) if name == "mail_logo_width" else values[name])
    publication.mail_accent = "" if values["mail_accent"] == Look.accent else values["mail_accent"]
    publication.mail_paper = "" if values["mail_paper"] == Look.paper else values["mail_paper"]
