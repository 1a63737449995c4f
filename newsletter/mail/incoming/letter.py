"""A mail that a person wrote, as the inbox wants to have it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses, parsedate_to_datetime

from newsletter.mail.incoming.folding import fold, text_of
from newsletter.mail.incoming.mime import Part, decoded
from newsletter.mail.incoming.verdict import address_of

ATTACHMENTS = 50
_ID = re.compile(r"<[^<>\s]{1,250}>")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Enclosure:
    """Something that came along. ``part`` is its place among the parts of the mail."""

    part: int
    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class Written:
    """What a person wrote, and to whom.

    Attributes:
        text: her own words; ``folded`` what hung below them.
        rich: whether there is HTML to show.
        ids: what In-Reply-To and References name, the nearest first.
        recipients: every address that the mail says it is for, in small letters.
        spam: a filter on the way says that it is spam.
    """

    name: str
    email: str
    reply_to: str
    subject: str
    text: str
    folded: str
    rich: bool
    message_id: str
    ids: tuple[str, ...]
    references: tuple[str, ...]
    recipients: tuple[str, ...]
    enclosures: tuple[Enclosure, ...]
    spam: bool
    hops: int


def written(mail: Part) -> Written:
    """Read a mail that was taken apart already; never raises."""
    fields, parts = mail.fields, parts_of(mail)
    text, rich = _words(parts)
    own, folded = fold(text)
    in_reply_to = _ID.findall(fields.get("in-reply-to"))
    references = _ID.findall(" ".join(fields.all("references")))
    name, email = _sender(fields.get("from"))
    return Written(
        name=name,
        email=email,
        reply_to=address_of(fields.get("reply-to")),
        subject=visible(fields.words("subject"))[:200],
        text=_INVISIBLE.sub("", own),
        folded=_INVISIBLE.sub("", folded),
        rich=rich,
        message_id=next(iter(_ID.findall(fields.get("message-id"))), "")[:255],
        ids=tuple(dict.fromkeys([*in_reply_to, *reversed(references)]))[:100],
        references=tuple(dict.fromkeys(references or in_reply_to))[-30:],
        recipients=recipients_of(mail),
        enclosures=_enclosures(parts),
        spam=_is_spam(mail),
        hops=len(fields.all("received")),
    )


def parts_of(mail: Part) -> list[Part]:
    """The parts of a mail in their order; a mail that hangs in it is one part, and what it says is not what she says."""
    found, waiting = [], [mail]
    while waiting:
        part = waiting.pop()
        found.append(part)
        if part is mail or part.kind.startswith("multipart/"):
            waiting.extend(reversed(part.parts))
    return found


def recipients_of(mail: Part) -> tuple[str, ...]:
    """Every address that a mail says it is for: the fields that servers write when they deliver come first."""
    found: list[str] = []
    for field in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to", "to", "cc"):
        for value in mail.fields.all(field)[:20]:
            found += re.findall(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+", value[:20_000])
    return tuple(dict.fromkeys(one.lower()[:320] for one in found))[:200]


def visible(text: str) -> str:
    """A line that may be shown: nothing invisible, nothing that turns the direction of what follows."""
    return " ".join(_INVISIBLE.sub(" ", text).split())


def _sender(field: str) -> tuple[str, str]:
    email = address_of(field)
    try:
        pairs = getaddresses([field])
    except (ValueError, IndexError):
        pairs = []
    name = next((decoded(shown) for shown, address in pairs if shown and address.lower() == email), "")
    name = visible(name).strip("\"' ")
    return ("" if "@" in name else name)[:120], email[:254]


def _words(parts: list[Part]) -> tuple[str, bool]:
    """The text of a mail, from its HTML where nothing else is there, and whether there is HTML."""
    shown = [part for part in parts if part.disposition != "attachment"]
    markup = next((part for part in shown if part.kind == "text/html"), None)
    plain = [part.text() for part in shown if part.kind == "text/plain" and not part.name]
    text = "\n\n".join(one.strip("\n") for one in plain if one.strip())
    if not text and markup is not None:
        text = text_of(markup.text())
    return text, markup is not None


def _enclosures(parts: list[Part]) -> tuple[Enclosure, ...]:
    found = []
    for number, part in enumerate(parts):
        body = part.kind in ("text/plain", "text/html") and part.disposition != "attachment" and not part.name
        if part.kind.startswith("multipart/") or body or (number == 0 and not part.disposition):
            continue
        name = visible(part.name).replace("/", "_").replace("\\", "_").strip(". ")[:120]
        # The size of what would be saved; base64 is four letters for three bytes.
        found.append(Enclosure(number, name or f"{number}", part.kind[:80], len(part.content())))
    return tuple(found[:ATTACHMENTS])


def _is_spam(mail: Part) -> bool:
    """What filters on the way have written down: SpamAssassin, rspamd, and the houses that file it themselves."""
    fields = mail.fields
    yes = ("yes", "true", "spam")
    if any(fields.get(name).strip().lower().startswith(yes) for name in ("x-spam-flag", "x-spam", "x-spam-status", "x-spam-result", "x-rspamd-spam")):
        return True
    if fields.get("x-spam-level").count("*") >= 6 or fields.get("x-rspamd-action").strip().lower() in ("add header", "rewrite subject", "reject"):
        return True
    level = re.match(r"\s*(\d+)", fields.get("x-gmx-antispam"))
    return bool(level and int(level[1]) >= 5)


def date_of(mail: Part, received: datetime) -> datetime:
    """When she wrote, where the mail says something sensible; otherwise when it came."""
    try:
        said = parsedate_to_datetime(mail.fields.get("date")[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return received
    try:
        said = said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return received
    return said if received - timedelta(days=7) < said <= received else received
