"""What independent checkers say of pages and books: the Nu HTML checker of the W3C, and EPUBCheck."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.archive_site.conftest import Shelf, letter, make
from tests.archive_site.test_pictures import FIGURE, photo
from tests.support.required import missing

NU = Path(__file__).resolve().parent.parent / "browser" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
EPUBCHECK = Path("/usr/bin/epubcheck")
TABLE = '<div class="scroll" role="region" tabindex="0"><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table></div>'


@pytest.fixture
def rich(shelf: Shelf, tmp_path: Path) -> Path:
    (shelf.site.media / "foto.jpg").write_bytes(photo())
    sections = "".join(f'<h2 id="t{n}">Teil &amp; {n}</h2><p>a<br/>b</p>' for n in range(5))
    shelf.put(
        letter(
            6,
            html=sections + FIGURE + TABLE + "<hr>",
            series="Kaffee",
            authors=("Jost Brandt",),
            old_slugs=("alt",),
            translations=(("en", "https://a.example/"),),
        )
    )
    shelf.put(letter(7, series="Kaffee", mentions=(("Ben", "https://b.example/", "Schön"),), visibility="unlisted"))
    shelf.site = replace(shelf.site, cards=True, books=True, search=True, hub="https://hub.example/", webmention="https://saat.example/webmention/saat")
    for number in range(8, 60):
        shelf.put(letter(number, html="<p>a</p>"))
    make(shelf, tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.parametrize("theme", ["calm", "gazette", "poster"])
def test_every_page_is_valid_html(rich: Path, shelf: Shelf, tmp_path: Path, theme: str) -> None:
    if shutil.which("java") is None or not NU.is_file():
        missing("html", "Java or npm's vnu-jar is not there")
    shelf.site = replace(shelf.site, theme=theme)
    make(shelf, tmp_path / "out")
    pages = [str(path) for path in rich.rglob("*.html")]
    done = subprocess.run(["java", "-jar", str(NU), "--errors-only", "--also-check-css", *pages], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert len(pages) > 60


def test_a_book_is_a_valid_epub(rich: Path) -> None:
    if shutil.which("java") is None or not EPUBCHECK.is_file():
        missing("epub", "Java or EPUBCheck is not there")
    done = subprocess.run(["java", "-jar", str(EPUBCHECK), str(rich / "2025" / "der-saatbrief-2025.epub")], capture_output=True, text=True, check=False)
    assert "No errors or warnings detected." in done.stdout + done.stderr, done.stdout + done.stderr
