"""A corpus of letters as long and as rich as real ones, the same on every machine.

Half German and half English, 1,200 words each: headings, links, three pictures, a list, a table, a block of code, a
quote, three footnotes; forty tags of which few are frequent, six authors, a letter a day.
"""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from PIL import Image

WORDS = {
    "de": "Garten Beet Saat Wasser Boden Regen Morgen Hand Brief Garn Holz Kanne Bohne Licht Wind Haus Dorf Weg Fenster Tisch Buch Feder Taube Schrift alt "
    "neu warm kalt still hell tief weit klein schmal rund leise früh spät wir ihr sie er es und oder aber denn weil wenn dann dort hier heute gestern "
    "liegt steht geht kommt bleibt wächst trägt hält nimmt gibt zählt schreibt liest findet sucht der die das ein eine kein mit ohne nach vor über unter",
    "en": "garden bed seed water soil rain morning hand letter yarn wood pot bean light wind house village path window table book feather dove script old "
    "new warm cold still bright deep wide small narrow round quiet early late we you they he it and or but for because when then there here today "
    "yesterday lies stands walks comes stays grows carries holds takes gives counts writes reads finds seeks the a no with without after before over under",
}
AUTHORS = ("Mira Lindner", "Jost Brandt", "Hedwig Aal", "Ada Lorenzen", "Tomke Ruge", "Enno Voss")
PICTURES = 24
FIRST = datetime(1996, 1, 1, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Piece:
    """One letter of the corpus."""

    number: int
    language: str
    subject: str
    preheader: str
    markdown: str
    tags: tuple[str, ...]
    author: str
    published: datetime


def tags() -> list[str]:
    """Forty tags, the frequent ones first."""
    words = [word for word in WORDS["de"].split() if word[0].isupper()]
    return [*words, *(f"{word} {number}" for number, word in enumerate(words[: 40 - len(words)], 2))]


def picture_name(number: int) -> str:
    """The name of one of the pictures."""
    return f"{number:016x}.jpg"


def pictures() -> Iterator[tuple[str, bytes]]:
    """Pictures of 1200 by 800 pixels: name and bytes."""
    for number in range(PICTURES):
        image = Image.linear_gradient("L").resize((1200, 800)).rotate(number * 15, fillcolor=128)
        out = io.BytesIO()
        Image.merge("RGB", (image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image.transpose(Image.Transpose.FLIP_TOP_BOTTOM))).save(
            out, "JPEG", quality=84
        )
        yield picture_name(number), out.getvalue()


def pieces(count: int, begin: int = 1) -> Iterator[Piece]:
    """Letters ``begin`` to ``count``, oldest first."""
    names = tags()
    weights = [1 / rank for rank in range(1, len(names) + 1)]
    for number in range(begin, count + 1):
        chance = random.Random(number)  # noqa: S311 -- the same corpus every time is the point
        language = "de" if number % 2 else "en"
        words = WORDS[language].split()
        chosen: list[str] = []
        while len(chosen) < 3:
            tag = chance.choices(names, weights)[0]
            if tag not in chosen:
                chosen.append(tag)
        yield Piece(
            number,
            language,
            f"{_sentence(chance, words, 5)} {number}",
            _sentence(chance, words, 12),
            _text(chance, words),
            tuple(chosen),
            AUTHORS[number % len(AUTHORS)],
            FIRST + timedelta(days=number),
        )


def _sentence(chance: random.Random, words: list[str], count: int) -> str:
    return " ".join(chance.choices(words, k=count)).capitalize()


def _paragraph(chance: random.Random, words: list[str], count: int) -> str:
    parts = [_sentence(chance, words, 12) for _ in range(count // 12)]
    parts[0] += f" [{chance.choice(words)} und mehr](https://seite-{chance.randrange(90)}.example/{chance.randrange(9000)})"
    parts[-1] += f' *{chance.choice(words)}* und **{chance.choice(words)}**, "{chance.choice(words)}" -- {chance.choice(words)}'
    return ". ".join(parts) + "."


def _text(chance: random.Random, words: list[str]) -> str:
    parts = []
    for section in range(6):
        parts += [f"## {_sentence(chance, words, 4)}", _paragraph(chance, words, 84), _paragraph(chance, words, 84) + (f"[^{section}]" if section < 3 else "")]
        if section < 3:
            parts.append(f'![{_sentence(chance, words, 6)}](/media/{picture_name(chance.randrange(PICTURES))} "{_sentence(chance, words, 6)}")')
    parts.insert(4, "\n".join(f"- {_sentence(chance, words, 8)}" for _ in range(5)))
    rows = "\n".join(f"| {chance.choice(words)} | {chance.randrange(900)} | {_sentence(chance, words, 3)} |" for _ in range(5))
    parts.insert(8, f"| Was | Wie viel | Wozu |\n|---|---|---|\n{rows}")
    parts.insert(11, "```python\nfor bohne in schale:\n    if bohne.gut:\n        legen(bohne, tiefe=3)\n```")
    parts.insert(14, f"> {_paragraph(chance, words, 36)}")
    parts += [f"[^{note}]: {_sentence(chance, words, 12)}." for note in range(3)]
    return "\n\n".join(parts) + "\n"
