"""Tokens (T1-T6) and kept secrets (P6)."""

import itertools
import time
from datetime import timedelta

import pytest

from newsletter.tokens import TokenExpired, TokenInvalid, Tokens, digest, new_secret

DAY = timedelta(days=1)


def test_t1_a_token_is_good_for_its_purpose_alone() -> None:
    tokens = Tokens(("key",))
    purposes = ("confirm", "press", "form")
    for made, used in itertools.product(purposes, purposes):
        token = tokens.sign(made, "x")
        if made == used:
            assert tokens.load(used, token, DAY) == "x"
        else:
            with pytest.raises(TokenInvalid):
                tokens.load(used, token, DAY)


def test_t4_old_keys_still_verify_and_the_newest_signs() -> None:
    token = Tokens(("old",)).sign("confirm", "x")
    assert Tokens(("old", "new")).load("confirm", token, DAY) == "x"
    with pytest.raises(TokenInvalid):
        Tokens(("new",)).load("confirm", token, DAY)
    assert Tokens(("new",)).load("confirm", Tokens(("old", "new")).sign("confirm", "y"), DAY) == "y"


def test_t5_a_token_expires() -> None:
    tokens = Tokens(("key",))
    token = tokens.sign("confirm", "x")
    time.sleep(1.1)
    with pytest.raises(TokenExpired):
        tokens.load("confirm", token, timedelta(0))


def test_t6_a_token_that_is_too_long_is_not_even_looked_at() -> None:
    with pytest.raises(TokenInvalid):
        Tokens(("key",)).load("confirm", "x" * 10_000, DAY)


def test_p6_secrets_are_kept_encrypted_over_a_change_of_keys() -> None:
    kept = Tokens(("old",)).encrypt("geheim")
    assert "geheim" not in kept
    assert Tokens(("old", "new")).decrypt(kept) == "geheim"
    with pytest.raises(TokenInvalid):
        Tokens(("new",)).decrypt(kept)


def test_l5_an_address_is_found_again_by_every_key() -> None:
    (old,) = Tokens(("old",)).fingerprints("suppression", "ada@example.org")
    assert old in Tokens(("old", "new")).fingerprints("suppression", "ada@example.org")


def test_f9_a_bounce_address_fits_a_local_part() -> None:
    mac = Tokens(("key",)).short_mac("bounce", "123456789")
    assert len(f"b+123456789-{mac}") <= 64
    assert mac.isalnum()


def test_secrets_are_long_and_only_their_digest_is_short() -> None:
    assert len({new_secret() for _ in range(1000)}) == 1000
    assert len(digest(new_secret())) == 64
