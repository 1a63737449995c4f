"""Posts: as long as each place allows, with the link whole; and when they are tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.announcements import policy
from newsletter.announcements.bluesky import facets, rkey
from newsletter.announcements.policy import News, Post
from newsletter.channels.catalogue import USUAL

LINK = "https://saat.example/l/0a1b2c"
NEWS = News("Der neue Katalog, und was nicht mehr darin steht", "Hundertsechsundvierzig Sorten.", "Der Saatbrief", "Einmal im Monat ein Brief.", "de")
PLACES = [kind for kind, one in USUAL.items() if one.post]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", PLACES)
@given(title=st.text(max_size=400), summary=st.text(max_size=4000))
def test_a_post_is_never_too_long_and_its_link_never_cut(kind: str, title: str, summary: str) -> None:
    text = policy.words(kind, News(title, summary, NEWS.name, NEWS.promise, "de"), LINK)
    n, most = policy.measured(kind, text, LINK)
    assert n <= most
    assert LINK.partition("://")[2] in text


@pytest.mark.parametrize("kind", PLACES)
def test_a_usual_letter_is_announced_with_its_words(kind: str) -> None:
    text = policy.words(kind, NEWS, LINK)
    assert "Der neue Katalog" in text
    assert "Hundertsechsundvierzig Sorten." in text


def test_mastodon_counts_every_link_as_its_server_says_and_x_counts_emoji_twice() -> None:
    far = "https://eine-sehr-lange-adresse.example/" + "a" * 100
    assert policy.measured("mastodon", f"Hallo {far}", far, {"longest": 500, "link": 23}) == (29, 500)
    assert policy.measured("x", f"Hallo 🫘 {far}", far) == (32, 280)
    assert policy.weighed("日本") == 4


def test_a_server_that_allows_more_gets_more() -> None:
    long = News("Titel", "Wort " * 400, NEWS.name, NEWS.promise, "de")
    assert len(policy.words("mastodon", long, LINK, {"longest": 5000})) > 1500
    assert len(policy.words("mastodon", long, LINK)) < 510


def test_instagram_names_the_profile_because_links_do_nothing_there() -> None:
    assert "Der Link steht im Profil. (saat.example/l/0a1b2c)" in policy.words("instagram", NEWS, LINK)


def test_words_are_cut_between_words() -> None:
    assert policy.cut("eins zwei drei vier", 13) == "eins zwei …"
    assert policy.cut("Donaudampfschiff", 6) == "Donau…"
    assert policy.cut("kurz", 10) == "kurz"
    assert policy.cut("a b", 0) == ""


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Sat, 21 Nov 2026 12:05:00 GMT"}, 300),
        ({"x-ratelimit-reset": "2026-11-21T12:10:00.000Z"}, 600),
        ({"ratelimit-reset": str(int(datetime(2026, 11, 21, 12, 1, tzinfo=UTC).timestamp()))}, 60),
        ({"retry-after": "99999999"}, 24 * 3600),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "bald"}, None),
        ({}, None),
    ],
)
def test_a_server_that_asks_for_patience_gets_it(headers: dict[str, str], wait: int | None) -> None:
    assert policy.asked_to_wait(headers, NOW) == (None if wait is None else timedelta(seconds=wait))


def test_a_post_is_tried_for_more_than_a_day_and_then_left() -> None:
    waits = [policy.pause(attempts) for attempts in range(1, policy.ATTEMPTS + 1)]
    assert waits[-1] is None
    assert timedelta(days=1) < sum((wait for wait in waits if wait), timedelta()) < timedelta(days=4)


def test_the_name_of_a_record_is_a_tid_and_the_same_at_every_try() -> None:
    said = Post("k", "t", LINK, "de", NOW, 7)
    assert len(rkey(said)) == 13
    assert rkey(said) == rkey(Post("k", "anders", LINK, "de", NOW, 7))
    assert rkey(said) != rkey(Post("k", "t", LINK, "de", NOW, 8))
    assert rkey(said) < rkey(Post("k", "t", LINK, "de", NOW + timedelta(seconds=1), 1))


def test_a_facet_counts_bytes_and_not_letters() -> None:
    text = f"Größe: {LINK}"
    (facet,) = facets(text, LINK)
    assert text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode() == LINK
    assert facets("ohne", LINK) == []
