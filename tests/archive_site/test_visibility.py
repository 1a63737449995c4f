"""One function decides who sees a letter, and every file that is written obeys it (C5)."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive_site.visibility import Shown, decide, wakes
from tests.archive_site.conftest import NOW, Shelf, letter, make, tree

SECRET = "Zwiebelfisch"
LATER = NOW + timedelta(days=3)


def everything(out: Path) -> dict[str, bytes]:
    """Every file, books and search indexes unpacked."""
    import gzip

    found = {}
    for path, data in tree(out).items():
        found[path] = data
        if path.endswith(".epub"):
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                found |= {f"{path}!{name}": book.read(name) for name in book.namelist()}
        if path.startswith("search/") and data[:2] == b"\x1f\x8b":
            found[f"{path}!"] = gzip.decompress(data)
    return found


def secret(visibility: str, number: int = 6, **more: object) -> dict[str, object]:
    values = {
        "title": f"Titel {SECRET}",
        "summary": SECRET,
        "html": f"<p>{SECRET}</p>",
        "markdown": SECRET,
        "slug": "zwiebelfisch",
        "tags": (SECRET,),
        "series": SECRET,
    }
    return values | {"visibility": visibility, "authors": (SECRET,)} | more


@pytest.fixture
def whole(shelf: Shelf) -> Shelf:
    shelf.site = replace(shelf.site, cards=True, books=True, search=True)
    return shelf


@pytest.mark.parametrize(
    ("visibility", "more"),
    [("subscribers", {}), ("delayed", {"listed_from": LATER}), ("delayed", {}), ("private", {}), ("public", {"published": LATER}), ("", {})],
)
def test_what_is_hidden_is_in_no_file(whole: Shelf, tmp_path: Path, visibility: str, more: dict[str, object]) -> None:
    whole.put(letter(6, **secret(visibility, **more)))
    make(whole, tmp_path / "out")
    for path, data in everything(tmp_path / "out").items():
        assert SECRET.lower().encode() not in data.lower(), path
        assert "zwiebelfisch" not in path


def test_what_is_unlisted_is_a_page_that_nothing_leads_to(whole: Shelf, tmp_path: Path) -> None:
    whole.put(letter(6, **secret("unlisted", old_slugs=("frueher",))))
    make(whole, tmp_path / "out")
    files = everything(tmp_path / "out")
    assert b'name="robots" content="noindex"' in files["zwiebelfisch/index.html"]
    for path, data in files.items():
        if not path.startswith(("zwiebelfisch/", "frueher/")):
            assert SECRET.lower().encode() not in data.lower(), path


def test_what_becomes_hidden_leaves_every_file(whole: Shelf, tmp_path: Path) -> None:
    whole.put(letter(6, **secret("public")))
    make(whole, tmp_path / "out")
    assert any(SECRET.encode() in data for path, data in everything(tmp_path / "out").items() if path.endswith(".epub!book/zwiebelfisch.xhtml"))
    whole.change(6, visibility="subscribers")
    make(whole, tmp_path / "out")
    for path, data in everything(tmp_path / "out").items():
        assert SECRET.lower().encode() not in data.lower(), path


def test_a_delayed_letter_appears_by_itself_when_its_moment_has_come(whole: Shelf, tmp_path: Path) -> None:
    whole.put(letter(6, **secret("delayed", listed_from=LATER)))
    make(whole, tmp_path / "out")
    assert "zwiebelfisch/index.html" not in make(whole, tmp_path / "out", now=LATER - timedelta(seconds=1), only=[]).written
    assert "zwiebelfisch/index.html" in make(whole, tmp_path / "out", now=LATER, only=[]).written


@pytest.mark.parametrize(
    ("visibility", "published", "listed_from", "expected"),
    [
        ("public", NOW, None, Shown.LISTED),
        ("public", LATER, None, Shown.HIDDEN),
        ("unlisted", NOW, None, Shown.UNLISTED),
        ("unlisted", LATER, None, Shown.HIDDEN),
        ("delayed", NOW, NOW, Shown.LISTED),
        ("delayed", NOW, LATER, Shown.HIDDEN),
        ("delayed", NOW, None, Shown.HIDDEN),
        ("subscribers", NOW, NOW, Shown.HIDDEN),
        ("nonsense", NOW, NOW, Shown.HIDDEN),
    ],
)
def test_the_table_of_who_sees_what(visibility: str, published: object, listed_from: object, expected: Shown) -> None:
    assert decide(visibility, published, listed_from, NOW) == expected


def test_a_letter_wakes_when_it_says_something_else() -> None:
    assert wakes("delayed", NOW, LATER, NOW) == LATER
    assert wakes("public", NOW, LATER, NOW) is None
    assert wakes("public", LATER, None, NOW) == LATER
