"""What she wrote and what her program hung below it."""

from pathlib import Path

import pytest

from newsletter.mail.incoming.folding import fold, text_of
from newsletter.mail.incoming.letter import written
from newsletter.mail.incoming.mime import read

CLIENTS = sorted((Path(__file__).parents[2] / "conversations" / "clients").glob("*.eml"))
OWN = "Liebe Mira,\n\ndie Bohne ist bei mir auch krumm geworden – und lecker!\nKönntest du das Rezept verraten?\n\nLiebe Grüße\nAda"


@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.stem)
def test_each_program_quotes_in_its_own_way_and_all_are_folded(path: Path) -> None:
    raw = path.read_bytes().replace(b"{FROM}", b"ada@example.org").replace(b"{ID}", b"<1@saatgarten.example>")
    mail = written(read(raw))
    assert mail.text.replace(" - ", " – ") == OWN
    assert "Bohne" in mail.folded
    assert (mail.name, mail.email) == ("Ada Lorenzen", "ada@example.org")
    assert mail.ids == ("<1@saatgarten.example>",)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Danke!\n\nOn Fri, Nov 13, 2026 at 7:52 AM Mira Lindner <mira@saatgarten.example> wrote:\n> Liebe Ada\n", "Danke!"),
        ("Danke!\n\n-----Ursprüngliche Nachricht-----\nVon: Mira\nText", "Danke!"),
        ("Danke!\n\n-------- Original-Nachricht --------\nText", "Danke!"),
        ("Danke!\n\n________________________________\nVon: Mira Lindner <mira@saatgarten.example>\nGesendet: heute\n", "Danke!"),
        ("Danke!\n\nFrom: Mira Lindner <mira@saatgarten.example>\nSent: Friday\nTo: Ada\nSubject: Bohne\n\nText", "Danke!"),
        ("Danke!\n-- \nAda Lorenzen\nBautzen", "Danke!"),
        ("Danke!\n\nGesendet von Outlook für iOS", "Danke!"),
        ("Danke!\n\nSent from my iPhone", "Danke!"),
        ("Danke!\n\nVon meinem Samsung Galaxy Smartphone gesendet.", "Danke!"),
        ("Am Montag schrieb ich dir schon: es geht nicht auf.", "Am Montag schrieb ich dir schon: es geht nicht auf."),
        ("> Was meinst du?\n\nIch meine, dass es gut schmeckt und wachsen will.", "> Was meinst du?\n\nIch meine, dass es gut schmeckt und wachsen will."),
        ("Erst das.\n> Und?\nUnd dann noch das hier, mit Bohnen.\n> Sonst?\nNein.", "Erst das.\n> Und?\nUnd dann noch das hier, mit Bohnen.\n> Sonst?\nNein."),
        ("Ein Gedicht:\n-- nein --\nEnde", "Ein Gedicht:\n-- nein --\nEnde"),
        ("", ""),
        ("> nur ein Zitat", "> nur ein Zitat"),
    ],
)
def test_quotes_and_signatures_are_folded_and_words_are_not(text: str, own: str) -> None:
    assert fold(text)[0] == own


def test_nothing_is_lost_by_folding() -> None:
    own, rest = fold("Danke!\n\nAm 13.11.2026 um 07:52 schrieb Mira:\n> Liebe Ada\n")
    assert own == "Danke!"
    assert "> Liebe Ada" in rest


def test_html_becomes_the_text_that_one_sees() -> None:
    markup = "<style>p{color:red}</style><p>Erstens&nbsp;das.</p><ul><li>Bohne<li>Erbse</ul><blockquote><p>alt</p></blockquote><script>x</script>"
    assert text_of(markup) == "Erstens das.\n\n– Bohne\n– Erbse\n\n> alt"


@pytest.mark.parametrize("markup", ["<" * 5000, "<blockquote>" * 3000 + "x", "<p" + " a=" * 9000, "&#xFFFFFFFF;&#0;", "<![CDATA[" * 500])
def test_b4_hostile_html_is_endured(markup: str) -> None:
    assert isinstance(text_of(markup), str)
    assert isinstance(fold(text_of(markup))[0], str)
