"""Every block once, as the help page shows it and as the golden mails hold it."""

from typing import NamedTuple

from newsletter.i18n import mark
from newsletter.rendering.blocks import Card
from newsletter.rendering.checks import Picture


class Sample(NamedTuple):
    """One block: what it is called, what it is for, and how it is written in German and in English."""

    id: str
    title: str
    words: str
    de: str
    en: str

    def source(self, language: str) -> str:
        return self.de if language == "de" else self.en


PICTURE = "0000000000000000.png"
PICTURES = {PICTURE: Picture(1200, 600)}
CARDS = {
    "der-erste-reif": Card(
        "Der erste Reif", "Warum der Rosenkohl jetzt erst schmeckt.", "https://saatgarten.example/der-erste-reif/", "Nr. 11 · 20. Oktober 2026"
    ),
    "first-frost": Card("The first frost", "Why sprouts taste of something only now.", "https://saatgarten.example/first-frost/", "No. 11 · 20 October 2026"),
}
SNIPPETS = {"gruss": "Herzlich\nMira", "greetings": "Yours\nMira"}

SAMPLES = (
    Sample(
        "text", mark("Text"), mark("Two stars make bold, one makes italic. An empty line begins a paragraph; a line break stays one."),
        "Ein **fettes** Wort, ein *schräges*, ein ~~gestrichenes~~,\nund ein [Link auf den Katalog](https://saatgarten.example/katalog).",
        "A **bold** word, a *slanted* one, one ~~struck out~~,\nand a [link to the catalogue](https://saatgarten.example/catalogue).",
    ),
    Sample("greeting", mark("Greeting by name"), mark("Behind the bar stands what people read who gave no name."), "{{ anrede }}, oder {{ vorname|du }}?", "{{ greeting }}, or {{ first_name|you }}?"),
    Sample("heading", mark("Heading"), mark("Two hashes for a section, three for a part of it."), "## Im Gewächshaus\n\n### Unter dem Tisch", "## In the greenhouse\n\n### Below the table"),
    Sample("list", mark("List"), mark("A dash or a number in front of each line."), "- Hedwig\n- Die Gute\n\n1. Säen\n2. Warten", "- Hedwig\n- Old Faithful\n\n1. Sow\n2. Wait"),
    Sample(
        "quote", mark("Quote with its source"), mark("A last line with a dash says whose words they are."),
        "> Jetzt darf der Schnee kommen.\n> – Frau Dölling, jedes Jahr", "> Now the snow may come.\n> – Mrs Dölling, every year",
    ),
    Sample(
        "figure", mark("Picture with caption and credit"), mark("In brackets what it shows, in quotes the caption, in braces who made it."),
        f'![Vier Reihen Bohnen](/media/{PICTURE} "Vier Reihen, neun Sorten."){{ credit="Foto: Jost" }}',
        f'![Four rows of beans](/media/{PICTURE} "Four rows, nine kinds."){{ credit="Photo: Jost" }}',
    ),
    Sample(
        "button", mark("Button"), mark("A link on its own line. A quiet one is for the second choice."),
        "[Katalog ansehen](https://saatgarten.example/katalog){ .button }\n\n[Lieber als PDF](https://saatgarten.example/pdf){ .button .quiet }",
        "[See the catalogue](https://saatgarten.example/catalogue){ .button }\n\n[Rather as a PDF](https://saatgarten.example/pdf){ .button .quiet }",
    ),
    Sample("callout", mark("Callout"), mark("A box for what must not be missed. Behind the name stands its title."), "::: hinweis Frost in der Nacht\nDeckt die Beete zu. Morgen wird es **warm**.\n:::", "::: callout Frost tonight\nCover your beds. Tomorrow will be **warm**.\n:::"),
    Sample(
        "columns", mark("Two columns"), mark("Three bars stand between them. On a phone they stand below each other."),
        "::: spalten\n**Links** die Bohnen.\n\n|||\n\n**Rechts** die Erbsen.\n:::", "::: columns\n**Left** the beans.\n\n|||\n\n**Right** the peas.\n:::",
    ),
    Sample("table", mark("Table"), mark("Bars between the cells, a row of dashes below the head."), "| Sorte | Kilo |\n|---|---|\n| Hedwig | 31 |\n| Die Gute | 60 |", "| Kind | Kilos |\n|---|---|\n| Hedwig | 31 |\n| Old Faithful | 60 |"),
    Sample("divider", mark("Divider"), mark("Three dashes on a line."), "Das eine.\n\n---\n\nDas andere.", "One thing.\n\n---\n\nAnother."),
    Sample("footnote", mark("Footnote"), mark("A number in the text, the note anywhere else."), "Die Sorte ist alt.[^1]\n\n[^1]: Von 1894, sagt das Heft.", "The kind is old.[^1]\n\n[^1]: From 1894, says the notebook."),
    Sample("code", mark("Code"), mark("Between two rows of three backticks nothing is changed."), "```\nsaat = boden + geduld\n```\n\nIm Satz steht `saat` so.", "```\nseed = soil + patience\n```\n\nIn a sentence `seed` looks so."),
    Sample(
        "poll", mark("Poll of one click"), mark("Each answer is a link. Answers are counted, people are not: nobody learns who chose what."),
        "::: umfrage Welche Bohne soll bleiben?\n- Hedwig\n- Die Gute\n- Beide\n:::", "::: poll Which bean should stay?\n- Hedwig\n- Old Faithful\n- Both\n:::",
    ),
    Sample("reply", mark("“Write back to me”"), mark("A question, and a button that opens an answer to you. Behind the name stands what is on the button."), "::: antwort Mira schreiben\nWas wächst bei dir?\n:::", "::: reply Write to Mira\nWhat grows at your place?\n:::"),
    Sample("share", mark("Hand it on"), mark("Links for those who want to show the letter to others. Nobody is told anything before one is used."), "::: teilen", "::: share"),
    Sample("card", mark("An issue of the archive"), mark("Behind the name stands the last part of its address."), "::: ausgabe der-erste-reif", "::: issue first-frost"),
    Sample("snippet", mark("Snippet"), mark("Words that you use again and again, written once. What was sent stays as it was."), "::: baustein gruss", "::: snippet greetings"),
    Sample(
        "mail", mark("Only in the mail, only on the web"), mark("What readers of the other do not see."),
        "::: nur-mail\nDu liest das, weil du den Brief bekommst.\n:::\n\n::: nur-web\nDu liest das auf der Seite.\n:::",
        "::: only-mail\nYou read this because you get the letter.\n:::\n\n::: only-web\nYou read this on the page.\n:::",
    ),
    Sample("more", mark("Read on"), mark("The mail stops here; the rest stands on the page."), "::: weiterlesen Den ganzen Brief lesen\n\nDas hier steht nur auf der Seite.", "::: read-more Read the whole letter\n\nThis stands on the page alone."),
)  # fmt: skip


def everything(language: str) -> str:
    """A letter with each of them."""
    return "\n\n".join(sample.source(language) for sample in SAMPLES)
