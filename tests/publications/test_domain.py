"""A table of zones with what is to be said about each (D1, F16, F17)."""

import pytest

from newsletter.publications.domain import Check, PublishedKey, aligned, look
from newsletter.resolver import Unreachable

HERE = "saatgarten.example"
KEY = PublishedKey("s1._domainkey.saatgarten.example", "v=DKIM1; k=rsa; p=MIIBabc", "rsa", active=True)
NEW = PublishedKey("s2._domainkey.saatgarten.example", "v=DKIM1; k=ed25519; p=abc=", "ed25519", active=False)

GOOD: dict[str, dict[str, list[str]]] = {
    "TXT": {
        HERE: ["v=spf1 include:spf.provider.example ~all", "something else"],
        "spf.provider.example": ["v=spf1 ip4:192.0.2.0/24 -all"],
        KEY.host: [KEY.record],
        f"_dmarc.{HERE}": ["v=DMARC1; p=none"],
    },
    "MX": {HERE: ["mx.provider.example"]},
    "A": {"mail.saatgarten.example": ["192.0.2.7"]},
    "PTR": {"192.0.2.7": ["mail.saatgarten.example"]},
}


class Zone:
    """Canned answers. A name that is mapped to None cannot be asked."""

    def __init__(self, **changes: dict[str, list[str] | None]) -> None:
        self._zone = {kind: rows | changes.get(kind, {}) for kind, rows in GOOD.items()}

    def _ask(self, kind: str, name: str) -> list[str]:
        found = self._zone[kind].get(name, [])
        if found is None:
            raise Unreachable("timeout")
        return found

    def texts(self, name: str) -> list[str]:
        return self._ask("TXT", name)

    def mail_hosts(self, name: str) -> list[str]:
        return self._ask("MX", name)

    def addresses(self, name: str) -> list[str]:
        return self._ask("A", name)

    def names(self, address: str) -> list[str]:
        return self._ask("PTR", address)


def checks(zone: Zone, *, bounce: str = HERE, keys: tuple[PublishedKey, ...] = (KEY,), domain: str = HERE) -> dict[str, Check]:
    found = look(zone, domain, bounce_domain=bounce, keys=keys, mail_host="mail.saatgarten.example")
    worst = {"good": 0, "weak": 1, "unknown": 2, "bad": 3}
    return {check.what: check for check in sorted(found, key=lambda check: worst[check.level])}


def test_a_domain_in_order_is_green_throughout() -> None:
    found = checks(Zone())
    assert {what: check.level for what, check in found.items()} == dict.fromkeys(("domain", "SPF", "DKIM", "DMARC", "PTR"), "good")


SPF = "SPF"
MANY = " ".join(f"include:i{number}.example" for number in range(11))


