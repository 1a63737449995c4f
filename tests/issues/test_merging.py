"""Two people write at once, and nothing of either is lost."""

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.issues.merging import Change, differences, merge

TEXT = "Eins.\n\nZwei ist länger als eins.\n\nDrei."


def test_changes_at_different_places_go_into_one_text() -> None:
    merged = merge(TEXT, TEXT.replace("Eins", "Eins und ein halbes"), TEXT.replace("Drei", "Vier"))
    assert merged.text == "Eins und ein halbes.\n\nZwei ist länger als eins.\n\nVier."
    assert not merged.clashes


def test_changes_of_different_words_of_one_paragraph_go_into_one_text() -> None:
    merged = merge(TEXT, TEXT.replace("Zwei ist", "Zwei war"), TEXT.replace("länger", "kürzer"))
    assert merged.text.split("\n")[2] == "Zwei war kürzer als eins."


def test_at_the_same_place_both_stand_one_below_the_other_and_the_line_is_told() -> None:
    merged = merge(TEXT, TEXT.replace("Drei", "Vier"), TEXT.replace("Drei", "Fünf"))
    assert merged.text == "Eins.\n\nZwei ist länger als eins.\n\nVier.\n\nFünf."
    assert merged.clashes == (5,)


def test_the_same_change_counts_once() -> None:
    changed = TEXT.replace("Drei", "Vier")
    assert merge(TEXT, changed, changed).text == changed


def test_who_changed_nothing_gets_the_others_text() -> None:
    assert merge(TEXT, "neu", TEXT).text == "neu"
    assert merge(TEXT, TEXT, "neu").text == "neu"


@given(st.lists(st.integers(0, 6), max_size=12), st.lists(st.integers(0, 6), max_size=12), st.lists(st.integers(0, 6), max_size=12))
@settings(max_examples=200, deadline=None)
def test_every_word_that_somebody_added_is_in_the_result(base: list[int], theirs: list[int], mine: list[int]) -> None:
    text, hers, own = ("\n".join(f"w{number}" for number in numbers) for numbers in (base, [*theirs, 100], [200, *mine]))
    merged = merge(text, hers, own)
    assert "w100" in merged.text
    assert "w200" in merged.text


def test_long_texts_are_merged_in_time() -> None:
    text = "\n\n".join(f"Absatz {number} " + "mit ein paar Wörtern " * 20 for number in range(150))
    began = time.monotonic()
    merged = merge(text, text.replace("Absatz 7 ", "Absatz sieben "), text.replace("Absatz 90 mit", "Absatz neunzig mit"))
    assert "sieben" in merged.text
    assert "neunzig" in merged.text
    assert time.monotonic() - began < 5  # a guard against freezing, not a measure of speed


def test_differences_are_shown_word_by_word() -> None:
    assert differences("a b c\nz", "a x c\nz") == [
        [Change("same", "a "), Change("gone", "b"), Change("new", "x"), Change("same", " c")],
        [Change("same", "z")],
    ]


@given(st.text(alphabet="ab \n.", max_size=60), st.text(alphabet="ab \n.", max_size=60))
@settings(max_examples=200, deadline=None)
def test_from_differences_both_texts_can_be_read_again(old: str, new: str) -> None:
    rows = differences(old, new)
    kept = [row for row in rows if not all(change.kind == "new" for change in row) or all(change.text == "" for change in row)]
    assert re.sub(r"\n", "", old) == "".join(change.text for row in kept for change in row if change.kind != "new")
    assert re.sub(r"\n", "", new) == "".join(change.text for row in rows for change in row if change.kind != "gone")
