"""Feeds: each fault that was found in the feeds of others is a test (ARCHIVE §2), and what the RFCs say."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.archive_site.conftest import HOSTILE, Shelf, letter, make

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
XML = ("rss.xml", "atom.xml", "tags/anbau/rss.xml", "tags/anbau/atom.xml", "authors/mira-lindner/atom.xml", "authors/mira-lindner/rss.xml")
JSON = ("feed.json", "tags/anbau/feed.json", "authors/mira-lindner/feed.json")


@pytest.fixture
def out(shelf: Shelf, tmp_path: Path) -> Path:
    make(shelf, tmp_path / "out")
    return tmp_path / "out"


def texts(data: bytes) -> list[str]:
    return [node.text or "" for node in ET.fromstring(data).iter() if node.tag in (CONTENT, f"{ATOM}content")]


@pytest.mark.parametrize("path", XML)
def test_every_feed_is_well_formed_with_its_namespaces_bound_and_has_the_full_text(out: Path, path: str) -> None:
    found = texts((out / path).read_bytes())
    assert len(found) == 5
    assert all("Fußnote" in text and "Note</li>" in text for text in found)


@pytest.mark.parametrize("path", XML)
def test_every_image_keeps_its_own_alternative_text(out: Path, path: str) -> None:
    assert [re.findall(r'alt="([^"]*)"', text) for text in texts((out / path).read_bytes())] == [[f"Bild {n}"] for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("path", XML)
def test_every_address_in_the_text_is_absolute(out: Path, path: str) -> None:
    for text in texts((out / path).read_bytes()):
        assert re.findall(r'(?:href|src)="(?!https://)', text) == []
        assert 'href="https://saat.example/archiv/brief-' in text


@pytest.mark.parametrize("path", JSON)
def test_json_feeds_say_the_same(out: Path, path: str) -> None:
    feed = json.loads((out / path).read_text())
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["title"] for item in feed["items"]] == [f"Brief {n} & mehr" for n in (5, 4, 3, 2, 1)]
    for item in feed["items"]:
        assert item["id"]
        assert re.findall(r'(?:href|src)="(?!https://)', item["content_html"]) == []
        assert item["authors"] == [{"name": "Mira Lindner"}]


@pytest.mark.parametrize("path", [path for path in XML if path.endswith("rss.xml")])
def test_rss_says_its_language_and_its_own_address_and_every_item_has_a_guid(out: Path, path: str) -> None:
    channel = ET.fromstring((out / path).read_bytes()).find("channel")
    assert channel.findtext("language") == "de"
    assert channel.find(f"{ATOM}link[@rel='self']").get("href") == f"https://saat.example/archiv/{path}"
    items = channel.findall("item")
    assert len({item.findtext("guid") for item in items}) == 5
    assert all(item.find("guid").get("isPermaLink") == "false" for item in items)


def test_a_name_is_a_creator_and_no_rss_author(out: Path) -> None:
    # RSS 2.0 wants a mail address in author.
    for item in ET.fromstring((out / "rss.xml").read_bytes()).iter("item"):
        assert item.find("author") is None
        assert item.findtext("{http://purl.org/dc/elements/1.1/}creator") == "Mira Lindner"


@pytest.mark.parametrize("path", [path for path in XML if path.endswith("atom.xml")])
def test_atom_has_what_rfc_4287_demands(out: Path, path: str) -> None:
    feed = ET.fromstring((out / path).read_bytes())
    assert feed.findtext(f"{ATOM}id") == f"https://saat.example/archiv/{path}"
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == feed.findtext(f"{ATOM}id")
    for node in (feed, *feed.iter(f"{ATOM}entry")):
        assert node.findtext(f"{ATOM}title")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", node.findtext(f"{ATOM}updated"))
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert ids == [f"tag:saat.example,2025-11-{n + 1:02}:{n}" for n in (5, 4, 3, 2, 1)]


def test_the_id_of_a_letter_outlives_its_name(shelf: Shelf, out: Path, tmp_path: Path) -> None:
    before = ET.fromstring((out / "atom.xml").read_bytes()).find(f"{ATOM}entry").findtext(f"{ATOM}id")
    shelf.change(5, slug="neu", old_slugs=("brief-5",), title="Neu")
    make(shelf, tmp_path / "out")
    assert ET.fromstring((out / "atom.xml").read_bytes()).find(f"{ATOM}entry").findtext(f"{ATOM}id") == before


def test_a_summary_and_a_text_stand_side_by_side(out: Path) -> None:
    # Eleventy's plugin left the prefix of the text unbound when there was a summary.
    item = next(ET.fromstring((out / "rss.xml").read_bytes()).iter("item"))
    assert item.findtext("description") == "Worum <es> geht"
    assert item.findtext(CONTENT)


def test_the_language_of_a_letter_does_not_leak_into_the_feed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.change(5, language="en")
    make(shelf, tmp_path / "out")
    feed = ET.fromstring((tmp_path / "out" / "atom.xml").read_bytes())
    languages = [node.get("{http://www.w3.org/XML/1998/namespace}lang") for node in (feed, *feed.iter(f"{ATOM}entry"))]
    assert languages == ["de", "en", None, None, None, None]


def test_the_whole_past_can_be_read_page_by_page(shelf: Shelf, tmp_path: Path) -> None:
    """RFC 5005: from the feed back over its archives, every letter comes at least once, and a full archive never changes."""
    for number in range(6, 66):
        shelf.put(letter(number))
    make(shelf, tmp_path / "out")
    out = tmp_path / "out"
    seen: set[str] = set()
    path: str | None = "atom.xml"
    while path:
        feed = ET.fromstring((out / path).read_bytes())
        seen |= {entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")}
        assert (feed.find("{http://purl.org/syndication/history/1.0}archive") is None) == (path == "atom.xml")
        link = feed.find(f"{ATOM}link[@rel='prev-archive']")
        path = link.get("href").removeprefix("https://saat.example/archiv/") if link is not None else None
    assert seen == {f"Brief {number} & mehr" for number in range(1, 66)}
    before = (out / "feed/1.xml").read_bytes(), (out / "feed/2.xml").read_bytes()
    shelf.put(letter(66))
    make(shelf, tmp_path / "out")
    assert before == ((out / "feed/1.xml").read_bytes(), (out / "feed/2.xml").read_bytes())


def test_the_hub_stands_in_every_feed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, hub="https://hub.example/")
    make(shelf, tmp_path / "out")
    for path in XML:
        root = ET.fromstring((tmp_path / "out" / path).read_bytes())
        assert [link.get("href") for link in root.iter(f"{ATOM}link") if link.get("rel") == "hub"] == ["https://hub.example/"]
    assert json.loads((tmp_path / "out" / "feed.json").read_text())["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]


def test_hostile_words_and_control_characters_break_no_feed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(letter(6, title=f"a\x00b\x0b{HOSTILE}]]>", summary="\x08", tags=(HOSTILE, "]]>"), html="<p>]]&gt;\x0c</p>"))
    make(shelf, tmp_path / "out")
    title = next(ET.fromstring((tmp_path / "out" / "rss.xml").read_bytes()).iter("item")).findtext("title")
    assert title == f"ab{HOSTILE}]]>"


def test_no_stylesheet_language_that_browsers_drop(out: Path) -> None:
    for path in XML:
        assert b"xml-stylesheet" not in (out / path).read_bytes()
    page = unescape((out / "feeds/index.html").read_text())
    assert "Was ist ein Feed?" in page
    assert "https://saat.example/archiv/atom.xml" in page


def test_an_empty_feed_is_one(shelf: Shelf, tmp_path: Path) -> None:
    shelf.kept.clear()
    make(shelf, tmp_path / "out")
    for path in ("rss.xml", "atom.xml"):
        ET.fromstring((tmp_path / "out" / path).read_bytes())
