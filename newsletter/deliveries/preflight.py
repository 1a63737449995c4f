"""Gathers the facts of the last look, asks what they mean, and stops what must not leave: from the page, the console and the clock alike."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from html import unescape

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from newsletter.accounts.actions import state_fact
from newsletter.accounts.queries import fact
from newsletter.deliveries import actions, queries
from newsletter.deliveries.sample import sample
from newsletter.fetching import Unreachable, Web
from newsletter.issues.composition import Composition
from newsletter.issues.models import Issue
from newsletter.issues.policy import refusal
from newsletter.links import Links
from newsletter.mail import spamd
from newsletter.mail.addresses import parse
from newsletter.mail.providers import HOUSES
from newsletter.preflight.policy import Facts, find
from newsletter.preflight.sender import bad_parts
from newsletter.process import Process
from newsletter.publications import keys
from newsletter.publications.domain import Check, look
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of
from newsletter.rendering.cautions import is_private
from newsletter.rendering.findings import Finding
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.transports.queries import InUse, in_use

# Above this many readers nobody counts them by provider for a look; the last mailing has done it.
COUNTABLE = 200_000


@dataclass(frozen=True)
class Look:
    """What was found, and the facts that it was found in."""

    findings: tuple[Finding, ...]
    facts: Facts

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")


def look_over(
    process: Process,
    session: Session,
    publication: Publication,
    issue: Issue,
    composition: Composition,
    *,
    scheduled: datetime | None = None,
    one_click: Callable[[str], int] | None = None,
    spam: bool = False,
) -> Look:
    """Look a letter over before it leaves.

    Args:
        scheduled: when it should leave; None: now.
        one_click: tries one-click unsubscribing at an address of ours; gives back the status.
        spam: whether SpamAssassin is asked, where its socket is there.
    """
    now, links = process.clock(), process.links
    used = in_use(session, process.settings, process.tokens)
    real = is_for_real(used, links)
    raw = _raw(process, session, publication, composition, now)
    parts = composition.for_reader("", greeting_of(publication), links.leave("preview"))
    leave = links.leave("preview")
    facts = Facts(
        now=now,
        text=_text(composition, issue),
        html=parts.html,
        plain=parts.text,
        raw=raw,
        base=links.base,
        from_address=publication.from_address,
        reply_to=publication.reply_to,
        for_real=real,
        domain=domain_checks(process, session, publication, used) if real else None,
        accepted=accepted(session, publication),
        one_click=one_click(leave.removeprefix(links.base)) if one_click else None,
        scheduled=scheduled,
        own_host="" if used.chosen_by == "default" else parse(publication.from_address).domain,
        spam=spamd.ask(process.settings.spamd, raw) if spam else None,
    )
    facts = replace(facts, **_audience(process, session, publication, issue, now))  # type: ignore[arg-type]  # the names are those of Facts
    return Look(tuple(find(facts)), facts)


def refuse_errors(
    process: Process, session: Session, publication: Publication, issue: Issue, composition: Composition, *, scheduled: datetime | None = None
) -> None:
    """Stop here when there is an error.

    Raises:
        Refused: the first of them.
    """
    errors = look_over(process, session, publication, issue, composition, scheduled=scheduled).errors
    if errors:
        raise refusal(errors[0])


def refuse_sender(process: Process, session: Session, publication: Publication) -> None:
    """The same for what the program writes by itself: only who it comes from is looked at.

    Raises:
        Refused: the first error.
    """
    used = in_use(session, process.settings, process.tokens)
    real = is_for_real(used, process.links)
    checks = domain_checks(process, session, publication, used) if real else None
    facts = Facts(process.clock(), base=process.links.base, from_address=publication.from_address, reply_to=publication.reply_to, for_real=real,
                  domain=checks, accepted=accepted(session, publication))  # fmt: skip
    for finding in find(facts):
        if finding.level == "error":
            raise refusal(finding)


def _text(composition: Composition, issue: Issue) -> tuple[Finding, ...]:
    # A digest links to our own archive; on a machine where somebody tries things out that is nobody's mistake.
    return tuple(one for one in composition.findings if issue.kind == "letter" or one.id != "link-private")


def is_for_real(used: InUse, links: Links) -> bool:
    """Whether mail leaves this machine. The catcher keeps it; and who has an address of her own machine alone is trying things out."""
    if used.is_catcher:
        return False
    return not (is_private(links.base.partition("://")[2].partition(":")[0]) and is_private(used.server.host))


def domain_checks(process: Process, session: Session, publication: Publication, used: InUse) -> tuple[Check, ...]:
    """What the DNS says about the sender domain."""
    name = parse(publication.from_address).domain
    known = keys.published(keys.keys_of(session, name))
    return tuple(look(process.resolver, name, bounce_domain=process.settings.bounce_domain, keys=known, mail_host=used.server.host))


def accept_domain(session: Session, publication: Publication, checks: tuple[Check, ...], *, now: datetime) -> None:
    """Somebody has typed the domain: what is wrong with it by now does not stop letters (D1)."""
    state_fact(session, name=_accepted(publication), value="\n".join(sorted(bad_parts(checks))), now=now)


def accepted(session: Session, publication: Publication) -> frozenset[str]:
    """What was accepted of the domain, as long as it is this one."""
    return frozenset(fact(session, _accepted(publication)).split("\n")) - {""}


def _accepted(publication: Publication) -> str:
    return f"domain of {publication.id}: {parse(publication.from_address).domain}"[:60]


def _raw(process: Process, session: Session, publication: Publication, composition: Composition, now: datetime) -> bytes:
    if any(one.id.endswith("-characters") for one in composition.errors):
        return b""  # it could not even be written
    raw = sample(publication, composition, process.links, now)
    return keys.signed(session, process.tokens, parse(publication.from_address).domain, raw)


def _audience(process: Process, session: Session, publication: Publication, issue: Issue, now: datetime) -> dict[str, object]:
    readers = actions.readers_of(session, publication, issue, now)
    number = actions.number_of_readers(session, publication, issue, now)
    some = select(func.count()).select_from(Subscription).join(Subscriber, Subscriber.id == Subscription.subscriber_id).where(readers)
    latest = queries.latest(session, publication.id)
    return {
        "readers": number,
        "without_consent": session.scalar(some.where(Subscription.consent_id.is_(None))) or 0,
        "providers": _providers(session, readers) if number <= COUNTABLE else {},
        "per_second": process.settings.send_rate,
        "last_letter": queries.last_letter(session, publication.id),
        "last_audience": latest[0].audience if latest else None,
    }


def _providers(session: Session, readers: ColumnElement[bool]) -> dict[str, int]:
    """How many readers are at the houses that have rules of their own."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    at = func.instr(Subscriber.canonical, "@") if sqlite else func.strpos(Subscriber.canonical, "@")
    domain = func.substr(Subscriber.canonical, at + 1)
    wanted = {name: house for house in ("gmail", "microsoft", "yahoo", "t-online") for name in HOUSES[house]}
    here = select(domain, func.count()).select_from(Subscription).join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    rows = session.execute(here.where(readers, domain.in_(list(wanted))).group_by(domain))
    found: dict[str, int] = {}
    for name, count in rows:
        found[wanted[name]] = found.get(wanted[name], 0) + count
    return found


MOST_ASKED = 40


def links_of(html: str, base: str) -> list[str]:
    """The addresses of a mail that lead to others, each once."""
    found = dict.fromkeys(unescape(address) for address in re.findall(r'href="(https?://[^"]+)"', html))
    return [address for address in found if not address.startswith(f"{base}/")][:MOST_ASKED]


def silent(web: Web, addresses: Sequence[str]) -> list[tuple[str, str]]:
    """Those of them that do not answer, and why. A redirect is an answer, and so is the wish to be left alone."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(partial(_ask, web), addresses))
    return [(address, why) for address, why in zip(addresses, answers, strict=True) if why]


def _ask(web: Web, address: str) -> str:
    try:
        status = web.ask("HEAD", address, {}).status
    except Unreachable as error:
        return str(error)
    return str(status) if status in (404, 410) or status >= 500 else ""
