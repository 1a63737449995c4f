"""The static archive: its pages and files (C5, L13)."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive_site.build import build, take_back
from archive_site.folder import FolderSource, save
from archive_site.source import SourceBroken
from archive_site.themes import ThemeMissing
from tests.archive_site.conftest import HOSTILE, NOW, Shelf, letter, make, tree


def test_every_page_is_there(shelf: Shelf, tmp_path: Path) -> None:
    report = make(shelf, tmp_path / "out")
    expected = {
        "index.html", "index.md", "404.html", "rss.xml", "atom.xml", "feed.json", "sitemap.xml", "sitemap-0.xml", "sitemap-lists.xml", "robots.txt", "llms.txt",
        "brief-3/index.html", "brief-3/index.md", "brief-3/index.json", "tags/ueber-oel/index.html", "tags/index.html", "series/index.html",
        "authors/index.html",
        "authors/mira-lindner/atom.xml", "2025/index.html", "about/index.html", "imprint/index.html", "privacy/index.html", "feeds/index.html", "manifest.json",
        "about/index.md", "imprint/index.json", "2025/index.json", "2025/index.md", "_redirects", ".htaccess", "media/bild.png",
    }  # fmt: skip
    assert expected <= set(report.written)


def test_a_letter_has_everything_that_a_reader_looks_for(shelf: Shelf, tmp_path: Path) -> None:
    sections = "".join(f'<h2 id="t{n}">Teil {n} &amp; mehr</h2><p>a</p>' for n in range(5))
    shelf.put(letter(6, html=sections, series="Kaffee", authors=("Jost Brandt",)))
    shelf.put(letter(7, series="Kaffee"))
    make(shelf, tmp_path / "out")
    page = (tmp_path / "out" / "brief-6" / "index.html").read_text()
    for piece in (
        '<a href="#t3">Teil 3 &amp; mehr</a>', "3\u00a0Minuten", 'rel="prev" href="../brief-5/"', 'rel="next" href="../brief-7/"', "Teil 1 der Reihe",
        'href="../series/kaffee/"', 'href="../authors/jost-brandt/"', "Passt dazu", '<label for="email">', "application/ld+json",
        '<link rel="canonical" href="https://saat.example/archiv/brief-6/">', 'property="og:title"', 'class="h-entry"',
    ):  # fmt: skip
        assert piece in page, piece


def test_related_letters_are_older_ones_that_share_most_topics(shelf: Shelf, tmp_path: Path) -> None:
    shelf.change(2, tags=("Anbau", "Wasser"), title="Der nächste Verwandte")
    shelf.change(4, tags=("Wege",))
    shelf.put(letter(6, tags=("Anbau", "Wasser")))
    make(shelf, tmp_path / "out")
    related = (tmp_path / "out" / "brief-6" / "index.html").read_text().partition("Passt dazu")[2]
    assert re.findall(r'href="\.\./(brief-\d)/"', related) == ["brief-2", "brief-5", "brief-3"]


def test_lists_turn_their_pages_and_page_numbers_stay(shelf: Shelf, tmp_path: Path) -> None:
    for number in range(6, 66):
        shelf.put(letter(number))
    make(shelf, tmp_path / "out")
    first = (tmp_path / "out" / "page" / "1" / "index.html").read_text()
    assert first.count("<li ") == 20
    assert "Brief 1 &amp; mehr" in first
    assert 'rel="next" href="../2/"' in first
    front = (tmp_path / "out" / "index.html").read_text()
    assert 'rel="prev" href="page/2/"' in front
    assert front.count("u-url") == 25


def test_links_to_a_renamed_letter_still_arrive(shelf: Shelf, tmp_path: Path) -> None:
    shelf.change(3, slug="neu", old_slugs=("brief-3", "noch-aelter"))
    make(shelf, tmp_path / "out")
    for old in ("brief-3", "noch-aelter"):
        page = (tmp_path / "out" / old / "index.html").read_text()
        assert 'content="0; url=../neu/"' in page
        assert "<script" not in page
    assert "/archiv/brief-3/* /archiv/neu/:splat 301" in (tmp_path / "out" / "_redirects").read_text()
    assert "RedirectMatch 301 ^/archiv/brief-3(/.*)?$ /archiv/neu/$1" in (tmp_path / "out" / ".htaccess").read_text().replace("neu$1", "neu/$1")


def test_an_old_name_that_is_taken_again_leads_to_the_new_letter(shelf: Shelf, tmp_path: Path) -> None:
    shelf.change(3, slug="neu", old_slugs=("brief-3",))
    make(shelf, tmp_path / "out")
    shelf.put(letter(6, slug="brief-3", title="Die Nachfolgerin"))
    make(shelf, tmp_path / "out")
    assert "Die Nachfolgerin" in (tmp_path / "out" / "brief-3" / "index.html").read_text()


def test_german_and_english_letters_point_at_each_other(shelf: Shelf, tmp_path: Path) -> None:
    shelf.change(3, translations=(("en", "https://seed.example/letter-3/"),))
    make(shelf, tmp_path / "out")
    page = (tmp_path / "out" / "brief-3" / "index.html").read_text()
    assert '<link rel="alternate" hreflang="de" href="https://saat.example/archiv/brief-3/">' in page
    assert '<link rel="alternate" hreflang="en" href="https://seed.example/letter-3/">' in page
    assert "Diesen Brief auf Englisch lesen" in page


def test_programs_that_train_are_asked_to_stay_away_by_one_switch(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    assert "GPTBot" not in (tmp_path / "out" / "robots.txt").read_text()
    shelf.site = replace(shelf.site, ai_crawlers="refuse")
    make(shelf, tmp_path / "out")
    assert "User-agent: GPTBot" in (tmp_path / "out" / "robots.txt").read_text()
    assert "noai" in (tmp_path / "out" / "brief-3" / "index.html").read_text()
    assert not list((tmp_path / "out").rglob("*.md"))
    assert not (tmp_path / "out" / "llms.txt").exists()


def test_the_json_of_a_letter_is_an_object_of_activitystreams(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, actor="https://saat.example/ap/saat")
    make(shelf, tmp_path / "out")
    row = json.loads((tmp_path / "out" / "brief-3" / "index.json").read_text())
    assert (row["type"], row["attributedTo"], row["id"]) == ("Article", "https://saat.example/ap/saat", "https://saat.example/archiv/brief-3/index.json")
    assert 'src="https://saat.example/archiv/media/bild.png"' in row["content"]


def test_the_manifest_names_every_public_file_with_its_checksum(shelf: Shelf, tmp_path: Path) -> None:
    import hashlib

    shelf.put(letter(6, visibility="unlisted"))
    make(shelf, tmp_path / "out")
    out = tmp_path / "out"
    parts = json.loads((out / "manifest.json").read_text())["parts"]
    files = {path: row for part in parts for path, row in json.loads((out / part).read_text()).items()}
    for part, mark in parts.items():
        assert hashlib.sha256((out / part).read_bytes()).hexdigest() == mark
    for path, (mark, size) in files.items():
        data = (out / path).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (mark, size)
    everything = {path for path in tree(out) if not path.startswith("manifest")}
    assert everything - set(files) == {"_redirects", ".htaccess", ".nojekyll", "brief-6/index.html", "brief-6/index.md", "brief-6/index.json"}


def test_a_letter_that_goes_away_leaves_nothing_behind(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    del shelf.kept[5]
    assert "brief-5/index.html" in make(shelf, tmp_path / "out").removed
    assert not (tmp_path / "out" / "brief-5").exists()


def test_a_letter_that_cannot_be_read_is_named_and_its_old_page_stays(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    shelf.unreadable[3] = "the file is damaged"
    shelf.change(4, title="Neu")
    report = build(shelf, tmp_path / "out", now=NOW)
    assert [str(problem) for problem in report.problems] == ["3: the file is damaged"]
    assert "Text 3" in (tmp_path / "out" / "brief-3" / "index.html").read_text()
    assert "Neu" in (tmp_path / "out" / "brief-4" / "index.html").read_text()


def test_an_image_that_is_missing_is_named_and_comes_when_it_is_there(shelf: Shelf, tmp_path: Path) -> None:
    image = shelf.site.media / "bild.png"
    data = image.read_bytes()
    image.unlink()
    report = build(shelf, tmp_path / "out", now=NOW, processes=1)
    assert any("bild.png is missing" in str(problem) for problem in report.problems)
    image.write_bytes(data)
    assert "media/bild.png" in make(shelf, tmp_path / "out").written


@pytest.mark.parametrize("slug", ["..", "tags", "2025", "", "a/b", "Ä", "x" * 300, "feed", ".htaccess", "con text"])
def test_a_name_that_cannot_be_an_address_is_refused_and_the_rest_is_built(shelf: Shelf, tmp_path: Path, slug: str) -> None:
    shelf.put(letter(6, slug=slug))
    report = build(shelf, tmp_path / "out", now=NOW, processes=1)
    assert len(report.problems) == 1
    assert "brief-5/index.html" in report.written


def test_of_two_letters_with_one_name_the_older_has_it(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(letter(9, slug="brief-3", title="Zweiter"))
    report = build(shelf, tmp_path / "out", now=NOW, processes=1)
    assert "letter 3 has the same name" in str(report.problems[0])
    assert "Zweiter" not in (tmp_path / "out" / "brief-3" / "index.html").read_text()
    shelf.change(3, slug="anders")
    make(shelf, tmp_path / "out")
    assert "Zweiter" in (tmp_path / "out" / "brief-3" / "index.html").read_text()


def test_c5_titles_and_captions_are_text_everywhere(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(
        letter(
            6,
            title=HOSTILE,
            summary=HOSTILE,
            tags=(HOSTILE,),
            series=HOSTILE,
            authors=(HOSTILE,),
            markdown=HOSTILE,
            mentions=((HOSTILE, "https://a.example/", HOSTILE),),
        )
    )
    shelf.site = replace(shelf.site, name=HOSTILE, promise=HOSTILE, about=HOSTILE, byline=HOSTILE, cards=True, books=True)
    build(shelf, tmp_path / "out", now=NOW, processes=1)
    for path, data in tree(tmp_path / "out").items():
        if path.endswith((".html", ".xml")):
            assert b"<script>alert" not in data, path
    page = (tmp_path / "out" / "brief-6" / "index.html").read_text()
    assert re.findall(r"<script[^>]*>", page) == ['<script type="application/ld+json">']
    assert json.loads(page.partition('ld+json">')[2].partition("</script>")[0])["headline"] == HOSTILE


@pytest.mark.parametrize("title", ["x" * 300, "日本語のタイトル", "\u202eumgekehrt", "a\x00b\x0bc", "\ud800", "😀" * 80, " "])
def test_strange_titles_harm_nothing(shelf: Shelf, tmp_path: Path, title: str) -> None:
    shelf.put(letter(6, title=title, tags=(title,), series=title, authors=(title,)))
    shelf.site = replace(shelf.site, cards=True, books=True, search=True)
    make(shelf, tmp_path / "out")


def test_l13_no_page_asks_anybody_else_and_none_but_the_search_has_script(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, search=True)
    make(shelf, tmp_path / "out")
    for path, data in tree(tmp_path / "out").items():
        if not path.endswith(".html"):
            continue
        text = data.decode()
        scripts = [script for script in re.findall(r"<script[^>]*>", text) if "ld+json" not in script]
        assert scripts == (['<script type="module" src="search.js">'] if path == "search/index.html" else []), path
        assert " style=" not in text
        assert "Content-Security-Policy" in text


def test_an_issue_page_is_small(shelf: Shelf, tmp_path: Path) -> None:
    import gzip

    shelf.put(letter(6, html="<p>" + "Ein Satz über den Garten und das Wasser, der nicht zu kurz ist. " * 160 + "</p>"))
    make(shelf, tmp_path / "out")
    out = tmp_path / "out"
    together = len(gzip.compress((out / "brief-6" / "index.html").read_bytes())) + len(gzip.compress(next(out.glob("assets/*.css")).read_bytes()))
    assert together <= 25_000


def test_an_empty_archive_is_a_friendly_page(shelf: Shelf, tmp_path: Path) -> None:
    shelf.kept.clear()
    shelf.site = replace(shelf.site, search=True, books=True)
    make(shelf, tmp_path / "out")
    assert "Noch ist kein Brief erschienen." in (tmp_path / "out" / "index.html").read_text()


def test_english_is_english(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, language="en")
    make(shelf, tmp_path / "out")
    page = (tmp_path / "out" / "brief-1" / "index.html").read_text()
    assert '<html lang="en">' in page
    assert "2\u00a0November 2025" in page


def test_a_folder_that_was_there_before_is_kept_aside(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notiz.txt").write_text("wichtig")
    make(shelf, tmp_path / "out")
    assert list(tmp_path.glob(".out.releases/before-*/notiz.txt"))


@pytest.mark.parametrize("search", [False, True])
@pytest.mark.parametrize("many", [False, True])
def test_the_last_publish_can_be_taken_back(shelf: Shelf, tmp_path: Path, many: bool, search: bool) -> None:
    shelf.site = replace(shelf.site, search=search, books=search)
    make(shelf, tmp_path / "out")
    before = tree(tmp_path / "out")
    if many:
        shelf.site = replace(shelf.site, name="Ganz anders")
    shelf.put(letter(6))
    make(shelf, tmp_path / "out", full=many)
    after = tree(tmp_path / "out")
    assert take_back(tmp_path / "out")
    assert tree(tmp_path / "out") == before
    make(shelf, tmp_path / "out")
    assert tree(tmp_path / "out") == after


def test_there_is_nothing_to_take_back_before_the_second_build(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    assert not take_back(tmp_path / "out")
    assert (tmp_path / "out" / "index.html").exists()


def test_a_damaged_memory_costs_a_full_build_and_nothing_else(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    before = tree(tmp_path / "out")
    for path in (tmp_path / ".out.releases").glob("state.db*"):
        path.write_bytes(b"this is no database" * 300)
    make(shelf, tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_a_clock_that_goes_back_makes_no_letter_disappear(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(letter(6, visibility="delayed", listed_from=NOW - timedelta(hours=1)))
    make(shelf, tmp_path / "out")
    assert (tmp_path / "out" / "brief-6").exists()
    shelf.change(6, title="Neuer Titel")
    make(shelf, tmp_path / "out", now=NOW - timedelta(days=30))
    assert "Neuer Titel" in (tmp_path / "out" / "brief-6" / "index.html").read_text()


def test_an_unknown_theme_is_refused_with_the_names_of_those_there_are(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, theme="../calm")
    with pytest.raises(ThemeMissing, match="calm"):
        build(shelf, tmp_path / "out", now=NOW)


def test_it_stands_alone_on_an_exported_folder(shelf: Shelf, tmp_path: Path) -> None:
    save(shelf.site, shelf.kept.values(), tmp_path / "source")
    command = [sys.executable, "-m", "archive_site", str(tmp_path / "source"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "files written" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.startswith("0 files written")
    make(shelf, tmp_path / "direct")
    assert tree(tmp_path / "direct") == tree(tmp_path / "out")
    back = subprocess.run([*command, "--take-back"], capture_output=True, text=True, check=True)
    assert "nothing to take back" in back.stdout


def test_a_broken_file_among_others_is_named_and_the_rest_is_built(shelf: Shelf, tmp_path: Path) -> None:
    save(shelf.site, shelf.kept.values(), tmp_path / "source")
    letters = tmp_path / "source" / "letters"
    (letters / "3-brief-3.json").write_text("{")
    (letters / "4-brief-4.html").unlink()
    (letters / "notes.json").write_text("{}")
    report = build(FolderSource(tmp_path / "source"), tmp_path / "out", now=NOW, processes=1)
    assert sorted(problem.where for problem in report.problems) == ["3-brief-3.json", "4-brief-4.html", "notes"]
    assert {"brief-1/index.html", "brief-5/index.html"} <= set(report.written)


@pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"name": 1}', None])
def test_a_source_that_is_none_is_refused_in_a_sentence(tmp_path: Path, broken: str | None) -> None:
    if broken is not None:
        (tmp_path / "site.json").write_text(broken)
    with pytest.raises(SourceBroken, match=r"\.$"):
        FolderSource(tmp_path)


def test_nothing_is_left_lying_about(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    for number in range(6, 12):
        shelf.put(letter(number))
        make(shelf, tmp_path / "out", full=number % 2 == 0)
    kept = [path for path in os.scandir(tmp_path / ".out.releases") if path.is_dir() and path.name.startswith(("stage-", "undo"))]
    assert len(kept) <= 3  # the archive, the one before, and what the last publish replaced


def test_a_logo_stands_on_every_page_and_may_stand_in_a_letter_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(letter(6, html='<figure><img src="/media/bild.png" alt="Bild" width="16" height="10" loading="lazy"></figure>'))
    make(shelf, tmp_path / "out")
    shelf.site = replace(shelf.site, logo="bild.png")
    make(shelf, tmp_path / "out")
    page = (tmp_path / "out" / "brief-1" / "index.html").read_text()
    assert '<img class="logo" src="../media/bild.png" alt="" width="64" height="40">' in page
    assert (tmp_path / "out" / "media" / "bild-16.avif").exists()
    shelf.kept.clear()
    shelf.site = replace(shelf.site, logo="")
    make(shelf, tmp_path / "out")
    assert not (tmp_path / "out" / "media").exists()


def test_two_processes_that_build_at_once_wait_for_each_other(shelf: Shelf, tmp_path: Path) -> None:
    save(shelf.site, shelf.kept.values(), tmp_path / "source")
    command = [sys.executable, "-m", "archive_site", str(tmp_path / "source"), str(tmp_path / "out"), "--full"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(child.wait(60), child.stderr.read()) for child in both if child.stderr] == [(0, "")] * 3
    for child in both:
        child.stderr.close()
    make(shelf, tmp_path / "meant")
    assert tree(tmp_path / "out") == tree(tmp_path / "meant")
