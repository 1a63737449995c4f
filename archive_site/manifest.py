"""What the archive consists of, with checksums: ``manifest.json`` names its parts, each part its files.

In parts, so that a new letter does not rewrite a list of ten thousand files. What is unlisted is not in it.
"""

import json

from archive_site.artifact import fingerprint
from archive_site.state import State

BLOCK = 200  # letters in one part
UNIT = "manifest/"


def part_of(unit: str) -> str:
    """The part in which the files of a unit are named."""
    kind, _, name = unit.partition("/")
    if kind in ("letter", "twin", "card"):
        return f"letters-{int(name) // BLOCK}"
    if kind in ("list", "past"):
        return f"pages-{int(name.rpartition('/')[2]) // 20}"
    if kind in ("book", "search"):
        return f"{kind}-{name}"
    return "media" if kind == "image" else "front"


def update(state: State, parts: set[str]) -> dict[str, bytes | None]:
    """These parts made anew, and the list of all; nothing stands for a part that is empty now."""
    found: dict[str, bytes | None] = {}
    for part in sorted(parts):
        rows = state.db.execute("SELECT path, sha256, size FROM files WHERE part = ? AND public = 1 ORDER BY path", (part,))
        files = {path: [sha256, size] for path, sha256, size in rows}
        found[f"manifest/{part}.json"] = _json(files) if files else None
    marks: dict[str, str] = dict(state.db.execute("SELECT path, sha256 FROM files WHERE unit = ? AND path <> 'manifest.json'", (UNIT,)))
    for path, data in found.items():
        if data is None:
            marks.pop(path, None)
        else:
            marks[path] = fingerprint(data)
    return found | {"manifest.json": _json({"parts": marks})}


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=0, sort_keys=True) + "\n").encode()
