"""The static archive (C5, L13, and ARCHIVE's list of faults in feeds)."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from archive_site.build import build
from archive_site.site import Letter, Site
from archive_site.source import SourceBroken, load, save

HOSTILE = '"><script>alert(1)</script>'


def letter(number: int, **more: object) -> Letter:
    values = {
        "number": number,
        "slug": f"brief-{number}",
        "title": f"Brief {number} & mehr",
        "summary": "Worum <es> geht",
        "html": f'<p>Text {number} mit <a href="#fn:1">Fußnote</a></p><figure><img src="/media/bild.png" alt="Bild {number}"></figure>',
        "published": datetime(2025, 11, number, 8, tzinfo=UTC),
        "tags": ("Anbau", "Über Öl"),
        "minutes": 3,
    }
    return Letter(**(values | more))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    picture = tmp_path / "bild.png"
    picture.write_bytes(b"png")
    return Site(
        name="Der Saatbrief",
        base="https://saat.example/archiv/",
        language="de",
        timezone="Europe/Berlin",
        author="Mira Lindner",
        promise="Ein Brief.",
        form_action="https://saat.example/p/saatbrief/subscribe",
        imprint=("Am Anger 4",),
        letters=tuple(letter(number) for number in range(1, 6)),
        media={"bild.png": picture},
    )


def test_every_page_is_there_and_links_lead_somewhere(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = build(site, out)
    assert {"index.html", "404.html", "rss.xml", "atom.xml", "feed.json", "sitemap.xml", "brief-3/index.html", "tags/ueber-oel/index.html"} <= set(
        report.written
    )
    for page in out.rglob("*.html"):
        if page.name == "404.html":
            continue
        for link in re.findall(r'(?:href|src)="([^"#:]+)"', page.read_text()):
            target = page.parent / link
            assert (target / "index.html").is_file() or target.is_file(), (page, link)


def test_a_second_build_writes_nothing_and_is_the_same_to_the_byte(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    report = build(site, out)
    assert (report.written, report.removed) == ((), ())
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_one_new_letter_changes_only_what_it_touches(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    report = build(replace(site, letters=(*site.letters, letter(6, tags=()))), out)
    assert {path.partition("/")[0] for path in report.written} == {
        "brief-6",
        "brief-5",
        "index.html",
        "rss.xml",
        "atom.xml",
        "feed.json",
        "404.html",
        "sitemap.xml",
    }


def test_a_letter_that_goes_away_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    report = build(replace(site, letters=site.letters[:4]), out)
    assert "brief-5/index.html" in report.removed
    assert not (out / "brief-5").exists()


def test_a_build_that_fails_leaves_the_old_archive_whole(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    before = (out / "index.html").read_text()
    broken = replace(site, letters=(*site.letters, letter(6)), media={"weg.png": tmp_path / "weg.png"})
    with pytest.raises(OSError, match="weg"):
        build(broken, out)
    assert (out / "index.html").read_text() == before
    assert len(list((tmp_path / ".out.releases").iterdir())) == 1


def test_a_reader_sees_the_old_or_the_new_archive_and_nothing_between(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    assert out.is_symlink()
    first = out.resolve()
    build(replace(site, name="Anders"), out)
    assert out.resolve() != first
    assert first.exists()  # the way back


def test_a_real_folder_in_its_place_is_kept_aside(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notiz.txt").write_text("wichtig")
    build(site, out)
    assert (out / "index.html").exists()
    assert list(tmp_path.glob(".out.releases/before-*/notiz.txt"))


def test_c5_titles_and_summaries_are_text_everywhere(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hostile = letter(6, title=HOSTILE, summary=HOSTILE, tags=(HOSTILE,))
    build(replace(site, letters=(hostile,), name=HOSTILE, promise=HOSTILE), out)
    for path in [*out.rglob("*.html"), *out.rglob("*.xml")]:
        assert "<script>alert" not in path.read_text(), path


def test_l13_no_page_asks_anybody_else_and_none_has_script(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    for page in out.rglob("*.html"):
        text = page.read_text()
        assert "<script" not in text
        assert " style=" not in text
        assert "Content-Security-Policy" in text
        for source in re.findall(r'(?:src|<link[^>]+stylesheet[^>]+href)="([^"]+)"', text):
            assert not source.startswith(("http:", "//")), source


def test_feeds_are_well_formed_complete_and_absolute(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(site, out)
    for path in ("rss.xml", "atom.xml", "tags/anbau/rss.xml", "tags/anbau/atom.xml"):
        root = ET.fromstring((out / path).read_bytes())
        texts = [node.text for node in root.iter() if node.tag.endswith(("encoded", "}content"))]
        assert len(texts) == 5
        for text in texts:
            assert not re.findall(r'(?:href|src)="(?!https://)', text), path
            assert 'alt="Bild' in text
    channel = ET.fromstring((out / "rss.xml").read_bytes()).find("channel")
    assert channel.find("language").text == "de"
    assert all(item.find("guid") is not None and item.find("author") is None for item in channel.findall("item"))
    assert channel.find("{http://www.w3.org/2005/Atom}link").get("href") == "https://saat.example/archiv/rss.xml"
    feed = json.loads((out / "feed.json").read_text())
    assert feed["items"][0]["title"] == "Brief 5 & mehr"
    assert len({item["id"] for item in feed["items"]}) == 5


def test_feeds_survive_control_characters(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(replace(site, letters=(letter(1, title="a\x00b\x0bc"),)), out)
    ET.fromstring((out / "rss.xml").read_bytes())


def test_an_empty_archive_is_a_friendly_page(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(replace(site, letters=(), media={}), out)
    assert "Noch ist kein Brief erschienen." in (out / "index.html").read_text()
    ET.fromstring((out / "rss.xml").read_bytes())
    ET.fromstring((out / "atom.xml").read_bytes())


def test_english_is_english(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(replace(site, language="en"), out)
    page = (out / "brief-1" / "index.html").read_text()
    assert '<html lang="en">' in page
    assert "1\u00a0November 2025" in page


def test_it_stands_alone_on_an_exported_folder(site: Site, tmp_path: Path) -> None:
    save(site, tmp_path / "source")
    assert load(tmp_path / "source").letters == site.letters
    done = subprocess.run([sys.executable, "-m", "archive_site", str(tmp_path / "source"), str(tmp_path / "out")], capture_output=True, text=True, check=True)
    assert "files written" in done.stdout
    assert (tmp_path / "out" / "brief-1" / "index.html").exists()


@pytest.mark.parametrize("broken", ["{", '{"letters": [{"slug": "../x"}]}', "{}"])
def test_a_broken_source_is_refused_in_a_sentence(tmp_path: Path, broken: str) -> None:
    (tmp_path / "site.json").write_text(broken)
    with pytest.raises(SourceBroken):
        load(tmp_path)
