"""Site -> artifacts -> folder.

A release is built beside the old one, sharing unchanged files by hard link, and becomes the archive in one
rename. A reader sees the whole old archive or the whole new one; a crash leaves the old one.
"""

import json
import os
import secrets
import shutil
import time
from functools import cache, partial
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape as xml_escape

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from archive_site import feeds
from archive_site.artifact import Artifact, Report, fingerprint, write
from archive_site.site import Letter, Site
from archive_site.slugs import slugs_of
from archive_site.words import Words

THEME = "calm"
MANIFEST = "manifest.json"


def build(site: Site, out: Path, *, full: bool = False) -> Report:
    """Bring a folder up to date.

    Args:
        out: becomes a link to the release. A real folder in its place is kept aside as the first release.
        full: write every file anew.

    Raises:
        OSError: the folder cannot be written; the old archive stays as it is.
    """
    began = time.perf_counter()
    releases = out.parent / f".{out.name}.releases"
    releases.mkdir(parents=True, exist_ok=True)
    old = out.resolve() if out.exists() else None
    before = _manifest(old) if old else {}
    release = releases / f"{time.time_ns():x}-{secrets.token_hex(3)}"
    try:
        files, written = _fill(site, release, {} if full else before, old)
        _switch(out, release, releases)
    except BaseException:
        shutil.rmtree(release, ignore_errors=True)
        raise
    _tidy(releases, keep={release, *([old] if old else [])})
    removed = tuple(sorted(set(before) - set(files)))
    return Report(tuple(written), len(files) - len(written), removed, time.perf_counter() - began)


def _fill(site: Site, release: Path, before: dict[str, str], old: Path | None) -> tuple[dict[str, str], list[str]]:
    files: dict[str, str] = {}
    written = []
    for artifact in artifacts(site):
        data = artifact.make()
        files[artifact.path] = fingerprint(data)
        target = release / artifact.path
        if old and before.get(artifact.path) == files[artifact.path] and _link(old / artifact.path, target):
            continue
        write(target, data)
        written.append(artifact.path)
    write(release / MANIFEST, (json.dumps({"files": files}, indent=0, sort_keys=True) + "\n").encode())
    return files, written


def _link(source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _switch(out: Path, release: Path, releases: Path) -> None:
    if out.exists() and not out.is_symlink():
        out.rename(releases / f"before-{secrets.token_hex(3)}")
    link = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    link.symlink_to(os.path.relpath(release, out.parent))
    link.replace(out)


def _tidy(releases: Path, keep: set[Path]) -> None:
    """Keep the present and the previous release: the previous one is the way back."""
    kept = {path.name for path in keep}
    for path in releases.iterdir():
        # What somebody had put there before the first build is not ours to delete.
        if path.name not in kept and not path.name.startswith("before-"):
            shutil.rmtree(path, ignore_errors=True)


def _manifest(folder: Path) -> dict[str, str]:
    try:
        files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(path): str(mark) for path, mark in files.items()} if isinstance(files, dict) else {}


def artifacts(site: Site) -> list[Artifact]:
    """Every file of the archive, in the order in which a reader may find them: pictures first, lists last."""
    pages = _Pages(site)
    files = [Artifact(f"media/{name}", path.read_bytes) for name, path in sorted(site.media.items())]
    files += [Artifact(f"assets/{path.name}", path.read_bytes) for path in sorted(_theme().glob("*.css"))]
    files += [Artifact(f"assets/{path.name}", path.read_bytes) for path in sorted(_theme().glob("*.woff2"))]
    letters = site.newest_first
    for index, letter in enumerate(letters):
        newer = letters[index - 1] if index else None
        older = letters[index + 1] if index + 1 < len(letters) else None
        files.append(Artifact(f"{letter.slug}/index.html", partial(pages.letter, letter, newer, older)))
    for name, group in site.tags():
        slug = pages.tag_slugs[name]
        files.append(Artifact(f"tags/{slug}/index.html", partial(pages.tag, name, group)))
        files += _feeds(site, group, f"{site.name}: {name}", f"tags/{slug}/")
    if site.tags():
        files.append(Artifact("tags/index.html", pages.tags))
    files += [
        Artifact("index.html", pages.index),
        Artifact("feeds/index.html", pages.feeds),
        Artifact("imprint/index.html", pages.imprint),
        Artifact("404.html", pages.lost),
        *_feeds(site, letters, site.name, ""),
        Artifact("sitemap.xml", lambda: sitemap(site, pages.tag_slugs)),
        Artifact("robots.txt", f"User-agent: *\nAllow: /\nSitemap: {site.base}sitemap.xml\n".encode),
    ]
    return files


