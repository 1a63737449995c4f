"""Quotes, apostrophes and dashes."""

import pytest

from newsletter.rendering.markup import parse
from newsletter.rendering.typography import typeset, typeset_html


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ('Sie sagte "ja".', "Sie sagte „ja“."),
        ("'s war einmal", "’s war einmal"),
        ("Das geht's", "Das geht’s"),
        ("Hans' Buch", "Hans’ Buch"),
        ("\"Er rief 'halt' und ging\"", "„Er rief ‚halt‘ und ging“"),
        ("eins -- zwei", "eins – zwei"),
        ("eins - zwei", "eins – zwei"),
        ("Bindestrich-Wort", "Bindestrich-Wort"),
        ("und so...", "und so…"),
        ("z. B. 3 kg", "z.\u00a0B. 3\u00a0kg"),
        ("Nr. 12", "Nr.\u00a012"),
        ('("Klammer")', "(„Klammer“)"),
        ("0351-123-456", "0351-123-456"),
    ],
)
def test_german_is_set_as_germans_set_it(typed: str, set_: str) -> None:
    assert typeset(typed, "de") == set_


@pytest.mark.parametrize(("typed", "set_"), [('She said "yes".', "She said “yes”."), ("don't", "don’t"), ("the 'inner' one", "the ‘inner’ one")])
def test_english_is_set_as_the_english_set_it(typed: str, set_: str) -> None:
    assert typeset(typed, "en") == set_


def test_a_quotation_may_begin_and_end_in_different_elements() -> None:
    tree = parse('<p>"<b>fett</b> und "<i>kursiv</i>""</p>')
    typeset_html(tree, "de")
    assert tree.inner().startswith("<p>„<b>fett</b>")


def test_code_is_left_alone() -> None:
    tree = parse('<p><code>x = "y"</code> "z"</p><pre>"a" -- b</pre>')
    typeset_html(tree, "de")
    assert tree.inner() == '<p><code>x = "y"</code> „z“</p><pre>"a" -- b</pre>'
