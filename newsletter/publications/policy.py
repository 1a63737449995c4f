"""What a publication must be, decided without I/O."""

import re
from collections.abc import Mapping
from datetime import date
from zoneinfo import available_timezones

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.links import Links
from newsletter.mail.addresses import parse
from newsletter.mail.headers import guard
from newsletter.publications.models import Publication
from newsletter.publications.rhythm import CADENCES

GREETINGS = {"de": "Hallo", "en": "Hello"}


def check(values: Mapping[str, str]) -> dict[str, Refused]:
    """What is wrong with the settings of a publication, by field. Empty when nothing is.

    Args:
        values: by the names of the columns; those that are missing are not checked.
    """
    wrong: dict[str, Refused] = {}
    for field, test in _TESTS.items():
        if field in values:
            try:
                test(values[field].strip())
            except Refused as error:
                wrong[field] = error
    return wrong


def _name(text: str) -> None:
    if not text:
        raise Refused(mark("Give your letter a name."))
    # L3: the name stands in the confirmation mail, where nothing may advertise.
    if len(text) > 60 or re.search(r"https?:|www\.|@", text):
        raise Refused(mark("A name has at most 60 characters and no address in it."))
    guard(text, "name")


def _from_name(text: str) -> None:
    if not text:
        raise Refused(mark("Say who the letter comes from."))
    guard(text[:120], "from_name")


def _mailbox(text: str) -> None:
    if parse(text).needs_smtputf8:
        raise Refused(mark("The part before the @ must be plain letters: many servers refuse such a sender."))


def _optional_mailbox(text: str) -> None:
    if text:
        _mailbox(text)


def _who(text: str) -> None:
    if not text:
        raise Refused(mark("The law wants a person or a company here."))


def _street(text: str) -> None:
    if not text:
        raise Refused(mark("Street and number are missing."))
    if re.search(r"postfach|p\.? ?o\.? ?box", text, re.IGNORECASE):
        # § 5 DDG wants a summonable address (L7).
        raise Refused(mark("A post-office box is not enough for the law. Enter the address where you can be found."))


def _place(text: str) -> None:
    if not text:
        raise Refused(mark("Postcode and town are missing."))


def _timezone(text: str) -> None:
    if text not in available_timezones():
        raise Refused(mark("There is no time zone called “%(zone)s”."), zone=text[:60])


def _language(text: str) -> None:
    if text not in GREETINGS:
        raise Refused(mark("Choose German or English."))


_TESTS = {
    "name": _name,
    "from_name": _from_name,
    "from_address": _mailbox,
    "reply_to": _optional_mailbox,
    "imprint_person": _who,
    "imprint_street": _street,
    "imprint_place": _place,
    "imprint_email": _mailbox,
    "timezone": _timezone,
    "language": _language,
}


def rhythm_from(typed: Mapping[str, str]) -> tuple[str, date | None, str]:
    """A promised rhythm as a form sends it: how often, one of the days, the hour.

    Raises:
        Refused: something cannot be read.
    """
    if typed["cadence"] not in CADENCES:
        raise Refused(mark("There is no such rhythm."), field="cadence")
    try:
        start = date.fromisoformat(typed["from"]) if typed["from"] else None
    except ValueError as error:
        raise Refused(mark("This is no date."), field="from") from error
    if typed["cadence"] and start is None:
        raise Refused(mark("Choose a day on which a letter is due; the others follow from it."), field="from")
    if not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", typed["time"]):
        raise Refused(mark("An hour looks like 09:00."), field="time")
    return typed["cadence"], start, typed["time"]


def archive_base(publication: Publication, links: Links) -> str:
    """Where the public archive lies: on this server, or where its owner says."""
    return publication.archive_base or links.archive(publication.slug)


def greeting_of(publication: Publication) -> str:
    """The word that opens a letter."""
    return publication.greeting or GREETINGS[publication.language]
