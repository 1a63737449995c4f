"""Markdown becomes safe HTML, whatever was typed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering.checks import Picture
from newsletter.rendering.document import LONGEST, make_document
from newsletter.rendering.text import to_text
from newsletter.rendering.web import to_web

# C1: vectors of the kinds that sanitizers are tested with, written for this test.
XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "![x](javascript:alert(1))",
    '<a href="//evil.example">x</a>',
    "<iframe src=https://evil.example></iframe>",
    "<object data=x></object><embed src=x>",
    "<style>*{background:url(//evil.example)}</style>",
    "<p style='background:url(//evil.example)'>x</p>",
    "<form action=https://evil.example><input name=x></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<div onclick=alert(1)>x</div>",
    '[x](https://a.example){ onclick="alert(1)" }',
    '![x](/media/abcdefgh.jpg){ onload="alert(1)" }',
    "<<script>script>alert(1)<</script>/script>",
    '<a href="https://a.example" target=_blank onmouseover=alert(1)>x</a>',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>x</details>",
]


@pytest.mark.parametrize("vector", XSS)
def test_c1_nothing_that_acts_survives(vector: str) -> None:
    from bs4 import BeautifulSoup

    html = to_web(make_document(vector, "de"))
    for node in BeautifulSoup(html, "html.parser").find_all(True):
        assert node.name not in (
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "base",
            "meta",
            "link",
            "svg",
            "math",
            "template",
            "video",
            "source",
        )
        for name, value in node.attrs.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src"):
                assert str(value).startswith(("https://a.example", "#", "/media/")), node


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_whatever_is_typed_becomes_a_document(text: str) -> None:
    document = make_document(text, "de")
    assert isinstance(to_web(document), str)
    assert isinstance(to_text(document.blocks), str)


@pytest.mark.parametrize(
    "source",
    [">" * 500 + " x", "[" * 5000, "- " * 800 + "x", "*a " * 5000, "`" * 5000, "\n".join("    " * level + "- x" for level in range(60)), "**" * 20000],
)
def test_deep_nesting_is_refused_with_a_line(source: str) -> None:
    began = time.monotonic()
    (finding,) = make_document(source, "de").findings
    assert finding.id == "nested-too-deep"
    assert finding.line >= 1
    assert time.monotonic() - began < 5  # a guard against freezing, not a measure of speed


def test_two_megabytes_of_text_are_refused_with_a_line() -> None:
    (finding,) = make_document("Zeile\n" * 350_000, "de").findings
    assert finding.id == "text-too-long"
    assert finding.line == LONGEST // 6 + 1


def test_an_image_of_somebody_else_is_an_error_because_he_would_see_who_reads() -> None:
    document = make_document("Text\n\n![x](https://evil.example/x.png)", "de")
    assert [(finding.id, finding.line) for finding in document.findings] == [("image-foreign", 3)]
    assert "evil" not in to_web(document)


def test_an_image_without_description_is_a_warning() -> None:
    document = make_document("![](/media/abcdefgh.jpg)", "de", {"abcdefgh.jpg": Picture(10, 10)})
    assert [finding.level for finding in document.findings] == ["warning"]


def test_an_image_that_was_never_uploaded_is_an_error() -> None:
    assert [finding.id for finding in make_document("![a](/media/abcdefgh.jpg)", "de", {}).findings] == ["image-missing"]


def test_links_to_ones_own_machine_are_errors() -> None:
    assert [finding.id for finding in make_document("[a](http://localhost:8000/x)", "de").findings] == ["link-private"]


def test_blocks_know_what_they_are() -> None:
    source = "# A\n\nText\n\n- x\n\n> y\n\n---\n\n| a |\n|---|\n| 1 |\n\n[Los](https://a.example){ .button }\n\n    code\n"
    kinds = [block.kind for block in make_document(source, "de").blocks]
    assert kinds == ["heading", "text", "list", "quote", "rule", "table", "button", "code"]


def test_a_line_break_is_a_line_break() -> None:
    assert "Herzlich<br" in to_web(make_document("Herzlich\nMira", "de"))


def test_text_carries_every_link_once() -> None:
    text = to_text(make_document("[a](https://a.example) und [b](https://b.example) und [c](https://a.example)", "de").blocks)
    assert text == "a [1] und b [2] und c [1]\n\n[1] https://a.example\n[2] https://b.example"


def test_text_says_tables_and_lists_and_quotes_in_words() -> None:
    text = to_text(make_document("| A | B |\n|---|---|\n| 1 | 2 |\n\n1. eins\n2. zwei\n\n> Satz\n", "de").blocks)
    assert "A  B\n-  -\n1  2" in text
    assert "1. eins\n2. zwei" in text
    assert "> Satz" in text
