"""Names that may stand in an address."""

import re
import unicodedata

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slugify(text: str, longest: int = 80) -> str:
    """Lower-case ASCII letters, digits and hyphens; umlauts become two letters, as in German addresses."""
    text = unicodedata.normalize("NFC", text).lower().translate(_GERMAN)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    return words[:longest].rpartition("-")[0] if len(words) > longest and "-" in words[:longest] else words[:longest]


def unused(wish: str, taken: set[str]) -> str:
    """The wish, or the wish with the first number that is free."""
    if wish not in taken:
        return wish
    number = 2
    while f"{wish}-{number}" in taken:
        number += 1
    return f"{wish}-{number}"
