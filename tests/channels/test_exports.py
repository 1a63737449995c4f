"""Files of platforms, in versions, languages and encodings: counted, or refused with a sentence that helps."""

import io
import json
import zipfile
from datetime import date

import pytest

from newsletter.channels import exports
from newsletter.channels.exports import Found
from newsletter.errors import Refused

TODAY = date(2026, 11, 21)


def read(name: str, data: bytes, today: date) -> Found:
    return exports.read(name, io.BytesIO(data), today)


def people(number: int, **more: object) -> list[dict[str, object]]:
    # Instagram writes names as UTF-8 that was taken for Latin-1 once more; for counting that does no harm.
    return [
        {
            "title": "",
            "media_list_data": [],
            "string_list_data": [{"href": f"https://www.instagram.com/l{n}", "value": f"M\u00c3\u00bcller{n}", "timestamp": 1}],
        }
        for n in range(number)
    ]


_LINKS = b"".join(b'<a href="https://www.instagram.com/l%d">l</a>' % n for n in range(3))
PAGE = b"<!DOCTYPE html><html><head><title>Followers</title></head><body>" + _LINKS + b"</body></html>"
_HEAD = 'Notes:\n"When exporting …"\n\nFirst Name,Last Name,URL,Email Address,Company,Position,Connected On\n'
LINKEDIN = _HEAD.encode() + b"A,B,https://www.linkedin.com/in/ab,,X,Y,01 Jan 2024\n" * 3
LINKEDIN_DE = ("Vorname;Nachname;URL;Verknüpft am\n" + "Jürgen;Müller;https://www.linkedin.com/in/jm;1. Jan. 2024\n" * 3).encode("cp1252")


def count(name: str, data: bytes) -> int:
    found = read(name, data, TODAY)
    assert found.people
    ((day, number),) = found.points
    assert day is None
    return number


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("followers_1.json", json.dumps(people(3)).encode()),
        ("followers.json", json.dumps({"relationships_followers": people(3)}).encode()),
        ("followers_1.json", "\ufeff".encode() + json.dumps(people(3)).encode()),
        ("followers_1.json", json.dumps(people(3)).encode("utf-16")),
        ("follower.js", b'window.YTD.follower.part0 = [ {"follower":{"accountId":"1"}}, {"follower":{"accountId":"2"}}, {"follower":{"accountId":"3"}} ]'),
        ("user_data_tiktok.json", json.dumps({"Activity": {"Follower List": {"FansList": [{"Date": "2024", "UserName": "a"}] * 3}}}).encode()),
        ("user_data.json", json.dumps({"Your Activity": {"Follower": {"FansList": [{"UserName": "a"}] * 3}}}).encode()),
        ("people_who_followed_you.json", json.dumps({"followers_v3": [{"name": "A"}] * 3}).encode()),
        ("your_friends.json", json.dumps({"friends_v2": [{"name": "A", "timestamp": 1}] * 3}).encode()),
        ("followers_1.html", PAGE),
        ("Connections.csv", LINKEDIN),
        ("Kontakte.csv", LINKEDIN_DE),
        ("followers.csv", b"Account address\nada@garten.example\nben@mastodon.social\ncleo@troet.cafe\n"),
    ],
    ids=["instagram", "older", "bom", "utf-16", "x", "tiktok", "tiktok new", "facebook", "friends", "html", "linkedin", "linkedin de cp1252", "mastodon"],
)  # fmt: skip
def test_the_people_in_a_list_are_counted(name: str, data: bytes) -> None:
    assert count(name, data) == 3


def test_a_packed_export_is_looked_through_for_its_lists_and_parts_are_added() -> None:
    files = {f"connections/followers_and_following/followers_{part}.json": json.dumps(people(number)).encode() for part, number in ((1, 5), (2, 2))}
    files |= {
        "connections/followers_and_following/following.json": json.dumps({"relationships_following": people(9)}).encode(),
        "media/posts/1.jpg": b"x" * 999,
    }
    assert count("instagram-saatgarten.zip", packed(files)) == 7


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("Date,Total followers\n2026-10-01,3800\n2026-11-01,3860\n", [(date(2026, 10, 1), 3800), (date(2026, 11, 1), 3860)]),
        ("Datum;Abonnenten\n01.10.2026;3.800\n01.11.2026;3.860\n", [(date(2026, 10, 1), 3800), (date(2026, 11, 1), 3860)]),
        ("Tag\tGesamt\tNeu\n20261001\t10\t1\n20261101\t12\t2\n", [(date(2026, 10, 1), 10), (date(2026, 11, 1), 12)]),
        ("Date,Followers\n11/01/2026,12\n2026-10-01T00:00:00,10\n2027-01-01,99\n", [(date(2026, 10, 1), 10), (date(2026, 11, 1), 12)]),
    ],
    ids=["english", "german", "tabs", "mixed, with a day to come"],
)
def test_a_table_of_days_and_numbers_is_taken_as_it_is(text: str, points: list[tuple[date, int]]) -> None:
    found = read("insights.csv", text.encode("utf-16" if "Datum" in text else "utf-8"), TODAY)
    assert not found.people
    assert list(found.points) == points


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("following.json", json.dumps({"relationships_following": people(3)}).encode(), "whom you follow"),
        ("following.js", b'window.YTD.following.part0 = [ {"following":{"accountId":"1"}} ]', "whom you follow"),
        ("following_accounts.csv", b"Account address,Show boosts,Notify on new posts,Languages\nada@garten.example,true,false,\n", "whom you follow"),
        ("following.html", b'<!doctype html><html><title>Following</title><a href="https://www.instagram.com/a">a</a></html>', "whom you follow"),
        ("new.csv", b"Date,New followers\n2026-10-01,5\n2026-10-02,3\n", "how many were added"),
        ("chart.csv", b"Date,Subscribers\n2026-10-01,5\n2026-10-02,-3\n", "how many were added"),
        ("followers_1.json", json.dumps(people(3)).encode()[:-40], "broken"),
        ("x.json", b'{"a": ' + b"[" * 100_000, "broken"),
        ("profile.json", b'{"name": "Mira"}', "neither"),
        ("posts.json", b'[{"media": []}]', "neither"),
        ("leer.json", b"  \n", "empty"),
        ("bild.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "neither"),
        ("zwei.csv", b"Date,Likes,Shares\n2026-10-01,5,6\n2026-10-02,3,4\n", "neither"),
        ("kaputt.zip", b"PK\x03\x04" + b"\0" * 40, "unpacked"),
        ("fremd.zip", packed({"media/bild.jpg": b"x"}), "neither"),
        ("nur.zip", packed({"following.json": json.dumps({"relationships_following": people(1)}).encode(), "followers.json": b"{"}), "broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_says_something_else_is_refused_with_a_sentence(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        read(name, data, TODAY)
    assert sentence in str(refused.value)


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(Refused):
        read("bombe.zip", packed({"followers_1.json": b"[" + b" " * (70 * 1024 * 1024)}), TODAY)


def test_a_file_that_is_too_large_says_what_to_ask_for() -> None:
    with pytest.raises(Refused, match="followers only"):
        read("followers_1.json", b" " * (exports.LARGEST + 1), TODAY)


def test_the_names_of_people_are_in_nothing_that_is_kept() -> None:
    assert "Müller" not in repr(read("followers_1.json", json.dumps(people(2)).encode(), TODAY))
