"""Units and the files that each of them makes. The names are those of :mod:`archive_site.changes`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_site import book, cards, feeds, pictures, search, sitemap, themes, twins
from archive_site.pages import Pages, folder_of
from archive_site.site import Site
from archive_site.slugs import slugify
from archive_site.state import PER_PAGE, State
from archive_site.visibility import Shown


@dataclass(frozen=True)
class File:
    """One file of the archive, by its path below the root.

    Args:
        public: whether it stands in the manifest.
        words: what somebody wrote in it for everybody; mail addresses in it are meant.
        checked: a part of it that has passed the checks already.
    """

    path: str
    data: bytes
    public: bool = True
    words: str = ""
    checked: str = ""


class UnitBroken(Exception):
    """A unit could not be made. Its old files stay. One sentence says why."""


# The order in which units reach readers: what is linked to before what links. Books and the search come last and later.
ORDER = (
    "assets",
    "image",
    "card",
    "twin",
    "letter",
    "past",
    "list",
    "feed",
    "front",
    "terms",
    "fixed",
    "redirects",
    "sitemap",
    "sitemaps",
    "book",
    "search",
    "manifest",
)


def rank(unit: str) -> tuple[int, str]:
    """Where a unit stands in that order."""
    return ORDER.index(unit.partition("/")[0]), unit


class Units:
    """Makes the files of units from the state."""

    def __init__(self, state: State, site: Site, cache: Path, extra: Path | None = None) -> None:
        self.state = state
        self.site = site
        self.cache = cache
        self.extra = extra
        self.theme = themes.load(site.theme, site.accent, extra)
        self.pages = Pages(state, site, self.theme, extra)
        self._makers: dict[str, Callable[[str], Iterator[File]]] = {
            "assets": self._assets,
            "image": self._image,
            "letter": self._letter,
            "twin": self._twin,
            "card": self._card,
            "past": self._past,
            "feed": self._feed,
            "list": self._list,
            "front": self._front,
            "terms": self._terms,
            "fixed": self._fixed,
            "redirects": self._redirects,
            "sitemap": self._sitemap,
            "sitemaps": self._sitemaps,
            "book": self._book,
            "search": self._search,
        }

    def make(self, unit: str) -> Iterator[File]:
        """The files of a unit; none, if there is no reason for it any more.

        Raises:
            UnitBroken: something that it needs is missing or broken.
        """
        kind, _, name = unit.partition("/")
        try:
            yield from self._makers[kind](name)
        except (pictures.ImageBroken, search.SearchMissing) as error:
            raise UnitBroken(str(error)) from error

    def _assets(self, _: str) -> Iterator[File]:
        for name, path in self.theme.fonts.items():
            yield File(f"assets/{name}", path.read_bytes())
        yield File(f"assets/{self.theme.stylesheet}", self.theme.css)
        if self.site.search:
            yield File("search/search.js", (themes.folder() / themes.COMMON / "search.js").read_bytes())

    def _image(self, name: str) -> Iterator[File]:
        used = self.state.db.execute("SELECT 1 FROM images WHERE name = ?", (name,)).fetchone()
        if not used and name != self.site.logo:
            return
        file = self.site.media / name
        if not file.is_file():
            raise UnitBroken(f"the image {name} is missing")
        for path, data in pictures.variants(name, file.read_bytes(), self.cache):
            yield File(f"media/{path}", data)

    def _letter(self, number: str) -> Iterator[File]:
        letter, shown = self.state.letter(int(number)), self.state.shown(int(number))
        if letter is None or shown == Shown.HIDDEN:
            return
        listed = shown == Shown.LISTED
        # A page in another theme has the same text, which is most of it.
        checked = pictures.offer(letter.html, "../") if self.state.was_checked(letter.id) else ""
        words = letter.html + letter.title + letter.summary
        yield File(f"{letter.slug}/index.html", self.pages.letter(letter, listed=listed), listed, words, checked)
        for old in letter.old_slugs:
            if self._leads_to(old) == letter.id:
                yield File(f"{old}/index.html", self.pages.moved(letter), listed)

    def _twin(self, number: str) -> Iterator[File]:
        letter, shown = self.state.letter(int(number)), self.state.shown(int(number))
        if letter is not None and shown != Shown.HIDDEN and self.pages.twins:
            listed = shown == Shown.LISTED
            yield File(f"{letter.slug}/index.md", twins.markdown(self.site, letter, self.pages.words), listed)
            yield File(f"{letter.slug}/index.json", twins.as_json(self.site, letter), listed)

    def _card(self, number: str) -> Iterator[File]:
        letter, shown = self.state.head(int(number)), self.state.shown(int(number))
        if letter is not None and shown != Shown.HIDDEN and self.site.cards and not letter.cover:
            line = f"{self.pages.words('number')}\u00a0{letter.number} · {self.pages.words.day(letter.published)}"
            yield File(f"{letter.slug}/card.png", cards.card(letter.title, self.site.name, line, self.theme, self.cache), shown == Shown.LISTED)

    def _leads_to(self, old: str) -> int | None:
        taken = self.state.db.execute("SELECT 1 FROM letters WHERE slug = ? AND shown <> 'hidden'", (old,)).fetchone()
        row = self.state.db.execute(
            "SELECT max(letter) FROM old_slugs JOIN letters ON letters.id = letter WHERE old_slugs.slug = ? AND shown <> 'hidden'", (old,)
        ).fetchone()
        return None if taken else row[0]

    def _list(self, name: str) -> Iterator[File]:
        key, _, number = name.rpartition("/")
        count, page = self.state.count(key), int(number)
        if page <= count.pages:
            yield File(f"{folder_of(key)}page/{page}/index.html", self.pages.full(key, page))

    def _past(self, number: str) -> Iterator[File]:
        # The feeds of tags and authors say nothing that this one does not; with archives of their own everything would lie there five times.
        count, page = self.state.count("all"), int(number)
        if page <= count.full:
            letters = [letter for place in self.state.places("all", (page - 1) * PER_PAGE, page * PER_PAGE) if (letter := self.state.letter(place.letter))]
            yield File(f"feed/{page}.xml", feeds.atom(self.site, feeds.Feed(self.site.name, "", count.full), letters[::-1], page))

    def _feed_title(self, name: str) -> str:
        return self.site.name if name == "all" else f"{self.site.name}: {self.pages.title(name)}"

    def _front(self, name: str) -> Iterator[File]:
        count = self.state.count(name)
        if not count.letters and name != "all":
            return
        folder = folder_of(name)
        yield File(f"{folder}index.html", self.pages.front(name))
        if self.pages.twins:
            heads = self.state.heads(name, count.front)[::-1]
            older = f"page/{count.pages}/" if count.pages else ""
            yield File(f"{folder}index.md", twins.markdown_list(self.site, self.pages.title(name), heads, folder, older, self.pages.words))
            if name.startswith("year:"):
                yield File(f"{folder}index.json", twins.json_list(self.site, self.pages.title(name), heads, folder))
        if name == "all" and self.pages.twins:
            yield File("llms.txt", twins.llms(self.site, [year[5:] for year in reversed(self.state.lists("year"))], self.pages.words))

    def _feed(self, name: str) -> Iterator[File]:
        count, folder = self.state.count(name), folder_of(name)
        if name.startswith("year:") or (not count.letters and name != "all"):
            return
        feed = feeds.Feed(self._feed_title(name), folder, count.full if name == "all" else 0)
        places = self.state.places(name, max(0, count.letters - feeds.LATEST))
        letters = [letter for place in reversed(places) if (letter := self.state.letter(place.letter))]
        yield File(f"{folder}rss.xml", feeds.rss(self.site, feed, letters))
        yield File(f"{folder}atom.xml", feeds.atom(self.site, feed, letters))
        yield File(f"{folder}feed.json", feeds.json_feed(self.site, feed, letters))

    def _terms(self, kind: str) -> Iterator[File]:
        yield File(f"{ {'tag': 'tags', 'series': 'series', 'author': 'authors'}[kind] }/index.html".replace(" ", ""), self.pages.terms(kind))

    def _fixed(self, _: str) -> Iterator[File]:
        site, words, pages = self.site, self.pages.words, self.pages
        about = [line for line in site.about.splitlines() if line.strip()] or [site.promise or site.name]
        more = (words("privacy_more"), site.privacy_url) if site.privacy_url else None
        texts = {"about": about, "imprint": list(site.imprint), "privacy": [words("privacy_1"), words("privacy_2")]}
        for path, paragraphs in texts.items():
            yield File(f"{path}/index.html", pages.text(path, words(path), paragraphs, more if path == "privacy" else None))
            if pages.twins:
                yield from (File(name, data) for name, data in twins.text_page(site, path, words(path), paragraphs).items())
        yield File("feeds/index.html", pages.render("feeds", "../", title=words("feeds"), canonical=f"{site.base}feeds/"))
        yield File("404.html", pages.lost())
        for landing in site.landings:
            yield File(f"l/{landing.code}/index.html", pages.landing(landing), public=False)
        yield File("robots.txt", sitemap.robots(site))
        if site.search:
            years = [year[5:] for year in reversed(self.state.lists("year"))]
            yield File("search/index.html", pages.render("search", "../", title=words("search"), canonical=f"{site.base}search/", years=years, listed=False))

    def _redirects(self, _: str) -> Iterator[File]:
        for path, data in sitemap.redirects(self.state, self.site).items():
            yield File(path, data, public=False)
        # GitHub would otherwise build the pages anew and leave out what begins with an underscore.
        yield File(".nojekyll", b"", public=False)

    def _sitemap(self, name: str) -> Iterator[File]:
        data = sitemap.lists(self.state, self.site) if name == "lists" else sitemap.shard(self.state, self.site, int(name))
        if data is not None:
            yield File(f"sitemap-{name}.xml", data)

    def _sitemaps(self, _: str) -> Iterator[File]:
        yield File("sitemap.xml", sitemap.index(self.state, self.site))

    def _book(self, year: str) -> Iterator[File]:
        if self.site.books and self.state.count(f"year:{year}").letters:
            letters = [letter for place in self.state.places(f"year:{year}") if (letter := self.state.letter(place.letter))]
            yield File(f"{year}/{slugify(self.site.name)}-{year}.epub", book.book(self.site, year, letters, self.pages.words))

    def _search(self, year: str) -> Iterator[File]:
        letters = (letter for place in self.state.places(f"year:{year}") if (letter := self.state.letter(place.letter)))
        if self.site.search and self.state.count(f"year:{year}").letters:
            for path, data in search.bundle(letters, self.site.language).items():
                yield File(f"search/{year}/{path}", data)
