"""Blocks that Markdown lacks: exact in every medium, and never eaten."""

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering import merge
from newsletter.rendering.blocks import Card
from newsletter.rendering.containers import for_readers_of_the_web, with_snippets
from newsletter.rendering.document import Document, make_document
from newsletter.rendering.mail import for_mail
from newsletter.rendering.outside import Outside
from newsletter.rendering.showcase import CARDS, PICTURES, SAMPLES, SNIPPETS, everything
from newsletter.rendering.text import to_text
from newsletter.rendering.web import to_web

OUTSIDE = Outside("de", "Ein Betreff", "https://saat.example/brief/", "mira@saat.example", lambda poll, option: f"https://saat.example/v/{poll}/{option}")


def read(source: str) -> Document:
    return make_document(source, "de", PICTURES, SNIPPETS, CARDS)


def web(source: str) -> str:
    return to_web(read(source), outside=OUTSIDE)


def text(source: str) -> str:
    return to_text(for_mail(read(source).blocks), OUTSIDE)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_each_block_of_the_help_page_is_understood(sample: object, language: str) -> None:
    assert not make_document(sample.source(language), language, PICTURES, SNIPPETS, CARDS).findings


def test_all_of_them_together_are_understood() -> None:
    assert not read(everything("de")).findings


def test_a_callout_has_a_title_and_markdown_inside() -> None:
    assert web('::: hinweis "Frost" heute\nEin **Satz**.\n:::') == (
        '<aside class="callout"><p class="title">„Frost“ heute</p><p>Ein <strong>Satz</strong>.</p></aside>'
    )
    assert text("::: hinweis Frost\nEin Satz.\n:::") == "| FROST\n| \n| Ein Satz."


def test_columns_stand_beside_each_other_and_in_text_below_each_other() -> None:
    source = "::: spalten\nlinks\n\n|||\n\nrechts\n:::"
    assert web(source) == '<div class="columns"><div><p>links</p></div><div><p>rechts</p></div></div>'
    assert text(source) == "links\n\nrechts"


def test_three_columns_are_one_too_many() -> None:
    assert [(one.id, one.line) for one in read("x\n\n::: spalten\na\n\n|||\n\nb\n\n|||\n\nc\n:::").findings] == [("columns-many", 3)]


def test_a_quote_knows_its_source() -> None:
    assert (
        web("> Satz.\n> – Frau *Dölling*")
        == '<figure class="quote"><blockquote>\n<p>Satz.</p>\n</blockquote><figcaption>– Frau <em>Dölling</em></figcaption></figure>'
    )
    assert text("> Satz.\n> -- Frau Dölling") == "> Satz.\n> \n> – Frau Dölling"


@pytest.mark.parametrize("source", ["> – nur ein Strich", "> Satz.\n> Noch einer.", "> Halb – halb."])
def test_a_quote_without_a_source_stays_whole(source: str) -> None:
    assert "figcaption" not in web(source)
    assert all(word in web(source) for word in re.findall(r"\w+", source))


def test_a_picture_has_a_caption_and_a_credit() -> None:
    source = '![Bohnen](/media/0000000000000000.png "Vier Reihen"){ credit="Foto: Jost" }'
    assert "<figcaption>Vier Reihen <small>Foto: Jost</small></figcaption>" in web(source)
    assert text(source) == "[Vier Reihen · Foto: Jost]"


def test_a_poll_has_an_address_for_each_answer() -> None:
    source = "::: umfrage Welche?\n- Hedwig\n- *Die* Gute\n:::"
    links = {link.get_text(): link["href"] for link in BeautifulSoup(web(source), "html.parser").find_all("a")}
    assert links == {"Hedwig": "https://saat.example/v/1/1", "Die Gute": "https://saat.example/v/1/2"}
    assert "– Die Gute:\n  https://saat.example/v/1/2" in text(source)


@pytest.mark.parametrize(
    "source", ["::: umfrage\n- a\n- b\n:::", "::: umfrage Was?\nnichts\n:::", "::: umfrage Was?\n- eins\n:::", "::: umfrage Was?\n- a\n- b\n\nmehr\n:::"]
)
def test_a_poll_without_question_or_answers_is_an_error_and_nothing_of_it_is_lost(source: str) -> None:
    document = read(source)
    assert [one.id for one in document.findings] == ["poll-broken"]
    for word in re.findall(r"[a-z]\w*", source.partition("\n")[2]):
        assert word in to_web(document)


def test_polls_are_numbered_through() -> None:
    document = read("::: umfrage A?\n- 1\n- 2\n:::\n\n::: nur-web\n::: umfrage B?\n- 1\n- 2\n:::\n:::")
    assert [block.number for block in document.every() if block.kind == "poll"] == [1, 2]
    assert document.poll(2).html == "B?"
    assert document.poll(3) is None


def test_a_reply_opens_an_answer() -> None:
    assert "mailto:mira@saat.example?subject=Re%3A%20Ein%20Betreff" in web("::: antwort Schreib mir\nWas wächst?\n:::")
    assert "Schreib mir:\nmailto:" in text("::: antwort Schreib mir\nWas wächst?\n:::")


def test_the_mail_stops_where_one_reads_on() -> None:
    source = "Anfang\n\n::: weiterlesen Weiter\n\nEnde"
    assert text(source) == "Anfang\n\nWeiter:\nhttps://saat.example/brief/#weiter"
    assert '<div id="weiter"></div>\n<p>Ende</p>' in web(source)


