"""Sites for other generators, with the same letters and the same kinds of pages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from newsletter.bench.corpus import Piece, pictures
from newsletter.slugs import slugify

FEED = """{{- printf "<?xml version=\\"1.0\\" encoding=\\"utf-8\\"?>" | safeHTML }}
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>{{ .Title }}</title><link>{{ .Permalink }}</link>
{{ range first 20 .RegularPages.ByDate.Reverse }}<item><title>{{ .Title }}</title><link>{{ .Permalink }}</link><guid>{{ .Permalink }}</guid>
<description>{{ .Content | transform.XMLEscape | safeHTML }}</description></item>{{ end }}</channel></rss>
"""
ATOM = """{{- printf "<?xml version=\\"1.0\\" encoding=\\"utf-8\\"?>" | safeHTML }}
<feed xmlns="http://www.w3.org/2005/Atom"><title>{{ .Title }}</title><id>{{ .Permalink }}</id>
{{ range first 20 .RegularPages.ByDate.Reverse }}<entry><title>{{ .Title }}</title><id>{{ .Permalink }}</id><updated>{{ .Date }}</updated>
<content type="html">{{ .Content | transform.XMLEscape | safeHTML }}</content></entry>{{ end }}</feed>
"""
BASE = """<!doctype html><html lang="de"><head><meta charset="utf-8"><title>{{ .Title }}</title><link rel="canonical" href="{{ .Permalink }}">
<link rel="stylesheet" href="/style.css"></head><body><header><a href="/">Der Saatbrief</a></header><main>{{ block "main" . }}{{ end }}</main>
<footer><p>Am Anger 4 · 02625 Bautzen</p></footer></body></html>
"""
SINGLE = """{{ define "main" }}<article><h1>{{ .Title }}</h1><p>{{ .Description }}</p>{{ .Content }}
<p>{{ range .GetTerms "tags" }}<a href="{{ .RelPermalink }}">{{ .Title }}</a> {{ end }}</p></article>
<nav>{{ with .PrevInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}{{ with .NextInSection }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}</nav>{{ end }}
"""
LIST = """{{ define "main" }}<h1>{{ .Title }}</h1>{{ $pages := .RegularPages }}{{ if .IsHome }}{{ $pages = site.RegularPages }}{{ end }}{{ $p := .Paginate $pages.ByDate.Reverse 20 }}
<ul>{{ range $p.Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a> <time>{{ .Date }}</time> {{ .Description }}</li>{{ end }}</ul>
{{ with $p.Prev }}<a href="{{ .URL }}">neuer</a>{{ end }}{{ with $p.Next }}<a href="{{ .URL }}">älter</a>{{ end }}{{ end }}
"""
TERMS = '{{ define "main" }}<h1>{{ .Title }}</h1><ul>{{ range .Pages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a></li>{{ end }}</ul>{{ end }}\n'
HUGO = """baseURL = "https://saat.example/"
title = "Der Saatbrief"
disableKinds = ["section"]
[taxonomies]
tag = "tags"
author = "authors"
[outputs]
home = ["html", "rss", "atom"]
term = ["html", "atom"]
[outputFormats.atom]
mediaType = "application/atom+xml"
baseName = "atom"
[mediaTypes."application/atom+xml"]
suffixes = ["xml"]
[markup.highlight]
noClasses = false
[markup.goldmark.renderer]
unsafe = false
"""
PELICAN = """SITENAME = "Der Saatbrief"
SITEURL = "https://saat.example"
PATH = "content"
OUTPUT_PATH = "out"
TIMEZONE = "Europe/Berlin"
DEFAULT_LANG = "de"
THEME = "simple"
DEFAULT_PAGINATION = 20
ARTICLE_URL = "{slug}/"
ARTICLE_SAVE_AS = "{slug}/index.html"
FEED_MAX_ITEMS = 20
RSS_FEED_SUMMARY_ONLY = False
FEED_ALL_ATOM = "atom.xml"
FEED_ALL_RSS = "rss.xml"
CATEGORY_FEED_ATOM = None
TRANSLATION_FEED_ATOM = None
TAG_FEED_ATOM = "tags/{slug}/atom.xml"
AUTHOR_FEED_ATOM = "authors/{slug}/atom.xml"
AUTHOR_FEED_RSS = None
STATIC_PATHS = ["media"]
"""


def hugo(site: Path, letters: Iterator[Piece]) -> list[str]:
    """A site for Hugo; give back the command that builds it."""
    files = {"_default/baseof.html": BASE, "_default/single.html": SINGLE, "_default/list.html": LIST, "_default/terms.html": TERMS}
    files |= {"index.html": LIST, "index.rss.xml": FEED, "index.atom.xml": ATOM, "_default/term.html": LIST, "_default/term.atom.xml": ATOM}
    for name, text in files.items():
        _write(site / "layouts" / name, text)
    _write(site / "hugo.toml", HUGO)
    _media(site / "static" / "media")
    for piece in letters:
        head = {"title": piece.subject, "description": piece.preheader, "date": piece.published.isoformat(), "tags": piece.tags, "authors": [piece.author]}
        _write(site / "content" / "posts" / f"{slugify(piece.subject)}.md", json.dumps(head, ensure_ascii=False) + "\n\n" + piece.markdown)
    return ["hugo", "--quiet", "--destination", "out"]


def pelican(site: Path, letters: Iterator[Piece]) -> list[str]:
    """A site for Pelican; give back the command that builds it."""
    _write(site / "pelicanconf.py", PELICAN)
    _media(site / "content" / "media")
    for piece in letters:
        head = f"Title: {piece.subject}\nDate: {piece.published:%Y-%m-%d %H:%M}\nTags: {', '.join(piece.tags)}\n"
        head += f"Author: {piece.author}\nSlug: {slugify(piece.subject)}\n"
        _write(site / "content" / f"{slugify(piece.subject)}.md", f"{head}Lang: de\nSummary: {piece.preheader}\n\n{piece.markdown}")
    return ["pelican", "-q", "-s", "pelicanconf.py"]


FOUND: dict[str, Callable[[Path, Iterator[Piece]], list[str]]] = {"hugo": hugo, "pelican": pelican}


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def _media(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in pictures():
        (folder / name).write_bytes(data)
