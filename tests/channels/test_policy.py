"""Figures as people type them, who is a machine, share links that nobody can make up."""

from datetime import date

import pytest

from newsletter.channels import policy
from newsletter.channels.catalogue import USUAL, guessed
from newsletter.errors import Refused
from newsletter.tokens import Tokens

FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept-Language": "de,en;q=0.5"}
TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3860", 3860), ("3.860", 3860), ("3,860", 3860), ("3 860", 3860), ("3\u202f860", 3860), ("3’860", 3860), (" 12 ", 12), ("0", 0), ("3,9k", 3900),
        ("1.2 M", 1_200_000), ("12 Tsd.", 12_000), ("1,2 Mio.", 1_200_000), ("2.345.678", 2_345_678), ("8 Millionen", 8_000_000),
    ],
)  # fmt: skip
def test_a_number_of_followers_is_read_as_people_write_it(text: str, number: int) -> None:
    assert policy.audience(text) == number


@pytest.mark.parametrize("text", ["-5", "-3.860", "viele", "12,5", "1e9", "99999999999", "10 Milliarden", "12;4", "0x10", "", "٣٤"])
def test_negative_and_absurd_figures_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Refused) as refused:
        policy.audience(text)
    assert str(refused.value).endswith(".")
    assert refused.value.field == "number"


def test_a_jump_is_asked_about_and_a_success_is_not() -> None:
    assert policy.surprising(386, 38_600)
    assert policy.surprising(38_600, 386)
    assert not policy.surprising(386, 3_860)
    assert not policy.surprising(3, 90)
    assert not policy.surprising(None, 5_000_000)


@pytest.mark.parametrize("text", ["2026-11-22", "1889-01-01", "gestern", "2026-02-30"])
def test_a_day_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        policy.figure_day(text, TODAY)
    assert policy.figure_day("", TODAY) == TODAY


def test_money_is_read_in_euros_and_kept_in_cents() -> None:
    assert [policy.cost(text) for text in ("", "12", "12,50", "1.250", "12.5 €", "0,05")] == [0, 1200, 1250, 125_000, 1250, 5]
    for text in ("zwölf", "-3", "1,234,5"):
        with pytest.raises(Refused):
            policy.cost(text)


@pytest.mark.parametrize("text", ["javascript:alert(1)", "ftp://x.example/", "instagram", "https://", "https://a b.example", "https://ich@du.example/", "//x"])
def test_what_is_no_web_address_stands_on_no_page(text: str) -> None:
    with pytest.raises(Refused):
        policy.web_address(text, "profile")


def test_an_address_without_scheme_is_completed() -> None:
    assert policy.web_address("instagram.com/saatgarten", "profile") == "https://instagram.com/saatgarten"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", FIREFOX),
        ("GET", {}),
        ("GET", {"User-Agent": "curl/8.9"}),
        ("GET", FIREFOX | {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}),
        ("GET", FIREFOX | {"User-Agent": "facebookexternalhit/1.1"}),
        ("GET", FIREFOX | {"User-Agent": "WhatsApp/2.23.20.0"}),
        ("GET", FIREFOX | {"User-Agent": "Mastodon/4.5 (http.rb/5.2; +https://garten.example/) Bot"}),
        ("GET", FIREFOX | {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"User-Agent": FIREFOX["User-Agent"]}),
    ],
)
def test_machines_are_known_by_what_they_say_themselves(method: str, headers: dict[str, str]) -> None:
    assert policy.looks_like_a_machine(method, headers)


def test_people_with_all_kinds_of_browsers_are_people() -> None:
    for agent in (
        FIREFOX["User-Agent"],
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 390.0.0.28.85",
        "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
    ):
        assert not policy.looks_like_a_machine("GET", {"User-Agent": agent, "Accept-Language": "de-DE"}), agent


def test_a_share_code_belongs_to_one_reader_and_cannot_be_made_up() -> None:
    tokens, others = Tokens(("erster schlüssel",)), Tokens(("anderer",))
    codes = {policy.share_code(tokens, number): number for number in (1, 2, 255, 256, 70_000, 2**31, 10**12)}
    assert len(codes) == 7
    for code, number in codes.items():
        assert policy.shared_by(tokens, code) == number
        assert policy.shared_by(tokens, code.upper()) == number
        assert policy.shared_by(others, code) is None
        assert len(f"r.{code}") <= 60
    for made_up in ("", "-", "ae-", "ae-12345678", "!!-12345678", "a" * 99, f"{next(iter(codes))}x", "aaaaaaaaaaaaaaaaaaaa-12345678"):
        assert policy.shared_by(tokens, made_up) is None


def test_t4_a_share_link_outlives_a_new_key() -> None:
    code = policy.share_code(Tokens(("alt",)), 17)
    assert policy.shared_by(Tokens(("alt", "neu")), code) == 17


def test_the_catalogue_says_of_each_whom_it_belongs_to() -> None:
    assert {one.ownership for one in USUAL.values()} == {"owned", "open", "closed"}
    assert all(one.operator for one in USUAL.values() if one.ownership == "closed")
    assert not any(one.operator for one in USUAL.values() if one.ownership == "owned")
    for kind in ("instagram", "facebook", "tiktok", "youtube", "linkedin", "xing", "x", "whatsapp", "telegram", "mastodon", "bluesky", "search", "feed"):
        assert kind in USUAL
    for kind in ("podcast", "partner", "event", "print", "site", "direct", "recommendation"):
        assert kind in USUAL
    assert [guessed(name) for name in ("Instagram", "WhatsApp-Kanal", "Own website", "Kaffeefest", "X")] == ["instagram", "whatsapp", "site", "other", "x"]
