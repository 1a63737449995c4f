"""Who the letter comes from, and whether that is believed."""

from collections.abc import Sequence

from newsletter.mail.providers import HOUSE_OF
from newsletter.publications.domain import Check
from newsletter.rendering.findings import Finding

FREE = frozenset(HOUSE_OF) | {"mail.de", "gmx.info", "t-online.com", "protonmail.com", "proton.me", "tutanota.com", "tuta.com", "mail.ru", "yandex.com"}
NOBODY = ("noreply", "no-reply", "donotreply", "do-not-reply", "keine-antwort", "nicht-antworten")
# §6: without these a mail counts as forged. The rest of what was looked at stands on the page of the domain.
NEEDED = ("SPF", "DKIM", "DMARC")


def check_address(from_address: str, reply_to: str, *, for_real: bool) -> list[Finding]:
    """The address in From."""
    local, _, domain = from_address.lower().rpartition("@")
    found = []
    if for_real and domain in FREE:
        text, fix = (
            "%(domain)s belongs to somebody else: letters from it are refused or thrown away.",
            "Send from a domain of your own; Gmail, GMX and the others demand it.",
        )
        found.append(Finding("sender-freemail", "error", text, fix, values={"domain": domain}))
    if local.startswith(NOBODY) and not reply_to:
        text, fix = "Answers to %(address)s reach nobody.", "Enter another address for answers in the settings; answers are the best you can get."
        found.append(Finding("reply-to-missing", "warning", text, fix, values={"address": from_address}))
    return found


def check_domain(checks: Sequence[Check] | None, accepted: frozenset[str]) -> list[Finding]:
    """SPF, DKIM and DMARC, as the DNS shows them (D1). What somebody has accepted by typing the domain is a warning."""
    found = []
    for check in checks or ():
        if check.level == "bad" and check.what.split()[0] in NEEDED:
            level = "warning" if check.what in accepted else "error"
            name = f"domain-{check.what.split()[0].lower()}"
            found.append(Finding(name, level, check.text, check.fix, values=dict(check.values)))
    return found


def bad_parts(checks: Sequence[Check]) -> frozenset[str]:
    """What would have to be accepted."""
    return frozenset(check.what for check in checks if check.level == "bad" and check.what.split()[0] in NEEDED)
