"""Names in addresses."""

import re
import unicodedata

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slugify(text: str) -> str:
    """Lower-case ASCII letters, digits and hyphens, never empty."""
    text = unicodedata.normalize("NFC", text).lower().translate(_GERMAN)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:80] or "x"


def slugs_of(names: list[str]) -> dict[str, str]:
    """A slug for each name; names that would share one get a number."""
    found: dict[str, str] = {}
    for name in names:
        slug, number = slugify(name), 2
        while slug in found.values():
            slug, number = f"{slugify(name)}-{number}", number + 1
        found[name] = slug
    return found
