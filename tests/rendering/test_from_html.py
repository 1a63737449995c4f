"""What is pasted, and letters from elsewhere, become Markdown."""

import time

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering.document import make_document
from newsletter.rendering.from_html import from_table, to_markdown, with_images
from newsletter.rendering.web import to_web
from tests.rendering.test_document import XSS


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>Ein <b>fettes</b> und ein <i>schräges</i> Wort.</p>", "Ein **fettes** und ein *schräges* Wort.\n"),
        ("<h1>Titel</h1><h3>Teil</h3><p>x</p>", "## Titel\n\n### Teil\n\nx\n"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n    - b\n- c\n"),
        ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b\n"),
        ('<a href="https://a.example/x (1)">Link</a>', "[Link](https://a.example/x%20%281%29)\n"),
        ('<a href="javascript:alert(1)">Link</a>', "Link\n"),
        ('<a href="https://www.google.com/url?q=https://a.example/&sa=D">Link</a>', "[Link](https://a.example/)\n"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b\n"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1|2</td><td><b>x</b></td></tr></table>", "| A | B |\n|---|---|\n| 1\\|2 | **x** |\n"),
        ("<p>eins<br>zwei</p>", "eins\nzwei\n"),
        ("<div>a</div><div>b</div>", "a\n\nb\n"),
        ("<pre>x = *1*\n</pre>", "```\nx = *1*\n```\n"),
        ("<p>2 * 3 * 4 und _x_ und a_b</p>", "2 \\* 3 \\* 4 und \\_x\\_ und a_b\n"),
        ("<p># kein Titel</p><p>1. keine Liste</p>", "\\# kein Titel\n\n1\\. keine Liste\n".replace("1\\.", "\\1.")),
        (
            '<figure><img src="https://a.example/b.jpg" alt="Bohnen"><figcaption>Vier "Reihen"</figcaption></figure>',
            "![Bohnen](https://a.example/b.jpg \"Vier 'Reihen'\")\n",
        ),
        ('<img src="data:image/png;base64,AAAA">', ""),
        ("", ""),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown


def test_google_docs_which_says_bold_by_style_and_wraps_everything_in_b() -> None:
    html = '<meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1"><p>'
    html += '<span style="font-weight:700;font-style:normal">Fett</span><span style="font-weight:400"> und </span>'
    html += '<span style="font-weight:400;font-style:italic">schräg</span></p></b>'
    assert to_markdown(html) == "**Fett** und *schräg*\n"


def test_word_which_brings_a_style_sheet_and_empty_paragraphs() -> None:
    html = "<html xmlns:o='urn'><head><style>p.MsoNormal{margin:0}</style></head><body>"
    html += "<!--StartFragment--><p class=MsoNormal>Eins<o:p></o:p></p>"
    html += "<p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Zwei</p><!--EndFragment--></body></html>"
    assert to_markdown(html) == "Eins\n\nZwei\n"


def test_a_mail_laid_out_by_tables_becomes_text() -> None:
    html = "<table><tr><td><table><tr><td><h2>Hallo</h2><p>Text</p></td></tr></table></td></tr>"
    html += "<tr><td><a href='https://a.example'>Mehr lesen</a></td></tr></table>"
    assert to_markdown(html) == "## Hallo\n\nText\n\n[Mehr lesen](https://a.example)\n"


def test_cells_of_a_spreadsheet_become_a_table() -> None:
    assert from_table("Sorte\tKilo\r\nHedwig\t31\r\nDie | Gute\r\n") == "| Sorte | Kilo |\n|---|---|\n| Hedwig | 31 |\n| Die \\| Gute |  |"


@pytest.mark.parametrize("vector", XSS)
def test_c1_nothing_that_acts_comes_along(vector: str) -> None:
    for node in BeautifulSoup(to_web(make_document(to_markdown(vector), "de")), "html.parser").find_all(True):
        assert node.name not in ("script", "iframe", "svg", "style", "form", "object", "base", "meta", "link")
        assert not [name for name in node.attrs if name.startswith("on") or name == "style"]
        assert not str(node.get("href", node.get("src", ""))).lower().startswith(("javascript", "data", "vbscript", "//"))


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000 + "x",
        "<b>" * 5_000 + "x",
        "<ul><li>" * 3_000 + "x",
        "<table><tr><td>" * 2_000 + "x",
        "<a href='x'>" * 5000,
        "<" * 50_000,
        "\0\ue020<p>x",
    ],
)
def test_hostile_nesting_becomes_text_in_time(html: str) -> None:
    began = time.monotonic()
    to_markdown(html)
    assert time.monotonic() - began < 8  # a guard against freezing, not a measure of speed


def test_five_megabytes_are_taken() -> None:
    html = "<p>Ein <b>Absatz</b> mit ein paar Wörtern darin.</p>" * 100_000
    began = time.monotonic()
    assert to_markdown(html).count("**Absatz**") == 100_000
    assert time.monotonic() - began < 30  # a guard against freezing, not a measure of speed


def test_right_to_left_and_emoji_stay_as_they_are() -> None:
    assert to_markdown("<p dir=rtl>שלום עולם 👩‍🌾</p>") == "שלום עולם 👩‍🌾\n"


@given(st.text(alphabet="<>/abpdivultr =\"'&;*_#-\n\u00a0", max_size=200))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_in_comes_out_as_text(html: str) -> None:
    assert isinstance(to_markdown(html), str)


def test_pictures_are_put_elsewhere() -> None:
    assert with_images('![a](https://x.example/1.jpg "t") ![b](u)', lambda src: src.upper()) == '![a](HTTPS://X.EXAMPLE/1.JPG "t") ![b](U)'
