"""Brings ``newsletter/locales/de.po`` up to date with every sentence in code and templates.

python tools/messages.py            add what is new, drop what is gone
python tools/messages.py --missing  print what has no German yet
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "newsletter" / "locales" / "de.po"
KEYWORDS = {
    "_": None,
    "_m": None,
    "n_": (1, 2),
    "mark": None,
    "speech": None,
    "plural": (1, 2),
    "Refused": None,
    "Conflict": None,
    "NotFound": None,
    "Finding": (3,),
    "_say": None,
}
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.mjml", "jinja2")]
OPTIONS = {
    "**.html": {"trim_blocks": "true", "lstrip_blocks": "true"},
    "**.txt": {"trim_blocks": "true", "lstrip_blocks": "true"},
    "**.mjml": {"trim_blocks": "true", "lstrip_blocks": "true"},
}


def sentences() -> Catalog:
    """Every sentence that people read, as a catalog without translations."""
    found = Catalog(locale="de")
    for folder in ("newsletter", "templates/web", "templates/mail"):
        rows = extract_from_dir(ROOT / folder, METHODS, OPTIONS, KEYWORDS)
        for _, _, message, _, _ in rows:
            if isinstance(message, str) and " " not in message and message.islower() and "%" not in message and folder == "newsletter":
                continue
            found.add(message)
    for finding in _findings():
        found.add(finding)
    return found


def _findings() -> set[str]:
    """Sentences of findings: their third and fourth argument, wherever they stand."""
    import ast

    words = set()
    for path in (ROOT / "newsletter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Finding", "_nested"):
                for argument in ast.walk(node):
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and " " in argument.value:
                        words.add(argument.value)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Call)
                and getattr(node.func.func, "id", "") == "speech"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                words.add(str(node.args[0].value))
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Tuple)
                and [getattr(name, "id", "") for name in node.targets[0].elts] == ["text", "fix"]
                and isinstance(node.value, ast.Tuple)
            ):
                words |= {str(value.value) for value in node.value.elts if isinstance(value, ast.Constant)}
    return words


def present() -> Catalog:
    """The catalog as it is."""
    if not FILE.exists():
        return Catalog(locale="de")
    with FILE.open("rb") as stream:
        return read_po(stream, locale="de")


def missing() -> list[str]:
    """Sentences without German."""
    catalog = present()
    rows = []
    for message in sentences():
        if not message.id:
            continue
        known = catalog.get(message.id)
        words = known.string if known else ""
        if not words or (isinstance(words, tuple) and not all(words)):
            rows.append(str(message.id))
    return rows


def main() -> None:
    """Update the file, or say what is missing."""
    if "--missing" in sys.argv:
        print("\n".join(missing()))
        raise SystemExit(bool(missing()))
    old, new = present(), Catalog(locale="de", project="Brieftaube", version="", charset="utf-8", fuzzy=False)
    for message in sorted((one for one in sentences() if one.id), key=lambda one: str(one.id)):
        known = old.get(message.id)
        new.add(message.id, known.string if known else None)
    with FILE.open("wb") as stream:
        write_po(stream, new, width=0, omit_header=False, include_lineno=False, no_location=True)


if __name__ == "__main__":
    main()
