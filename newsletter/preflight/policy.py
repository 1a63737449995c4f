"""Everything that speaks against sending, from facts that somebody else has gathered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.mail.spamd import Report
from newsletter.preflight import audience, letter, sender, wire
from newsletter.publications.domain import Check
from newsletter.rendering.findings import Finding

LEVELS = ("error", "warning", "hint")


@dataclass(frozen=True)
class Facts:
    """What is known about a letter, its sender and its readers. What is None could not be found out, and is no finding.

    Args:
        text: what was found in the text, the subject and the imprint already.
        html, plain: the two bodies, as one reader gets them.
        raw: the whole mail, signed as it will be.
        for_real: whether mail leaves this machine, and does not go to the built-in catcher.
        domain: what the DNS says about the sender domain.
        accepted: the parts of it that somebody has accepted by typing the domain.
        one_click: what our own server answers to a one-click unsubscribing of nobody.
        per_second: how many mails may leave in a second, 0 without a limit.
    """

    now: datetime
    text: tuple[Finding, ...] = ()
    html: str = ""
    plain: str = ""
    raw: bytes = b""
    base: str = ""
    from_address: str = ""
    reply_to: str = ""
    for_real: bool = True
    domain: tuple[Check, ...] | None = None
    accepted: frozenset[str] = frozenset()
    one_click: int | None = None
    readers: int = 0
    without_consent: int = 0
    providers: Mapping[str, int] = field(default_factory=dict)
    per_second: float = 0.0
    last_letter: datetime | None = None
    last_audience: int | None = None
    scheduled: datetime | None = None
    own_host: str = ""
    spam: Report | None = None
    dead_links: tuple[tuple[str, str], ...] = ()


def find(facts: Facts) -> list[Finding]:
    """The findings, errors first. A clean letter has none."""
    found = list(facts.text)
    found += letter.check_html(facts.html, facts.plain)
    found += letter.check_dead_links(facts.dead_links)
    found += letter.check_spam(facts.spam)
    found += wire.check_raw(facts.raw, facts.base, for_real=facts.for_real)
    found += wire.check_one_click(facts.one_click)
    found += sender.check_address(facts.from_address, facts.reply_to, for_real=facts.for_real)
    found += sender.check_domain(facts.domain if facts.for_real else None, facts.accepted)
    found += audience.check_consents(facts.without_consent)
    found += audience.check_silence(facts.last_letter, facts.now)
    found += audience.check_jump(facts.readers, facts.last_audience)
    found += audience.check_providers(facts.providers, facts.own_host if facts.for_real else "")
    found += audience.check_duration(facts.readers, facts.per_second)
    found += audience.check_moment(facts.scheduled, facts.now)
    return sorted(found, key=_level)


def _level(finding: Finding) -> int:
    return LEVELS.index(finding.level)


Finder = Callable[[Facts], list[Finding]]
