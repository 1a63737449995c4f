"""Four layouts, and what mail programs need of them."""

import re

import pytest
from bs4 import BeautifulSoup

from newsletter.rendering.document import make_document
from newsletter.rendering.look import LAYOUTS, Look, contrast, inverted, readable
from newsletter.rendering.mail import LEAVE, MANAGE, Frame, to_mail
from newsletter.rendering.showcase import PICTURES
from tests.rendering.golden import FOLDER, files, mail


@pytest.mark.parametrize("name", sorted(files()))
def test_every_block_in_every_layout_looks_as_it_was_agreed(name: str) -> None:
    """After a change that is meant: ``make golden``, and read the difference."""
    assert files()[name] == (FOLDER / name).read_text("utf-8")


@pytest.fixture(params=LAYOUTS)
def soup(request: pytest.FixtureRequest) -> BeautifulSoup:
    return BeautifulSoup(mail(request.param).html, "html.parser")


def test_f13_every_layout_is_far_below_what_gmail_cuts(soup: BeautifulSoup) -> None:
    html = str(soup)
    assert len(html.encode()) < 80_000
    assert html.encode().index(LEAVE.encode()) < 100_000
    assert MANAGE in html


def test_f14_layout_tables_say_that_they_are_no_tables(soup: BeautifulSoup) -> None:
    for table in soup.find_all("table"):
        assert table.find("th") is not None or table.get("role") == "presentation", table


def test_gmail_without_head_styles_every_text_has_its_own_size_and_colour(soup: BeautifulSoup) -> None:
    """Accounts of other providers in Gmail's app lose <style> altogether."""
    for node in soup.find_all(["p", "h1", "h2", "h3", "li", "blockquote", "a", "ul", "ol", "pre", "code", "td"]):
        if node.get_text(strip=True) and not node.find("table"):
            style = ";".join(str(one.get("style", "")) for one in [node, *node.parents] if one.name != "[document]")
            assert "font-size" in style, node
            assert "color:" in style, node
    for link in soup.find_all("a"):
        assert "color" in str(link.get("style", "")) or link.find("img"), link


def test_outlook_has_a_table_of_fixed_width_for_every_section(soup: BeautifulSoup) -> None:
    """Outlook on Windows lays out with Word, which knows no max-width: conditional comments give it tables."""
    html = str(soup)
    sections = len(re.findall(r"<!--\[if mso \| IE\]>", html))
    assert sections == len(re.findall(r"<!\[endif\]-->", html)) - html.count("<!--<![endif]-->") - len(re.findall(r"<!--\[if (?:lte )?mso(?: \d+)?\]>", html))
    assert 'width="600"' in html
    assert "PixelsPerInch" in html


def test_gmx_and_web_de_get_no_positions_and_no_backgrounds_as_pictures(soup: BeautifulSoup) -> None:
    for node in soup.find_all(style=True):
        assert not re.search(r"position\s*:|url\(|flex|grid|calc\(", str(node["style"])), node


def test_apple_mail_is_told_that_there_is_a_dark_version(soup: BeautifulSoup) -> None:
    assert soup.find("meta", attrs={"name": "color-scheme"})["content"] == "light dark"
    assert "prefers-color-scheme: dark" in str(soup.find_all("style"))


def test_every_picture_has_a_description_and_fits_a_phone(soup: BeautifulSoup) -> None:
    for image in soup.find_all("img"):
        assert image["alt"]
        assert int(str(image["width"])) <= 600
        assert "height:auto" in str(image["style"])


def test_l13_no_layout_asks_a_foreign_host(soup: BeautifulSoup) -> None:
    assert not soup.find_all(["link", "script", "iframe", "object"])
    assert {str(image["src"]).split("/")[2] for image in soup.find_all("img")} == {"saat.example"}


def test_the_subject_stands_in_every_layout_but_the_plain_one() -> None:
    assert ["<h1" in mail(layout).html for layout in LAYOUTS] == [True, True, True, False]


@pytest.mark.parametrize("accent", ["#ffee00", "#000000", "#ffffff", "#2f5470", "#ff0000", "#7fbf3f"])
@pytest.mark.parametrize("paper", ["#ffffff", "#fbf9f4", "#f0e0d0"])
def test_wcag_whatever_colour_is_chosen_links_and_buttons_can_be_read(accent: str, paper: str) -> None:
    look = Look(accent=accent, paper=paper)
    assert contrast(look.link, paper) >= 4.5
    assert contrast(look.on_accent, accent) >= 4.5
    assert contrast(look.night, "#191816") >= 4.5
    assert contrast(look.on_night, look.night) >= 4.5


def test_contrast_is_reckoned_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert readable("#ffffff", "#ffffff", "#000000") != "#ffffff"
    assert inverted("#ffffff") == "#000000"
    assert inverted(inverted("#2f5470")) == "#2f5470"


def test_a_logo_is_shown_with_the_name_as_its_description() -> None:
    frame = Frame("de", "Brief", "", "d", "w", "l", "m", "a", "https://a.example", ("x",), Look(logo="https://a.example/media/l.png", logo_width=90))
    soup = BeautifulSoup(to_mail(make_document("x", "de", PICTURES), "S", "", frame, str).html, "html.parser")
    assert (soup.img["alt"], soup.img["width"]) == ("Brief", "90")
