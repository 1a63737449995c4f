"""Whether mail from a domain will be believed: SPF, DKIM, DMARC, MX and the way back (D1, F16, F17)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from newsletter.i18n import mark
from newsletter.resolver import Resolver, Unreachable

# RFC 7208 §4.6.4: a record that needs more questions than this is void.
MOST_LOOKUPS = 10


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    ``level`` is good, weak, bad or unknown. ``text`` says what was found and ``fix`` what to do, with ``values`` in
    their places. ``host`` and ``record`` are what should stand in the DNS, ready to copy.
    """

    what: str
    level: str
    text: str
    fix: str = ""
    host: str = ""
    record: str = ""
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedKey:
    """A signing key as the DNS should know it. ``active`` ones sign already."""

    host: str
    record: str
    algorithm: str
    active: bool


def look(resolver: Resolver, domain: str, *, bounce_domain: str, keys: Sequence[PublishedKey], mail_host: str = "") -> list[Check]:
    """Everything about a sender domain, in the order in which it is mended best.

    Args:
        bounce_domain: where bounces come back to; SPF is about this one.
        keys: the keys that are published or about to be.
        mail_host: the mail server, for the way back from its address; empty when it is none of ours.
    """
    steps: list[tuple[str, Callable[[], list[Check]]]] = [
        ("domain", lambda: [check_domain(resolver, domain)]),
        ("SPF", lambda: [check_spf(resolver, bounce_domain, domain)]),
        ("DKIM", lambda: check_dkim(resolver, keys)),
        ("DMARC", lambda: check_dmarc(resolver, domain)),
    ]
    if mail_host:
        steps.append(("PTR", lambda: [check_way_back(resolver, mail_host)]))
    found: list[Check] = []
    silent = False
    for what, step in steps:
        try:
            if silent:
                raise Unreachable
            found += step()
        except Unreachable:
            # When not even the domain itself can be asked about, nobody should wait for the other questions.
            silent = silent or what == "domain"
            found.append(
                Check(what, "unknown", mark("The DNS did not answer, so this could not be checked."), mark("Look again in a few minutes."))
            )  # fmt: skip
    return found


def check_domain(resolver: Resolver, domain: str) -> Check:
    """Whether anybody could answer to an address of this domain."""
    hosts = resolver.mail_hosts(domain)
    if hosts == [""]:
        fix = mark("Use a sender address that can be answered.")
        return Check("domain", "bad", mark("%(domain)s says that it takes no mail at all (null MX)."), fix, values={"domain": domain})
    if hosts or resolver.addresses(domain):
        return Check("domain", "good", mark("%(domain)s can be answered."), values={"domain": domain})
    fix = mark("Check the spelling of the sender address. Many mail servers refuse mail from a domain that is not in the DNS.")
    return Check("domain", "bad", mark("%(domain)s is not in the DNS: nobody could answer."), fix, values={"domain": domain})


