"""The head of a Markdown file."""

import pytest

from newsletter.errors import Refused
from newsletter.rendering.front_matter import read


def test_a_head_is_read() -> None:
    manuscript = read('---\nsubject: "Ein Betreff: mit Doppelpunkt"\ntags: [a, "b c"]\n---\n\nText\n')
    assert (manuscript.subject, manuscript.tags, manuscript.markdown) == ("Ein Betreff: mit Doppelpunkt", ["a", "b c"], "Text\n")


def test_a_file_without_a_head_is_text() -> None:
    assert read("# Nur Text\n").markdown == "# Nur Text\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("---\nsubject: x\n", "Line 1 opens a head"),
        ("---\nsubject x\n---\n", "Line 2"),
        ("---\nsubject: x\nnonsense: y\n---\n", "Line 3: there is no key “nonsense”"),
        ("---\nslug: a\nslug: b\n---\n", "Line 3: “slug” stands there twice"),
    ],
)
def test_a_broken_head_is_refused_with_its_line(source: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(source)