def _feeds(site: Site, letters: list[Letter], title: str, folder: str) -> list[Artifact]:
    return [
        Artifact(f"{folder}rss.xml", lambda: feeds.rss(site, letters, title, f"{folder}rss.xml")),
        Artifact(f"{folder}atom.xml", lambda: feeds.atom(site, letters, title, f"{folder}atom.xml")),
        Artifact(f"{folder}feed.json", lambda: feeds.json_feed(site, letters, title, f"{folder}feed.json")),
    ]


def sitemap(site: Site, tag_slugs: dict[str, str]) -> bytes:
    """Every page that a search engine should know (sitemaps.org)."""
    rows = [f"<url><loc>{xml_escape(site.base)}</loc></url>"]
    for letter in site.newest_first:
        day = letter.published.date().isoformat()
        rows.append(f"<url><loc>{xml_escape(feeds.address(site, letter))}</loc><lastmod>{day}</lastmod></url>")
    rows += [f"<url><loc>{xml_escape(site.base)}tags/{slug}/</loc></url>" for slug in tag_slugs.values()]
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return (head + "\n".join(rows) + "\n</urlset>\n").encode()


class _Pages:
    """Renders the pages of one site. ``root`` leads from a page to the top of the archive."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.words = Words(site.language, site.timezone)
        self.tag_slugs = slugs_of([name for name, _ in site.tags()])
        action = urlsplit(site.form_action)
        self.form_origin = f"{action.scheme}://{action.netloc}" if action.netloc else "'none'"

    def _render(self, page: str, root: str, **values: object) -> bytes:
        template = _environment().get_template(f"{THEME}/{page}.html")
        html = template.render(site=self.site, w=self.words, root=root, tag_slugs=self.tag_slugs, form_origin=self.form_origin, **values)
        return (html.strip() + "\n").encode()

    def index(self) -> bytes:
        letters = self.site.newest_first
        return self._render("index", "", canonical=self.site.base, years=self.site.years(), first=letters[-1] if letters else None)

    def letter(self, letter: Letter, newer: Letter | None, older: Letter | None) -> bytes:
        html = letter.html.replace('src="/media/', 'src="../media/')
        image = next((f"{self.site.base}media/{name}" for name in self.site.media if f"/media/{name}" in letter.html), "")
        return self._render("letter", "../", canonical=feeds.address(self.site, letter), letter=letter, html=html, newer=newer, older=older, image=image)

    def tag(self, name: str, letters: list[Letter]) -> bytes:
        return self._render("tag", "../../", canonical=f"{self.site.base}tags/{self.tag_slugs[name]}/", name=name, letters=letters)

    def tags(self) -> bytes:
        return self._render("tags", "../", canonical=f"{self.site.base}tags/", tags=self.site.tags())

    def feeds(self) -> bytes:
        return self._render("feeds", "../", canonical=f"{self.site.base}feeds/")

    def imprint(self) -> bytes:
        return self._render("imprint", "../", canonical=f"{self.site.base}imprint/")

    def lost(self) -> bytes:
        # A 404 page is shown at any depth, so its addresses must not be relative.
        return self._render("404", self.site.base, canonical="", letters=self.site.newest_first[:3])


@cache
def _templates() -> Path:
    inside = Path(str(resources.files("archive_site"))) / "_templates"
    beside = Path(__file__).resolve().parent.parent / "templates" / "archive"
    # A checkout has the templates beside the package, a wheel inside it.
    return beside if (beside.parent.parent / "pyproject.toml").exists() else inside


def _theme() -> Path:
    return _templates() / THEME / "assets"


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_templates()), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
