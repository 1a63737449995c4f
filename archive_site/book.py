"""A year as a book (EPUB 3.3)."""

import io
import mimetypes
import re
import uuid
import zipfile
from datetime import UTC
from html import escape

from archive_site import feeds
from archive_site.folder import IMAGE
from archive_site.site import Letter, Site
from archive_site.words import Words

EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip file knows no earlier time; a fixed one makes equal books equal files
VOID = re.compile(r"<(br|hr|img|source|wbr)((?:\s[^<>]*?)?)\s*/?>")
CSS = "body{font-family:serif;line-height:1.5}h1{font-size:1.6em}img{max-width:100%}figcaption,.small{font-size:.85em}blockquote{font-style:italic}"


def book(site: Site, year: str, letters: list[Letter], words: Words) -> bytes:
    """The letters of a year, oldest first, with their images."""
    images = sorted({name for letter in letters for name in IMAGE.findall(letter.html) if (site.media / name).is_file()})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        # The first file has to lie there plain and be called so (OCF 3.3, 4.2).
        _add(file, "mimetype", b"application/epub+zip", zipfile.ZIP_STORED)
        _add(file, "META-INF/container.xml", _container())
        _add(file, "book/package.opf", _package(site, year, letters, images, words))
        _add(file, "book/nav.xhtml", _page(words.language, words("contents"), _contents(letters, words)))
        _add(file, "book/style.css", CSS.encode())
        for letter in letters:
            _add(file, f"book/{letter.slug}.xhtml", _page(letter.language or site.language, letter.title, _letter(site, letter, images, words)))
        for name in images:
            _add(file, f"book/media/{name}", (site.media / name).read_bytes(), zipfile.ZIP_STORED)
    return out.getvalue()


def _add(file: zipfile.ZipFile, name: str, data: bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
    info = zipfile.ZipInfo(name, EARLIEST)
    info.compress_type = how
    info.external_attr = 0o644 << 16
    file.writestr(info, data)


def _container() -> bytes:
    return (
        b'<?xml version="1.0" encoding="utf-8"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        b'<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
    )


def _package(site: Site, year: str, letters: list[Letter], images: list[str], words: Words) -> bytes:
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{site.base}{year}/")
    changed = max(letter.touched for letter in letters).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    people = dict.fromkeys(name for letter in letters for name in feeds.authors(site, letter))
    creators = "".join(f"<dc:creator>{escape(name)}</dc:creator>" for name in people)
    items = "".join(f'<item id="l{letter.id}" href="{letter.slug}.xhtml" media-type="application/xhtml+xml"/>' for letter in letters)
    items += "".join(f'<item id="i{i}" href="media/{name}" media-type="{mimetypes.guess_type(name)[0]}"/>' for i, name in enumerate(images))
    order = "".join(f'<itemref idref="l{letter.id}"/>' for letter in letters)
    title = escape(words("by_year", site=site.name, year=year))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="{site.language}">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:uuid:{identity}</dc:identifier><dc:title>{title}</dc:title>'
        f'<dc:language>{site.language}</dc:language>{creators}<meta property="dcterms:modified">{changed}</meta></metadata>'
        '<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="css" href="style.css" media-type="text/css"/>'
        f'{items}</manifest><spine><itemref idref="nav"/>{order}</spine></package>\n'
    ).encode("utf-8", "replace")


def _contents(letters: list[Letter], words: Words) -> str:
    rows = "".join(f'<li><a href="{letter.slug}.xhtml">{escape(letter.title)}</a></li>' for letter in letters)
    return f'<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc"><h1>{words("contents")}</h1><ol>{rows}</ol></nav>'


def _letter(site: Site, letter: Letter, images: list[str], words: Words) -> str:
    html = re.sub(
        r'src="/media/([^"]+)"',
        lambda found: f'src="media/{found.group(1)}"' if found.group(1) in images else f'src="{site.base}media/{found.group(1)}"',
        letter.html,
    )
    html = re.sub(r'\s(?:loading|decoding)="[^"]*"', "", html).replace("&nbsp;", "\u00a0")
    html = re.sub(r'<div class="scroll"[^>]*>', "<div>", html)
    html = VOID.sub(lambda found: f"<{found.group(1)}{found.group(2)}/>", html)
    summary = f"<p><em>{escape(letter.summary)}</em></p>" if letter.summary else ""
    line = f"{words('number')}\u00a0{letter.number} · {words.day(letter.published)} · {escape(', '.join(feeds.authors(site, letter)))}"
    where = escape(feeds.address(site, letter))
    return f'<h1>{escape(letter.title)}</h1><p class="small">{line}</p>{summary}{html}<p class="small"><a href="{where}">{where}</a></p>'


def _page(language: str, title: str, body: str) -> bytes:
    # XML 1.0 knows no control characters, not even escaped.
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", body)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">'
        f'<head><title>{escape(title)}</title><link rel="stylesheet" href="style.css"/></head><body>{clean}</body></html>\n'
    ).encode("utf-8", "replace")
