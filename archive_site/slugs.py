"""Names in addresses."""

import hashlib
import re
import unicodedata

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def slugify(text: str) -> str:
    """Lower-case ASCII letters, digits and hyphens, never empty.

    A name in another script has no such letters; a short hash stands for it, so that two of them stay apart.
    """
    plain = unicodedata.normalize("NFC", text).lower().translate(_GERMAN)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-") or "x" + hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=4).hexdigest()


def is_slug(text: str) -> bool:
    """Whether this may be the name of a folder in every file system and address: no dots, no separators, not too long."""
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,119}", text) is not None
