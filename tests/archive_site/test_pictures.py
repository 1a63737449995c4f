"""Images, cards and books: made once, kept by content, the same every time."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from archive_site import themes
from archive_site.cards import card
from archive_site.pictures import ImageBroken, offer, variants
from archive_site.themes import contrast, on, readable
from tests.archive_site.conftest import Shelf, letter, make

FIGURE = '<figure><img src="/media/foto.jpg" alt="Ein Foto" width="1600" height="900" loading="lazy"></figure>'


def photo(width: int = 1600, height: int = 900) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def test_an_image_is_offered_in_three_formats_and_several_widths_without_a_jump(shelf: Shelf, tmp_path: Path) -> None:
    (shelf.site.media / "foto.jpg").write_bytes(photo())
    shelf.put(letter(6, html=FIGURE))
    make(shelf, tmp_path / "out")
    page = (tmp_path / "out" / "brief-6" / "index.html").read_text()
    picture = re.search(r"<picture>.*?</picture>", page).group(0)
    assert re.findall(r'type="(image/\w+)"', picture) == ["image/avif", "image/webp"]
    assert 'width="1600" height="900"' in picture
    assert 'loading="lazy"' in picture
    for source, width in re.findall(r"(\.\./media/[^ ,\"]+) (\d+)w", picture):
        with Image.open(tmp_path / "out" / "brief-6" / source) as image:
            assert image.width == int(width), source
            assert abs(image.height - int(width) * 900 / 1600) <= 1


def test_a_small_image_is_not_made_larger(tmp_path: Path) -> None:
    names = [name for name, _ in variants("foto.jpg", photo(300, 200), tmp_path)]
    assert names == ["foto.jpg", "foto-300.avif", "foto-300.webp"]


def test_a_second_time_nothing_is_encoded(tmp_path: Path) -> None:
    first = dict(variants("foto.jpg", photo(), tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert dict(variants("foto.jpg", photo(), tmp_path)) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_the_same_image_becomes_the_same_bytes_everywhere(tmp_path: Path) -> None:
    assert dict(variants("foto.jpg", photo(), tmp_path / "a")) == dict(variants("foto.jpg", photo(), tmp_path / "b"))


def test_what_is_no_image_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageBroken, match=r"foto\.jpg"):
        list(variants("foto.jpg", b"no image", tmp_path))


def test_an_image_whose_size_nobody_knows_stays_as_it_is() -> None:
    assert offer('<img src="/media/a.png" alt="A">', "../") == '<img src="../media/a.png" alt="A">'


@pytest.mark.parametrize("title", ["Drei Handgriffe gegen bitteren Kaffee", "Öl & Ähren: „Zitat“", "Wort" * 80, "viele Wörter " * 40, "", "日本"])
def test_a_card_is_a_small_image_of_the_right_size(tmp_path: Path, title: str) -> None:
    data = card(title, "Der Saatbrief", "Nr. 3 · 3. November 2026", themes.load("calm"), tmp_path)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.format) == ((1200, 630), "PNG")
    assert len(data) < 60_000
    assert card(title, "Der Saatbrief", "Nr. 3 · 3. November 2026", themes.load("calm"), tmp_path / "other") == data


def test_umlauts_on_a_card_are_letters_and_no_boxes(tmp_path: Path) -> None:
    assert card("Ä", "x", "y", themes.load("calm"), tmp_path) != card("Ö", "x", "y", themes.load("calm"), tmp_path)


def test_a_letter_with_a_cover_shows_that_and_has_no_card(shelf: Shelf, tmp_path: Path) -> None:
    (shelf.site.media / "foto.jpg").write_bytes(photo())
    shelf.site = replace(shelf.site, cards=True)
    shelf.put(letter(6, cover="foto.jpg", cover_alt="Ein Foto"))
    make(shelf, tmp_path / "out")
    page = (tmp_path / "out" / "brief-6" / "index.html").read_text()
    assert 'property="og:image" content="https://saat.example/archiv/media/foto.jpg"' in page
    assert 'property="og:image:alt" content="Ein Foto"' in page
    assert not (tmp_path / "out" / "brief-6" / "card.png").exists()
    assert (tmp_path / "out" / "brief-5" / "card.png").exists()


def test_a_year_is_a_book_that_can_be_read(shelf: Shelf, tmp_path: Path) -> None:
    (shelf.site.media / "foto.jpg").write_bytes(photo())
    shelf.put(letter(6, html=FIGURE + "<p>Zeile<br>zwei &amp; drei</p><hr>"))
    shelf.site = replace(shelf.site, books=True)
    make(shelf, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / "2025" / "der-saatbrief-2025.epub") as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type, book.read(first)) == ("mimetype", zipfile.ZIP_STORED, b"application/epub+zip")
        package = ET.fromstring(book.read("book/package.opf"))
        hrefs = {item.get("href") for item in package.iter("{http://www.idpf.org/2007/opf}item")}
        assert {f"book/{href}" for href in hrefs} | {"mimetype", "META-INF/container.xml", "book/package.opf"} == set(book.namelist())
        for name in book.namelist():
            if name.endswith(".xhtml"):
                ET.fromstring(book.read(name))


@pytest.mark.parametrize("theme", ["calm", "gazette", "poster"])
def test_every_theme_can_be_read_in_light_and_dark(theme: str) -> None:
    css = themes.load(theme).css.decode()
    for tokens in themes._tokens((themes.folder() / theme / "theme.css").read_text()):
        for ink, least in (("ink", 7), ("ink-2", 7), ("accent", 4.5), ("accent-strong", 4.5), ("control", 3)):
            for paper in ("paper", "sheet", "tint"):
                if (ink, paper) not in (("ink-2", "tint"), ("control", "tint")):
                    assert contrast(tokens[ink], tokens[paper]) >= least, (theme, ink, paper)
        assert contrast(tokens["on"], tokens["accent"]) >= 4.5
    assert "//" not in re.sub(r"/\*.*?\*/", "", css)


@pytest.mark.parametrize("colour", ["#ffff00", "#000000", "#ffffff", "#ff0000", "#2f5470", "#7f7f7f"])
@pytest.mark.parametrize("theme", ["calm", "gazette", "poster"])
def test_a_colour_of_ones_own_is_always_readable(theme: str, colour: str) -> None:
    for tokens in themes._tokens((themes.folder() / theme / "theme.css").read_text()):
        found = readable(colour, tokens["paper"])
        assert contrast(found, tokens["paper"]) >= 4.5
        assert contrast(on(found), found) >= 4.5
    assert themes.load(theme, colour).stylesheet != themes.load(theme).stylesheet


def test_a_theme_of_ones_own_is_a_stylesheet_and_what_it_wants_otherwise(shelf: Shelf, tmp_path: Path) -> None:
    mine = tmp_path / "themes" / "mine"
    mine.mkdir(parents=True)
    (mine / "theme.css").write_text(":root { --paper: #ffffff; --ink: #000000; --accent: #0000ee; }\n")
    (mine / "404.html").write_text('{% extends "base.html" %}{% block content %}<h1>Weg</h1>{% endblock %}')
    shelf.site = replace(shelf.site, theme="mine")
    make(shelf, tmp_path / "out", themes=tmp_path / "themes")
    assert "<h1>Weg</h1>" in (tmp_path / "out" / "404.html").read_text()
    assert "assets/mine-" in (tmp_path / "out" / "brief-1" / "index.html").read_text()


def test_the_example_of_the_documentation_is_a_theme(shelf: Shelf, tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parent.parent.parent / "docs" / "themes.md").read_text()
    mine = tmp_path / "themes" / "typewriter"
    mine.mkdir(parents=True)
    (mine / "theme.css").write_text(text.partition("```css\n")[2].partition("```")[0])
    (mine / "404.html").write_text(text.partition("```html\n")[2].partition("```")[0])
    shelf.site = replace(shelf.site, theme="typewriter", accent="#ffcc00")
    make(shelf, tmp_path / "out", themes=tmp_path / "themes")
    for tokens in themes._tokens((mine / "theme.css").read_text()):
        assert all(contrast(tokens[ink], tokens["paper"]) >= 4.5 for ink in ("ink", "ink-2", "accent"))
