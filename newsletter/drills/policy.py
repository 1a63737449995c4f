"""What an outage would mean, and the words for it. Without I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from newsletter.announcements.policy import News
from newsletter.channels.catalogue import usual
from newsletter.channels.models import Channel
from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.radar.policy import Radar

EVERY = timedelta(days=92)
SPANS = {"hours": timedelta(hours=6), "week": timedelta(days=7), "forever": None}
MONTH = 30


@dataclass(frozen=True)
class Target:
    """What fails: one channel, everything that a company runs, or all closed platforms."""

    key: str
    name: str
    channels: tuple[int, ...]


def targets(channels: Sequence[Channel], everything: str) -> list[Target]:
    """What can fail, the largest trouble last.

    Args:
        everything: what all closed platforms together are called.
    """
    used = [one for one in channels if one.ended_at is None]
    closed = [one for one in used if one.ownership == "closed"]
    found = [Target(f"channel:{one.id}", one.name, (one.id,)) for one in (*closed, *(one for one in used if one.ownership == "open"))]
    houses: dict[str, list[Channel]] = {}
    for one in closed:
        if usual(one.kind).operator:
            houses.setdefault(usual(one.kind).operator, []).append(one)
    for name, several in houses.items():
        if len(several) > 1:
            found.append(Target(f"operator:{name}", f"{name} ({', '.join(one.name for one in several)})", tuple(one.id for one in several)))
    if len(closed) > 1:
        found.append(Target("closed", everything, tuple(one.id for one in closed)))
    return found


def target(found: Sequence[Target], key: str) -> Target:
    """The one that was chosen.

    Raises:
        Refused: there is none of this name.
    """
    for one in found:
        if one.key == key:
            return one
    raise Refused(mark("Choose what fails."), field="target")


def outcome(radar: Radar, gone: Target, span: str, *, texts: int, a_second: float) -> dict[str, Any]:
    """The figures of an outage, as they stand today.

    Args:
        texts: how many get text messages; they are on the list, too, and are counted once.
        a_second: how many mails leave.

    Raises:
        Refused: the span is none.
    """
    if span not in SPANS:
        raise Refused(mark("Choose how long it lasts."), field="span")
    keys = {str(number) for number in gone.channels}
    reached = radar.without(keys)
    joined, place = radar.joined(90), 1
    lost = sum(max(0, way.joined[place]) for way in radar.ways if way.key in keys)
    length = SPANS[span]
    month = lost * MONTH / 90
    return {
        "all": radar.audience.total, "reached": reached, "there": radar.audience.total - reached, "list": radar.list_size, "texts": texts,
        "seconds": round(radar.list_size / a_second) if a_second else 0, "month": round(month, 1),
        "share": round(100 * lost / joined.total, 1) if joined.total else 0.0,
        "within": round(month if length is None else month * length / timedelta(days=MONTH), 1),
        "ways": [[way.key, way.name, way.ownership, way.audience] for way in radar.ways if way.key not in keys and way.audience],
    }  # fmt: skip


LETTER = {
    "de": (
        "{what} ist gerade nicht erreichbar – hier geht es weiter",
        "Falls du dort auf mich wartest: Dieser Brief kommt trotzdem.",
        """{{{{ anrede }}}},

{what} ist {since} nicht erreichbar. Du liest das hier, weil du diesen Brief bestellt hast – er hängt an keiner Plattform.

## So erreichst du mich jetzt

- **Per Mail:** Antworte einfach auf diesen Brief.
- **Im Archiv:** Alles, was ich schreibe, liegt unter {archive}
{ways}
## Eine Bitte

Kennst du jemanden, der mir bisher nur dort gefolgt ist? Dann leite diesen Brief weiter. Bestellen kann man ihn hier:

[Brief bestellen]({sign_up}){{ .button }}

Herzlich
{sender}
""",
    ),
    "en": (
        "{what} cannot be reached – we go on here",
        "In case you are waiting for me there: this letter comes all the same.",
        """{{{{ anrede }}}},

{what} has been out of reach {since}. You read this because you asked for this letter – it hangs on no platform.

## How to reach me now

- **By mail:** just answer this letter.
- **In the archive:** everything that I write lies at {archive}
{ways}
## A favour

Do you know somebody who has followed me there only? Then please forward this letter. It can be had here:

[Get the letter]({sign_up}){{ .button }}

Yours
{sender}
""",
    ),
}
SINCE = {
    "de": {"hours": "seit einigen Stunden", "week": "seit Tagen", "forever": "von jetzt an"},
    "en": {"hours": "for some hours", "week": "for days", "forever": "from now on"},
}
POST = {
    "de": ("{what} ist gerade nicht erreichbar. Hier bin ich weiter zu lesen.", "Am sichersten per Mail: Der Brief „{name}“ hängt an keiner Plattform."),
    "en": ("{what} cannot be reached. You can go on reading me here.", "The surest way is by mail: the letter “{name}” hangs on no platform."),
}
TEXT = {
    "de": '{what} ist nicht erreichbar. Ich schreibe weiter per Mail und hier: {archive}',
    "en": '{what} cannot be reached. I go on writing by mail and here: {archive}',
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the prepared texts need to know."""

    what: str
    span: str
    language: str
    name: str
    sender: str
    archive: str
    sign_up: str
    others: tuple[tuple[str, str], ...] = ()


def letter(facts: Facts) -> tuple[str, str, str]:
    """Subject, preheader and Markdown of an emergency issue."""
    ways = "".join(f"- **{name}:** {address}\n" for name, address in facts.others)
    values = {"what": facts.what, "archive": facts.archive, "sign_up": facts.sign_up, "sender": facts.sender, "ways": ways}
    values["since"] = SINCE[facts.language][facts.span]
    subject, preheader, text = LETTER[facts.language]
    return subject.format(**values), preheader, text.format(**values)


def news(facts: Facts) -> News:
    """What is said on the channels that still work."""
    title, summary = POST[facts.language]
    return News(title.format(what=facts.what), summary.format(name=facts.name), facts.name, "", facts.language)


def text_message(facts: Facts) -> str:
    """What is said in a text message."""
    return TEXT[facts.language].format(what=facts.what, archive=facts.archive)
