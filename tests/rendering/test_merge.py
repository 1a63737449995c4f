"""Merge fields (C4)."""

import pytest

from newsletter.rendering import merge
from newsletter.rendering.document import make_document
from newsletter.rendering.web import to_web


@pytest.mark.parametrize("typed", ["{{7*7}}", "{{config}}", "{{ vorname.__class__ }}", "{{vorname|upper|x}}", "{{}}", "{{ vor name }}"])
def test_c4_what_is_no_field_stays_text_and_stops_the_mailing(typed: str) -> None:
    document = make_document(f"Hallo {typed}", "de")
    assert [finding.id for finding in document.findings] == ["merge-unknown"]
    assert "{{" in to_web(document)


@pytest.mark.parametrize("typed", ["{% if x %}", "${x}", "%x%", "{0.klass}"])
def test_c4_other_template_languages_are_just_text(typed: str) -> None:
    document = make_document(f"Hallo {typed}", "de")
    assert not document.findings
    assert typed in to_web(document)


def test_c4_a_value_is_never_expanded_again() -> None:
    marked = merge.mark("Hallo {{ vorname }}")
    assert merge.fill_html(marked, {"first_name": "{{ name }} <b>"}) == "Hallo {{ name }} &lt;b&gt;"


def test_c4_a_value_cannot_bring_marks_along() -> None:
    value = merge.mark("{{ name }}")
    assert merge.fill(merge.mark("{{ vorname }}"), {"first_name": value, "name": "geheim"}, str) == "name"


def test_c4_values_are_short_and_without_controls() -> None:
    assert merge.clean("A\x00d\x1ba\nLorenzen" + "x" * 200) == ("Ada Lorenzen" + "x" * 200)[:100]


def test_the_fallback_stands_in_for_those_without_a_name() -> None:
    assert merge.fill(merge.mark("Hallo {{ vorname|du }}"), merge.values_of("", "Hallo"), str) == "Hallo du"


def test_the_greeting_works_with_and_without_a_name() -> None:
    assert merge.values_of("Ada Lorenzen", "Moin")["greeting"] == "Moin Ada"
    assert merge.values_of("", "Moin")["greeting"] == "Moin"


def test_an_unknown_field_is_named_with_its_line_and_a_guess() -> None:
    (finding,) = merge.unknown_fields("eins\nzwei {{ vorame }}")
    assert (finding.line, finding.values["field"], finding.values["meant"]) == (2, "vorame", "vorname")


def test_fields_in_code_are_shown_and_not_filled() -> None:
    document = make_document("`{{ nix }}`", "de")
    assert not document.findings
    assert "{{ nix }}" in to_web(document)