@pytest.mark.parametrize(
    ("what", "changes", "level", "says"),
    [
        (SPF, {"TXT": {HERE: []}}, "bad", "does not say which servers"),
        (SPF, {"TXT": {HERE: ["v=spf1 -all", "v=spf1 a -all"]}}, "bad", "several"),
        (SPF, {"TXT": {HERE: ["v=spf1 +all"]}}, "bad", "everybody"),
        (SPF, {"TXT": {HERE: ["v=spf1 all"]}}, "bad", "everybody"),
        (SPF, {"TXT": {HERE: [f"v=spf1 {MANY} -all"]}}, "bad", "11 questions"),
        (SPF, {"TXT": {HERE: ["v=spf1 ip4:192.0.2.1 ?all"]}}, "weak", "nothing about servers"),
        (SPF, {"TXT": {HERE: ["v=spf1 ip4:192.0.2.1"]}}, "weak", "nothing about servers"),
        (SPF, {"TXT": {HERE: ["v=spf1 redirect=spf.provider.example"]}}, "good", ""),
        (SPF, {"TXT": {HERE: ["v=spf1 include:loop.example -all"], "loop.example": ["v=spf1 include:loop.example -all"]}}, "good", ""),
        (SPF, {"TXT": {HERE: ["V=SPF1 MX -ALL"]}}, "good", ""),
        (SPF, {"TXT": {HERE: ["v=spf10 -all"]}}, "bad", "does not say"),
        (SPF, {"TXT": {HERE: None}}, "unknown", "did not answer"),
        ("DKIM", {"TXT": {KEY.host: []}}, "bad", "not published"),
        ("DKIM", {"TXT": {KEY.host: ["v=DKIM1; k=rsa; p="]}}, "bad", "revoked"),
        ("DKIM", {"TXT": {KEY.host: ["v=DKIM1; k=rsa; p=MIIBother"]}}, "bad", "something else"),
        ("DKIM", {"TXT": {KEY.host: [KEY.record, KEY.record]}}, "bad", "something else"),
        ("DKIM", {"TXT": {KEY.host: ["v=DKIM1; t=y; k=rsa; p=MIIBabc"]}}, "weak", "test"),
        ("DKIM", {"TXT": {KEY.host: ["v=DKIM1; k=rsa; p=MII Babc"]}}, "good", ""),
        ("DKIM", {"TXT": {KEY.host: None}}, "unknown", "did not answer"),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": []}}, "bad", "does not say what to do"),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}}, "bad", "several"),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=maybe"]}}, "bad", "maybe"),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1"]}}, "good", ""),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=reject; pct=50"]}}, "weak", "no longer know"),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=reject; adkim=s"]}}, "good", ""),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=none; rua=mailto:a@reports.example"]}}, "weak", "reports.example"),
        (
            "DMARC",
            {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=none; rua=mailto:a@reports.example"], f"{HERE}._report._dmarc.reports.example": ["v=DMARC1"]}},
            "good",
            "",
        ),
        ("DMARC", {"TXT": {f"_dmarc.{HERE}": ["v=DMARC1; p=none; rua=mailto:a@saatgarten.example"]}}, "good", ""),
        ("domain", {"MX": {HERE: [""]}}, "bad", "takes no mail"),
        ("domain", {"MX": {HERE: []}}, "bad", "not in the DNS"),
        ("domain", {"MX": {HERE: []}, "A": {HERE: ["192.0.2.1"]}}, "good", ""),
        ("PTR", {"PTR": {"192.0.2.7": []}}, "weak", "no name"),
        ("PTR", {"PTR": {"192.0.2.7": ["dial-7.provider.example"]}}, "weak", "leads elsewhere"),
        ("PTR", {"A": {"mail.saatgarten.example": []}}, "bad", "not in the DNS"),
    ],
)
def test_d1_each_fault_of_a_zone_is_said(what: str, changes: dict[str, dict[str, list[str] | None]], level: str, says: str) -> None:
    check = checks(Zone(**changes))[what]
    assert check.level == level
    assert says in check.text % check.values
    if level in ("bad", "weak"):
        assert check.fix


def test_without_keys_somebody_else_has_to_sign() -> None:
    assert checks(Zone(), keys=())["DKIM"].level == "weak"


def test_a_new_key_that_is_not_published_is_no_trouble_yet_and_comes_with_its_record() -> None:
    check = checks(Zone(), keys=(KEY, NEW))["DKIM"]
    assert (check.level, check.host, check.record) == ("weak", NEW.host, NEW.record)


def test_spf_of_another_domain_speaks_for_nobody() -> None:
    zone = Zone(TXT={"bounce.elsewhere.example": ["v=spf1 -all"]})
    assert checks(zone, bounce="bounce.elsewhere.example")["SPF"].level == "weak"


def test_f17_the_record_of_a_parent_counts_for_a_name_below_it() -> None:
    zone = Zone(MX={"news.saatgarten.example": ["mx.provider.example"]})
    assert checks(zone, domain="news.saatgarten.example")["DMARC"].level == "good"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a.example", "a.example", True),
        ("bounce.a.example", "a.example", True),
        ("x.a.example", "y.a.example", True),
        ("a.example", "b.example", False),
        ("a.co.uk", "b.co.uk", False),
        ("A.Example.", "a.example", True),
    ],
)
def test_what_is_aligned(one: str, other: str, same: bool) -> None:
    assert aligned(one, other) is same
