"""The mail that comes out of a Document."""

import re

import pytest
from bs4 import BeautifulSoup

from newsletter.rendering import merge
from newsletter.rendering.checks import Picture
from newsletter.rendering.document import make_document
from newsletter.rendering.mail import Frame, MailParts, final, to_mail, twice

FRAME = Frame(
    "de",
    "Der Saatbrief",
    "aus dem Garten",
    "Nr. 1 · heute",
    "Weil du es wolltest.",
    "Abbestellen",
    "Pause",
    "Im Archiv lesen",
    "https://a.example/1/",
    ("Am Anger 4 · 02625 Bautzen",),
)
SOURCE = """{{ anrede }},

ein [Link](https://saat.example/x) und **fett**.

![Eine "Bohne" onerror="x](/media/abcdefgh.jpg "Unterschrift")

## Zwischentitel

| A | B |
|---|---|
| 1 | 2 |

[Ansehen](https://saat.example/?a=1&b=2){ .button }
"""


def mail(source: str = SOURCE) -> MailParts:
    document = make_document(source, "de", {"abcdefgh.jpg": Picture(1200, 600)})
    parts = to_mail(document, "Ein Betreff", "Vorschau", FRAME, lambda path: f"https://n.example{path}")
    return final(parts, merge.values_of("Ada <Lorenzen>", "Hallo"), "https://n.example/u/abc")


def test_l13_no_foreign_host_is_asked() -> None:
    soup = BeautifulSoup(mail().html, "html.parser")
    assert not soup.find_all(["link", "script", "iframe"])
    assert {image["src"] for image in soup.find_all("img")} == {"https://n.example/media/abcdefgh.jpg"}
    assert "fonts.googleapis" not in mail().html
    assert not re.search(r"url\(|@import", mail().html)


def test_f3_text_and_html_carry_the_same_links() -> None:
    parts = mail()
    in_html = {str(link["href"]) for link in BeautifulSoup(parts.html, "html.parser").find_all("a")}
    assert in_html == set(re.findall(r"https://\S+", parts.text))


def test_f3_leave_address_and_imprint_stand_in_both_parts() -> None:
    for part in (mail().text, mail().html):
        assert "https://n.example/u/abc" in part
        assert "Am Anger 4" in part


def test_f3_both_parts_say_the_same_words() -> None:
    parts = mail()
    in_text = set(re.findall(r"[A-Za-zäöüß]{4,}", re.sub(r"https?://\S+", "", parts.text)))
    soup = BeautifulSoup(parts.html, "html.parser")
    for node in soup.find_all(["style", "title"]):
        node.decompose()
    in_html = set(re.findall(r"[A-Za-zäöüß]{4,}", soup.get_text(" ")))
    assert len(in_text & in_html) / len(in_text | in_html) >= 0.9


def test_f14_language_title_and_preview_are_there() -> None:
    soup = BeautifulSoup(mail().html, "html.parser")
    assert soup.html["lang"] == "de"
    assert soup.title.get_text(strip=True) == "Ein Betreff"
    assert soup.body.get_text(strip=True).startswith("Vorschau")
    assert all(table.get("role") == "presentation" for table in soup.find_all("table") if not table.find("th"))


def test_an_attribute_cannot_be_broken_out_of() -> None:
    """MJML unescapes attribute values once before it prints them."""
    image = BeautifulSoup(mail().html, "html.parser").find("img")
    assert "onerror" not in image.attrs
    assert image["alt"] == "Eine „Bohne“ onerror=“x"
    assert '"' not in twice('"')
    assert twice("<") == "&amp;lt;"


def test_values_are_escaped_in_html_and_plain_in_text() -> None:
    assert "Hallo Ada," in mail().text
    assert "Hallo Ada," in BeautifulSoup(mail("{{ anrede }},").html, "html.parser").get_text()
    assert "&lt;Lorenzen&gt;" in mail("{{ name }}").html


def test_f13_a_usual_letter_is_far_below_what_gmail_cuts() -> None:
    assert len(mail(SOURCE * 6).html.encode()) < 80_000


@pytest.mark.parametrize("subject", ["Ein & Betreff", "<b>fett</b>", '"Gänse"'])
def test_a_subject_is_text(subject: str) -> None:
    document = make_document("x", "de")
    soup = BeautifulSoup(to_mail(document, subject, "", FRAME, str).html, "html.parser")
    assert soup.h1.get_text() == subject
