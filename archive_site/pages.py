"""The HTML pages. What a page needs of other letters is declared in :mod:`archive_site.changes`."""

import re
from collections import Counter
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archive_site import feeds, pictures, themes, twins
from archive_site.changes import NEAR
from archive_site.site import Landing, Letter, Site
from archive_site.slugs import slugify
from archive_site.state import PER_PAGE, State
from archive_site.words import Words

HEADING = re.compile(r'<h([23]) id="([^"]+)">(.*?)</h\1>', re.DOTALL)
TAGS_IN = re.compile(r"<[^>]+>")
WITH_CONTENTS = 4  # fewer headings need no table of contents
FOLDERS = {"all": "", "tag": "tags/", "series": "series/", "author": "authors/", "year": ""}


@dataclass(frozen=True)
class Image:
    """The image that stands for a letter elsewhere."""

    url: str
    alt: str
    width: int = 0
    height: int = 0


def folder_of(name: str) -> str:
    """Where a list lies below the base: ``tags/anbau/`` for ``tag:anbau``, nothing for ``all``."""
    kind, _, slug = name.partition(":")
    return f"{FOLDERS[kind]}{slug}/" if slug else ""


class Pages:
    """Renders pages of one site from its state."""

    def __init__(self, state: State, site: Site, theme: themes.Theme, extra: Path | None = None) -> None:
        self.state = state
        self.site = site
        self.theme = theme
        self.words = Words(site.language, site.timezone)
        self._extra = extra
        action = urlsplit(site.form_action)
        self._form_origin = f" {action.scheme}://{action.netloc}" if action.netloc else ""
        self._frame: dict[tuple[str, str], str] = {}
        self._logo_size = pictures.size_of(site.media / site.logo) if site.logo else (0, 0)

    @property
    def twins(self) -> bool:
        """Whether Markdown and JSON lie beside the pages."""
        return self.site.ai_crawlers == "allow"

    def render(self, template: str, root: str, **values: Any) -> bytes:
        """A page. ``root`` leads from it to the top of the archive."""
        common = {
            "site": self.site,
            "w": self.words,
            "root": root,
            "theme": self.theme,
            "form_origin": self._form_origin,
            "logo": self.site.logo if self._logo_size[0] else "",
            "logo_size": (round(self._logo_size[0] * 40 / (self._logo_size[1] or 1)), 40),
            "twins": self.twins,
            "listed": True,
            "description": "",
        }
        for part in ("top", "foot"):
            # What stands above and below is the same on ten thousand pages of one depth.
            if (part, root) not in self._frame:
                self._frame[part, root] = themes.render(self.theme.name, part, self._extra, **common).decode()
            common[part] = self._frame[part, root]
        return themes.render(self.theme.name, template, self._extra, **common | values)

    def letter(self, letter: Letter, *, listed: bool = True, root: str = "../", canonical: str = "") -> bytes:
        """The page of a letter."""
        rank = self.state.rank("all", letter.id)
        near = {} if rank is None else {place.rank: place.letter for place in self.state.places("all", max(0, rank - 1), rank + 2)}
        image = self.image(letter)
        where = feeds.address(self.site, letter)
        return self.render(
            "letter",
            root,
            title=letter.title,
            description=letter.summary,
            canonical=canonical or where,
            letter=letter,
            html=pictures.offer(letter.html, root),
            contents=self._contents(letter.html),
            older=self._head(near.get((rank or 0) - 1)),
            newer=self._head(near.get((rank or 0) + 1)),
            related=self._related(letter),
            image=image,
            linked_data=twins.linked_data(self.site, letter, image.url if image else ""),
            listed=listed,
            # A letter that no list has leads to none.
            tags=[(tag, slugify(tag)) for tag in letter.tags if listed],
            authors=[(name, slugify(name)) for name in letter.authors if listed],
            alternates=self._alternates(letter, where),
            **self._series(letter),
        )

    def image(self, letter: Letter) -> Image | None:
        """The cover, or the card that is made from the title."""
        if letter.cover:
            size = pictures.size_of(self.site.media / letter.cover)
            return Image(f"{self.site.base}media/{letter.cover}", letter.cover_alt or letter.title, *size)
        if self.site.cards:
            alt = self.words("card", title=letter.title, site=self.site.name, day=self.words.day(letter.published))
            return Image(f"{feeds.address(self.site, letter)}card.png", alt, 1200, 630)
        return None

    def _head(self, number: int | None) -> Letter | None:
        return self.state.head(number) if number is not None else None

    def _alternates(self, letter: Letter, where: str) -> list[tuple[str, str]]:
        own = (letter.language or self.site.language, where)
        return [own, *letter.translations] if letter.translations else []

    @staticmethod
    def _contents(html: str) -> list[tuple[str, str, int]]:
        found = [(anchor, escape(TAGS_IN.sub("", text), quote=False).replace("&amp;", "&"), int(level)) for level, anchor, text in HEADING.findall(html)]
        return found if len(found) >= WITH_CONTENTS else []

    def _series(self, letter: Letter) -> dict[str, Any]:
        name = f"series:{slugify(letter.series)}"
        rank = self.state.rank(name, letter.id) if letter.series else None
        if rank is None:
            return {"part": None, "before": None, "after": None}
        near = {place.rank: place.letter for place in self.state.places(name, max(0, rank - 1), rank + 2)}
        part = {"number": rank + 1, "slug": slugify(letter.series)}
        return {"part": part, "before": self._head(near.get(rank - 1)), "after": self._head(near.get(rank + 1))}

    def _related(self, letter: Letter) -> list[Letter]:
        """Older letters that share most tags. Newer ones do not count, so that a page does not change with every letter."""
        found: Counter[int] = Counter()
        order: dict[int, str] = {}
        for name in sorted({f"tag:{slugify(tag)}" for tag in letter.tags}):
            rank = self.state.rank(name, letter.id)
            rows = self.state.db.execute(
                "SELECT letter, sort FROM places WHERE list = ? AND rank >= ? AND rank < ?", (name, max(0, (rank or 0) - NEAR), rank or 0)
            ).fetchall()
            found.update(number for number, _ in rows)
            order.update(rows)
        best = sorted(found, key=lambda number: (found[number], order[number]), reverse=True)[:3]
        return [head for number in best if (head := self.state.head(number)) is not None]

    def front(self, name: str) -> bytes:
        """The newest letters of a list."""
        count = self.state.count(name)
        root = "../" * folder_of(name).count("/")
        older = f"page/{count.pages}/" if count.pages else ""
        kind, _, slug = name.partition(":")
        letters = self.state.heads(name, count.front)
        start = next(iter(self.state.heads(name, 0, 1)), None)
        title = self.title(name)
        return self.render(
            "list",
            root,
            **self._list(name, letters),
            canonical=self.site.base + folder_of(name),
            title=title,
            heading=self.words("all") if kind == "all" else title,
            lead=self._lead(count.letters, start) if kind == "all" else "",
            start=start if kind == "series" and count.letters > 1 else None,
            front="",
            newer="",
            older=older,
            page=0,
            all_years=[year[5:] for year in reversed(self.state.lists("year"))] if kind == "all" else [],
            book=f"{slugify(self.site.name)}-{slug}.epub" if kind == "year" and self.site.books else "",
        )

    def full(self, name: str, page: int) -> bytes:
        """A page that is full. Its number never changes, and it never says of how many it is one."""
        count = self.state.count(name)
        root = "../" * (folder_of(name).count("/") + 2)
        letters = self.state.heads(name, (page - 1) * PER_PAGE, page * PER_PAGE)
        first, last = letters[0], letters[-1]
        title = f"{self.title(name)}: {self.words.day(first.published)} – {self.words.day(last.published)}"
        return self.render(
            "list",
            root,
            **self._list(name, letters),
            canonical=f"{self.site.base}{folder_of(name)}page/{page}/",
            title=title,
            heading=self.words("all") if name == "all" else self.title(name),
            lead=f"{self.words.day(first.published)} – {self.words.day(last.published)}",
            start=None,
            front="../../",
            newer=f"../{page + 1}/" if page < count.pages else "../../",
            older=f"../{page - 1}/" if page > 1 else "",
            page=page,
            all_years=[],
            book="",
        )

    def _list(self, name: str, letters: list[Letter]) -> dict[str, Any]:
        kind = name.partition(":")[0]
        newest = list(reversed(letters))
        plural = {"tag": "tags", "series": "series", "author": "authors"}.get(kind, "")
        return {
            "kind": kind,
            "groups": [(year, list(group)) for year, group in groupby(newest, lambda letter: self.words.year(letter.published))],
            "kicker": (self.words(plural), f"{plural}/") if plural else None,
            "feed_title": self.title(name),
        }

    def _lead(self, count: int, first: Letter | None) -> str:
        if first is None:
            return ""
        text = self.words("count_one" if count == 1 else "count", n=count, month=self.words.month(first.published))
        return f"{text}, {self.words('by', author=self.site.author)}." if self.site.author else f"{text}."

    def title(self, name: str) -> str:
        """What a list is called: as its oldest letter writes it."""
        kind, _, slug = name.partition(":")
        first = next(iter(self.state.heads(name, 0, 1)), None)
        if kind == "all":
            return self.site.name
        if kind == "year" or first is None:
            return slug
        candidates = {"tag": first.tags, "series": (first.series,), "author": first.authors or (self.site.author,)}[kind]
        return next((candidate for candidate in candidates if slugify(candidate) == slug), slug)

    def terms(self, kind: str) -> bytes:
        """All tags, series or authors, by name."""
        own = {"tag": "tags", "series": "series", "author": "authors"}[kind]
        rows = [(self.title(name), name.partition(":")[2], self.state.count(name).letters) for name in self.state.lists(kind)]
        rows.sort(key=lambda row: (row[0].casefold(), row[1]))
        return self.render("terms", "../", title=self.words(own), terms=rows, own=own, canonical=f"{self.site.base}{own}/")

    def text(self, path: str, title: str, paragraphs: list[str], more: tuple[str, str] | None = None) -> bytes:
        """A page of plain paragraphs."""
        return self.render("text", "../", title=title, paragraphs=paragraphs, more=more, canonical=f"{self.site.base}{path}/")

    def landing(self, landing: Landing) -> bytes:
        """The page of a short address. Search engines find the letters themselves."""
        canonical = f"{self.site.base}l/{landing.code}/"
        return self.render("landing", "../../", title=landing.title, landing=landing, canonical=canonical, description=landing.lead[:200], listed=False)

    def lost(self) -> bytes:
        """The page for what is not there. It is shown at any depth, so its addresses are not relative."""
        path = urlsplit(self.site.base).path or "/"
        return self.render("404", path, title="404", canonical="", listed=False)

    def moved(self, letter: Letter) -> bytes:
        """What stays where a letter lay before."""
        return self.render("moved", "../", title=letter.title, address=f"../{letter.slug}/", canonical=feeds.address(self.site, letter))
