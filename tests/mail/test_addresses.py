"""Addresses (F10, F11)."""

import pytest

from newsletter.errors import Refused
from newsletter.mail.addresses import mailbox_key, parse


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("Ada@Example.ORG", "Ada@example.org"),
        ("  ada@example.org ", "ada@example.org"),
        ("ada@straße.de", "ada@xn--strae-oqa.de"),
        ("ada@faß.de", "ada@xn--fa-hia.de"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@gmail。com", "ada@gmail.com"),
    ],
)
def test_f10_domains_go_out_as_idna_2008_says(typed: str, wire: str) -> None:
    assert parse(typed).wire == wire


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "ada", "ada@", "@example.org", "ada@localhost", "ada@example", "ada@[127.0.0.1]", '"ada b"@example.org', "ada(x)@example.org",
        "ada@example.org, ben@example.org", "ada@example.org;ben@example.org", "ada@example.org\nBcc: ben@example.org", "ada@exa\rmple.org",
        "a\x00da@example.org", "ada@exa mple.org", "ada@@example.org", "alice@example.org)bob@evil.example", "<ada@example.org>", "ada@-x.org",
        "x" * 250 + "@example.org", "ada\u2028@example.org", "ada@.example.org", "ada..b@example.org", ".ada@example.org",
    ],
)  # fmt: skip
def test_f11_what_is_not_one_plain_address_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        parse(typed)


def test_f10_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    assert parse("jürgen@example.org").needs_smtputf8
    assert not parse("ada@straße.de").needs_smtputf8


def test_the_same_person_has_one_canonical_address() -> None:
    assert parse("ADA@Straße.de").canonical == parse("ada@xn--strae-oqa.de").canonical


def test_a1_spellings_of_one_mailbox_share_a_key() -> None:
    assert mailbox_key("a.d.a+x@googlemail.com") == mailbox_key("ada@gmail.com")
    assert mailbox_key("a.da@example.org") != mailbox_key("ada@example.org")