def test_what_is_for_one_medium_stands_in_no_other() -> None:
    source = "::: nur-mail\nin der Mail\n:::\n\n::: nur-web\nauf der Seite\n:::"
    assert text(source) == "in der Mail"
    assert web(source) == "<p>auf der Seite</p>"
    assert for_readers_of_the_web(source) == "auf der Seite\n"


def test_blocks_may_stand_within_what_is_for_one_medium() -> None:
    source = "::: nur-mail\n::: hinweis A\nx\n:::\n:::"
    assert not read(source).findings
    assert "| A" in text(source)


def test_markdown_for_the_web_keeps_every_other_block() -> None:
    source = "a\n\n::: hinweis Titel\nx\n:::\n\n::: spalten\nl\n\n|||\n\nr\n:::\n"
    assert for_readers_of_the_web(source) == "a\n\n::: callout Titel\n\nx\n\n:::\n\n::: columns\n\nl\n\n|||\n\nr\n\n:::\n"
    assert for_readers_of_the_web("nur Text") == "nur Text"


def test_a_card_shows_an_issue_of_the_archive() -> None:
    assert '<a href="https://saatgarten.example/der-erste-reif/">Der erste Reif</a>' in web("::: ausgabe der-erste-reif")
    assert [one.id for one in read("::: ausgabe gibt-es-nicht").findings] == ["card-unknown"]


def test_a_card_cannot_be_broken_out_of() -> None:
    card = Card('<b>x</b>"', "<script>", "https://a.example/", "1")
    html = to_web(make_document("::: ausgabe x", "de", None, None, {"x": card}))
    assert "<b>" not in html
    assert "<script>" not in html


def test_a_snippet_is_put_in_and_lines_stay_true() -> None:
    source, origin, findings = with_snippets("a\n::: baustein gruss\nb {{ vorame }}", SNIPPETS)
    assert source == "a\n\nHerzlich\nMira\n\nb {{ vorame }}"
    assert origin == [1, 2, 2, 2, 2, 3]
    assert not findings
    assert [(one.id, one.line) for one in read("a\n::: baustein gruss\nb {{ vorame }}").findings] == [("merge-unknown", 3)]


def test_a_snippet_cannot_hold_itself() -> None:
    assert with_snippets("::: baustein a", {"a": "x\n::: baustein a\ny"})[0] == "\nx\ny\n"


def test_an_unknown_snippet_stops_the_mailing() -> None:
    assert [(one.id, one.line) for one in read("\n::: baustein nix").findings] == [("snippet-unknown", 2)]


def test_share_links_ask_nobody_before_they_are_used() -> None:
    html = web("::: teilen")
    assert not BeautifulSoup(html, "html.parser").find_all(["img", "script", "iframe"])
    assert "https://wa.me/?text=Ein%20Betreff%20https%3A%2F%2Fsaat.example%2Fbrief%2F" in html


def test_a_field_in_a_title_is_filled() -> None:
    html = web("::: hinweis Für {{ vorname|dich }}\nx\n:::")
    assert '<p class="title">Für dich</p>' in html
    assert merge.unknown_fields("{{ x }}")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a\n::: hinweiss\nb\n:::", [("container-unknown", 2), ("container-stray", 4)]),
        ("a\n\n:::", [("container-stray", 3)]),
        ("::: hinweis\nkein Ende", [("container-open", 1)]),
        ("::: hinweis\n::: spalten\n:::", [("container-nested", 2)]),
        ("::: nur-web\n::: nur-web\nx\n:::\n:::", []),
        ("```\n::: hinweis\n```", []),
        ("    ::: hinweis", []),
        ("<div>\n::: hinweis A\nx\n:::\n", [("container-lost", 2), ("container-lost", 4)]),
    ],
)
def test_a_broken_block_is_shown_where_it_stands_and_never_eaten(source: str, found: list[tuple[str, int]]) -> None:
    document = read(source)
    assert sorted((one.id, one.line) for one in document.findings) == sorted(found)
    html = to_web(document)
    for word in re.findall(r"(?<=\n)\w+", source):
        assert word in html


@pytest.mark.parametrize(
    ("source", "line", "shown"),
    [
        ("x\n\n[a](https://a.example){ .knopf }", 3, "{ .knopf }"),
        ("[a](https://a.example){ .button", 1, "{ .button"),
        ("[a](https://a.example){ credit=ohne Ende }", 1, "{ credit=ohne Ende }"),
        ("## Titel { .gross }", 1, "{ .gross }"),
        ("Satz\n{: .klein }", 2, "{: .klein }"),
    ],
)
def test_a_broken_attribute_is_shown_where_it_stands_and_never_eaten(source: str, line: int, shown: str) -> None:
    document = read(source)
    assert [(one.id, one.line) for one in document.findings] == [("attribute-broken", line)]
    assert shown in to_web(document)


@pytest.mark.parametrize("source", ["Mengen { a, b } im Satz", "[a](https://a.example){{ vorname }}", "Ein {Wort}", "## Titel { #anker }"])
def test_braces_in_prose_are_just_braces(source: str) -> None:
    assert not read(source).findings


@given(
    st.lists(
        st.sampled_from(
            ["::: hinweis A", ":::", "|||", "::: spalten", "::: nur-mail", "::: teilen", "- a", "> b", "```", "<div>", "    x", "", "::: umfrage F?", "[^1]: n"]
        ),
        max_size=14,
    )
)
@settings(max_examples=80, deadline=None)
def test_whatever_order_blocks_come_in_a_document_is_made_without_a_trace_of_its_marks(lines: list[str]) -> None:
    document = read("\n".join(lines))
    for medium in (to_web(document, outside=OUTSIDE), to_text(for_mail(document.blocks), OUTSIDE)):
        assert not re.search("[\ue020\ue021]", medium)