def check_spf(resolver: Resolver, domain: str, sender_domain: str) -> Check:
    """Which servers may send for the domain of the envelope (RFC 7208)."""
    records = [text for text in resolver.texts(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]
    values: dict[str, object] = {"domain": domain}
    example = "v=spf1 include:… ~all"
    if not records:
        fix = mark("Your mail provider's help page names the record; it goes like this.")
        return Check("SPF", "bad", mark("%(domain)s does not say which servers may send for it."), fix, domain, example, values)
    if len(records) > 1:
        fix = mark("Make one of them: take the parts of both, and end with one “all”.")
        return Check("SPF", "bad", mark("%(domain)s has several SPF records; then none of them counts."), fix, domain, values=values)
    terms = records[0].lower().split()[1:]
    last = next((term for term in terms if term.lstrip("+-~?") == "all"), "")
    if last in ("all", "+all"):
        fix = mark("End it with ~all or -all.")
        return Check("SPF", "bad", mark("It allows everybody in the world to send in your name."), fix, domain, values=values)
    questions = _questions(resolver, terms, set(), 0)
    if questions > MOST_LOOKUPS:
        values["n"] = questions
        fix = mark("Take out includes of services that you no longer use.")
        return Check("SPF", "bad", mark("It needs %(n)s questions to the DNS, more than the ten that are allowed; then it does not count."), fix, values=values)
    if last == "?all" or (not last and not any(term.startswith("redirect=") for term in terms)):
        return Check("SPF", "weak", mark("It says nothing about servers that are not named in it."), mark("End it with ~all or -all."), domain, values=values)
    if not aligned(domain, sender_domain):
        values["sender"] = sender_domain
        fix = mark("Set BOUNCE_DOMAIN to a name below %(sender)s. Until then only DKIM speaks for your mail.")
        return Check("SPF", "weak", mark("SPF speaks for %(domain)s, which is not the domain of your sender address."), fix, values=values)
    return Check("SPF", "good", mark("%(domain)s says which servers may send for it."), values=values)


def _questions(resolver: Resolver, terms: Sequence[str], seen: set[str], depth: int) -> int:
    number = 0
    for term in terms:
        name, _, value = term.lstrip("+-~?").partition(":" if not term.startswith("redirect=") else "=")
        if name in ("include", "redirect"):
            number += 1
            if value not in seen and depth < MOST_LOOKUPS and "%" not in value:
                seen.add(value)
                inner = next((text for text in resolver.texts(value) if text.lower().startswith("v=spf1")), "")
                number += _questions(resolver, inner.lower().split()[1:], seen, depth + 1)
        elif name.partition("/")[0] in ("a", "mx", "ptr", "exists"):
            number += 1
    return number


def check_dkim(resolver: Resolver, keys: Sequence[PublishedKey]) -> list[Check]:
    """Whether the world can find the keys that sign (RFC 6376, RFC 8463)."""
    if not keys:
        text = mark("Brieftaube does not sign your mail.")
        fix = mark("Make keys here. If your mail provider signs, its signature must cover List-Unsubscribe and List-Unsubscribe-Post.")
        return [Check("DKIM", "weak", text, fix)]
    return [_check_key(resolver, key) for key in keys]


def _check_key(resolver: Resolver, key: PublishedKey) -> Check:
    records = resolver.texts(key.host)
    values: dict[str, object] = {"algorithm": {"rsa": "RSA", "ed25519": "Ed25519"}[key.algorithm]}
    say = {"host": key.host, "record": key.record, "values": values}
    bad = "bad" if key.active else "weak"
    if not records:
        fix = mark("Enter this record where your domain is looked after. It may take an hour until everybody sees it.")
        return Check("DKIM", bad, mark("The %(algorithm)s key is not published yet."), fix, **say)  # type: ignore[arg-type]  # a dict has no types of its own
    tags = dict(re.findall(r"(\w+)\s*=\s*([^;]*)", " ".join(records)))
    published = re.sub(r"\s", "", tags.get("p", ""))
    if not published:
        fix = mark("Enter this record in its place, or make new keys.")
        return Check("DKIM", "bad", mark("The %(algorithm)s key is revoked: its record is empty."), fix, **say)  # type: ignore[arg-type]
    if published != key.record.partition("p=")[2] or len(records) > 1:
        fix = mark("Replace it by this one. Some providers cut long records; then enter it in two pieces in quotes.")
        return Check("DKIM", "bad", mark("Under the name of the %(algorithm)s key stands something else."), fix, **say)  # type: ignore[arg-type]
    if "y" in tags.get("t", "").split(":"):
        fix = mark("Take out t=y: with it, receivers treat your mail as if it were not signed.")
        return Check("DKIM", "weak", mark("The %(algorithm)s key is marked as a test."), fix, **say)  # type: ignore[arg-type]
    if key.active:
        return Check("DKIM", "good", mark("The %(algorithm)s key is published and signs."), values=values)
    return Check("DKIM", "good", mark("The new %(algorithm)s key is published and can be used."), values=values)


def check_dmarc(resolver: Resolver, domain: str) -> list[Check]:
    """What receivers shall do with forged mail; found by the tree walk of RFC 9989."""
    host, records = _dmarc_of(resolver, domain)
    if not records:
        fix = mark("Enter this record. The first part asks for nothing, it only shows that you care; Gmail and others demand it.")
        text = mark("%(domain)s does not say what to do with forged mail.")
        return [Check("DMARC", "bad", text, fix, f"_dmarc.{domain}", "v=DMARC1; p=none", {"domain": domain})]
    if len(records) > 1:
        return [Check("DMARC", "bad", mark("There are several DMARC records; then none of them counts."), mark("Leave one."), host)]
    tags = dict(re.findall(r"(\w+)\s*=\s*([^;]*)", records[0]))
    policy, found = tags.get("p", "none").strip().lower(), list[Check]()
    if policy not in ("none", "quarantine", "reject"):
        values: dict[str, object] = {"policy": policy}
        return [Check("DMARC", "bad", mark("Its policy “%(policy)s” does not exist."), mark("Write p=none, p=quarantine or p=reject."), host, values=values)]
    if {"pct", "rf", "ri"} & set(tags):
        fix = mark("They may go; nothing breaks if they stay.")
        found.append(Check("DMARC", "weak", mark("The record has parts that the rules of 2026 no longer know (pct, rf, ri)."), fix, host))
    found += [check for target in re.findall(r"mailto:[^,;!\s]+@([^,;!\s]+)", tags.get("rua", "")) if (check := _reports_to(resolver, domain, target))]
    texts = {
        "none": mark("Your domain has a DMARC record. It only watches; when all is green for some weeks, p=quarantine protects your name."),
        "quarantine": mark("Forged mail in your name lands in the spam folder."),
        "reject": mark("Forged mail in your name is refused."),
    }
    return [Check("DMARC", "good", texts[policy]), *found]


def _dmarc_of(resolver: Resolver, domain: str) -> tuple[str, list[str]]:
    labels = domain.split(".")
    # RFC 9989 §4.10: from the domain towards the root, with a jump in names of more than eight labels.
    starts = [0, *range(max(1, len(labels) - 7), len(labels))]
    for start in starts:
        host = "_dmarc." + ".".join(labels[start:])
        records = [text for text in resolver.texts(host) if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
        if records:
            return host, records
    return "", []


def _reports_to(resolver: Resolver, domain: str, target: str) -> Check | None:
    if aligned(domain, target):
        return None
    host = f"{domain}._report._dmarc.{target}"
    if any(text.startswith("v=DMARC1") for text in resolver.texts(host)):
        return None
    fix = mark("Its owner has to publish this record, or the reports go nowhere.")
    return Check("DMARC", "weak", mark("Reports go to %(target)s, which has not agreed to that."), fix, host, "v=DMARC1", {"target": target})


def check_way_back(resolver: Resolver, host: str) -> Check:
    """Whether the mail server's address leads back to its name: Gmail, GMX and T-Online insist on it."""
    values: dict[str, object] = {"host": host}
    addresses = resolver.addresses(host)
    if not addresses:
        return Check("PTR", "bad", mark("The mail server %(host)s is not in the DNS."), mark("Check its name on the page “How mail leaves”."), values=values)
    for address in addresses:
        names = resolver.names(address)
        values["address"] = address
        if not names:
            fix = mark("Whoever runs the machine can set a reverse name (PTR) for it.")
            return Check("PTR", "weak", mark("%(address)s of %(host)s has no name that it leads back to."), fix, values=values)
        if not any(address in resolver.addresses(name) for name in names):
            values["name"] = names[0]
            fix = mark("The name and the address must lead to each other.")
            return Check("PTR", "weak", mark("%(address)s leads back to %(name)s, but that name leads elsewhere."), fix, values=values)
    return Check("PTR", "good", mark("The mail server's address and name lead to each other."))


def aligned(one: str, other: str) -> bool:
    """Whether two domains are the same or one lies below the other, as relaxed alignment wants it."""
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    if one == other:
        return True
    shared = [left for left, right in zip(reversed(one.split(".")), reversed(other.split(".")), strict=False) if left == right]
    common = ".".join(reversed(shared))
    return len(shared) >= 2 and one.endswith(common) and other.endswith(common) and not _is_public(common)


def _is_public(domain: str) -> bool:
    # Below these, anybody can have a name; the rest of the world has two labels or is looked up by hand.
    return domain in {"co.uk", "org.uk", "com.au", "co.nz", "co.at", "or.at", "com.br", "co.jp", "co.za"}
