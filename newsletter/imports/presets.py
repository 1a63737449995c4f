"""What the exports of other programs look like. Found out by the names of their columns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# What a column means. "first" and "last" make a name together; "evidence" goes into the consent as it is.
MEANINGS = ("email", "name", "first", "last", "state", "joined", "ended", "tags", "language", "evidence")


class Preset(NamedTuple):
    """One program's export.

    Args:
        signature: columns that it has and others have not.
        columns: what its columns mean, by lower-case name.
        always: the state of everybody in it, where the file is for one state only.
    """

    name: str
    signature: frozenset[str]
    columns: dict[str, str]
    always: str = ""


PRESETS = (
    Preset(
        "Mailchimp", frozenset({"email address", "clean_time"}),
        {"email address": "email", "first name": "first", "last name": "last", "tags": "tags", "optin_time": "evidence", "clean_time": "ended"}, "dead",
    ),
    Preset(
        "Mailchimp", frozenset({"email address", "unsub_time"}),
        {"email address": "email", "first name": "first", "last name": "last", "tags": "tags", "confirm_time": "joined", "unsub_time": "ended"}, "unsubscribed",
    ),
    Preset(
        "Mailchimp", frozenset({"email address", "optin_time"}),
        {"email address": "email", "first name": "first", "last name": "last", "tags": "tags", "optin_time": "evidence", "confirm_time": "joined",
         "confirm_ip": "evidence"},
    ),
    Preset(
        "CleverReach", frozenset({"activated", "registered", "deactivated"}),
        {"email": "email", "firstname": "first", "lastname": "last", "vorname": "first", "nachname": "last", "tags": "tags", "registered": "evidence",
         "activated": "joined", "deactivated": "ended", "bounced": "dead"},
    ),
    Preset(
        "rapidmail", frozenset({"e-mail", "vorname", "nachname", "status"}),
        {"e-mail": "email", "vorname": "first", "nachname": "last", "status": "state", "aktiviert am": "joined", "angemeldet am": "joined",
         "erstellt am": "evidence", "abgemeldet am": "ended"},
    ),
    Preset(
        "rapidmail", frozenset({"email", "firstname", "lastname", "activated_at"}),
        {"email": "email", "firstname": "first", "lastname": "last", "status": "state", "activated_at": "joined", "created_at": "evidence"},
    ),
    Preset(
        "listmonk", frozenset({"uuid", "email", "attributes"}),
        {"email": "email", "name": "name", "status": "state", "subscription_status": "state", "created_at": "joined"},
    ),
    Preset(
        "Ghost", frozenset({"email", "subscribed_to_emails", "labels"}),
        {"email": "email", "name": "name", "subscribed_to_emails": "state", "created_at": "joined", "deleted_at": "ended", "labels": "tags"},
    ),
    Preset(
        "Substack", frozenset({"email", "active_subscription"}),
        {"email": "email", "name": "name", "email_disabled": "disabled", "created_at": "joined"},
    ),
    Preset(
        "Buttondown", frozenset({"email", "creation_date", "type"}),
        {"email": "email", "tags": "tags", "creation_date": "joined", "type": "state", "referrer_url": "evidence"},
    ),
    Preset(
        "Brieftaube", frozenset({"email", "state", "consent_wording", "consent_at"}),
        {"email": "email", "name": "name", "state": "state", "confirmed_at": "joined", "ended_at": "ended", "tags": "tags", "language": "language",
         "consent_at": "evidence"},
    ),
)  # fmt: skip

# What columns of any other file mean, by name.
USUAL = {
    "email": ("email", "e-mail", "mail", "email address", "e-mail address", "e-mail-adresse", "emailadresse", "adresse", "address"),
    "name": ("name", "full name", "fullname", "vollständiger name", "display name"),
    "first": ("first name", "firstname", "first_name", "vorname", "given name"),
    "last": ("last name", "lastname", "last_name", "nachname", "family name", "surname"),
    "state": ("status", "state", "zustand"),
    "joined": ("confirmed_at", "subscribed at", "subscribed_at", "opt-in", "optin", "opt_in_time", "angemeldet am", "bestätigt am", "joined"),
    "ended": ("unsubscribed_at", "unsubscribed at", "abgemeldet am"),
    "tags": ("tags", "labels", "schlagworte", "gruppen", "groups"),
    "language": ("language", "lang", "sprache", "locale"),
}

# What other programs call the states. What stands in none of these is asked about on the page.
STATES = {
    "active": ("active", "aktiv", "subscribed", "enabled", "confirmed", "true", "1", "yes", "ja", "regular", "premium", "gifted", "trialed", "free", "paid"),
    "unsubscribed": ("unsubscribed", "abgemeldet", "disabled", "inactive", "inaktiv", "false", "0", "no", "nein", "removed", "cancelled", "churned",
                     "deleted", "opted out"),
    "pending": ("pending", "unconfirmed", "unbestätigt", "unactivated", "neu", "new", "nicht bestätigt", "transactional"),
    "paused": ("paused", "pausiert"),
    "dead": ("cleaned", "bounced", "bounce", "hardbounce", "hard bounce", "gesperrt", "suppressed", "undeliverable", "unzustellbar", "past_due"),
    "complaint": ("blocklisted", "blacklisted", "complained", "complaint", "abused", "spam", "abuse", "beschwerde"),
}  # fmt: skip
_STATE_OF = {word: state for state, words in STATES.items() for word in words}


def recognise(columns: Sequence[str]) -> Preset | None:
    """The program that wrote a file with these columns."""
    names = {column.strip().casefold() for column in columns}
    return next((preset for preset in PRESETS if preset.signature <= names), None)


def meanings(columns: Sequence[str]) -> dict[int, str]:
    """What each column probably means; a column that means nothing to us is not there."""
    preset = recognise(columns)
    names = [column.strip().casefold() for column in columns]
    known: Mapping[str, str] = preset.columns if preset else {word: meaning for meaning, words in USUAL.items() for word in words}
    found: dict[int, str] = {}
    for index, name in enumerate(names):
        meaning = known.get(name)
        if meaning and (meaning not in found.values() or meaning == "evidence"):
            found[index] = meaning
    return found


def state_of(word: str) -> str:
    """What a word in a column of states means; empty when nobody knows."""
    return _STATE_OF.get(word.strip().casefold(), "")
