"""The search: Pagefind's index, one bundle for each year, merged in the page. Closed years are never indexed again."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

from archive_site.site import Letter

# The search itself and its index; the ready-made surfaces that Pagefind writes beside them are not used.
BUNDLE = re.compile(r"pagefind(?:-worker)?\.js|pagefind-entry\.json|pagefind\..*\.pf_meta|(?:index|fragment|filter)/.*|wasm\..*\.pagefind")


class SearchMissing(Exception):
    """Pagefind is not installed, or did not work. One sentence says why."""


def bundle(letters: Iterable[Letter], language: str) -> dict[str, bytes]:
    """The index of some letters. All are taken as of one language: a reader searches all of them at once.

    Raises:
        SearchMissing: Pagefind did not work.
    """
    with tempfile.TemporaryDirectory(prefix="pagefind-") as name:
        site = Path(name) / "site"
        for letter in letters:
            page = site / letter.slug / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text(_page(letter), "utf-8", errors="replace")
        files = _run(site, Path(name) / "out", language)
    found = {path: data for path, data in files.items() if BUNDLE.fullmatch(path)}
    unused = {path for path in found if path == "wasm.unknown.pagefind" and f"wasm.{language}.pagefind" in found}
    entry = json.loads(found["pagefind-entry.json"])
    # Pagefind writes its keys in an order of chance.
    found["pagefind-entry.json"] = json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()
    return {path: data for path, data in found.items() if path not in unused}


def _page(letter: Letter) -> str:
    text = re.sub(r"<(?:img|source)\b[^>]*>", "", letter.html)
    day = letter.published.date().isoformat()
    return (
        f'<html lang="en"><head><title>{escape(letter.title)}</title></head><body><main data-pagefind-body>'
        f'<h1 data-pagefind-meta="title">{escape(letter.title)}</h1><p data-pagefind-meta="date:{day}">{escape(letter.summary)}</p>{text}</main></body></html>'
    )


def _run(site: Path, out: Path, language: str) -> dict[str, bytes]:
    command = [sys.executable, "-m", "pagefind", "--site", str(site), "--output-path", str(out), "--force-language", language, "--silent"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=site.parent, stdin=subprocess.DEVNULL)  # noqa: S603 -- our own words
    if done.returncode or not out.is_dir():
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SearchMissing(f"Pagefind did not work: {lines[-1] if lines else done.returncode}")
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
