"""Which files a change can touch. Exact, because the model of pages is closed.

Files come from *units*, each with a name: ``letter/17`` (its page), ``twin/17`` (the same for programs),
``list/tag:anbau/3`` (a full page of a list), ``front/all`` (the newest of a list), ``feed/all``, ``sitemap/0``,
``terms/tag`` and so on. A unit reads what it needs from the state. Naming one too many costs time;
naming one too few is a fault, which a property test looks for: after any changes the files are those of a full build.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from archive_site.folder import IMAGE
from archive_site.site import Letter, Site, may_be_called
from archive_site.source import Broken, Source
from archive_site.state import PER_PAGE, Count, State, lists_for, sort_key
from archive_site.visibility import Shown, decide, wakes

NEAR = 10  # letters before one, in each of its tags, that may be related to it
SHARD = 1000  # letters in a sitemap; search engines take 50,000
# Units that show the theme; nothing else has to be made when it changes.
PAGES = ("assets", "card/", "letter/", "list/", "front/", "terms/", "fixed")
FIXED = ("assets", "fixed", "terms/tag", "terms/series", "terms/author", "sitemaps", "redirects")


@dataclass
class Tail:
    """The end of a list before and after: ``before[i]`` and ``after[i]`` stand at rank ``base + i``."""

    base: int
    before: list[int]
    after: list[int]

    def moved(self, touched: set[int]) -> list[int]:
        """Ranks at which another letter stands, or the same one looks different."""
        longest = max(len(self.before), len(self.after))
        pairs = ((self.before[i] if i < len(self.before) else 0, self.after[i] if i < len(self.after) else 0) for i in range(longest))
        return [self.base + i for i, (old, new) in enumerate(pairs) if old != new or new in touched]

    def beside(self, touched: set[int], reach: tuple[int, int]) -> set[int]:
        """Letters that have other neighbours than before, or a neighbour that looks different.

        Args:
            reach: how many places before and after count.
        """
        old, new = (
            {number: tuple(row[max(0, i - reach[0]) : i]) + tuple(row[i + 1 : i + 1 + reach[1]]) for i, number in enumerate(row)}
            for row in (self.before, self.after)
        )
        return {number for number, near in new.items() if old.get(number) != near or not touched.isdisjoint(near)}


class Changes:
    """Brings the state up to date with a source and collects the units that have to be made again."""

    def __init__(self, state: State, site: Site) -> None:
        self.state = state
        self.site = site
        self.units: set[str] = set()
        self.broken: list[Broken] = []
        self._touched: set[int] = set()
        self._leaves: dict[str, set[int]] = {}
        self._joins: dict[str, dict[int, str]] = {}

    def take(self, source: Source, now: datetime, only: Iterable[int] | None = None) -> None:
        """Read what has changed.

        Args:
            only: the letters that may have changed; None: find out.
        """
        wanted = None if only is None else sorted(set(only))
        marks = {stamp.id: stamp.mark for stamp in source.stamps(wanted)}
        known = self.state.marks(wanted)
        for number in sorted(set(known) - set(marks)):
            self._drop(number)
        for letter in source.letters([number for number, mark in marks.items() if known.get(number) != mark]):
            if isinstance(letter, Broken):
                self.broken.append(letter)
            else:
                self._put(letter, marks[letter.id], now)
        self._wake(now)
        self._settle()

    def _wake(self, now: datetime) -> None:
        """Letters whose moment has come."""
        for number, mark in self.state.asleep_until(now):
            letter = self.state.letter(number)
            assert letter is not None
            self._put(letter, mark, now)

    def _put(self, letter: Letter, mark: str, now: datetime) -> None:
        shown = decide(letter.visibility, letter.published, letter.listed_from, now)
        why = self._trouble(letter) if shown != Shown.HIDDEN else ""
        if why:
            self.broken.append(Broken(letter.id, letter.slug, why))
            return
        self._leave(letter.id)
        self.state.keep(letter, mark, shown, wakes=wakes(letter.visibility, letter.published, letter.listed_from, now))
        self._keep_images(letter)
        self._touched.add(letter.id)
        for name in lists_for(letter, self.site.timezone, self.site.author) if shown == Shown.LISTED else []:
            self._joins.setdefault(name, {})[letter.id] = sort_key(letter)
        self._touch(letter.id)
        self._old_addresses({letter.slug, *letter.old_slugs})

    def _trouble(self, letter: Letter) -> str:
        if not may_be_called(letter.slug):
            return "this name cannot be an address of the archive"
        rows = self.state.db.execute("SELECT id FROM letters WHERE slug = ? AND shown <> 'hidden' AND id <> ?", (letter.slug, letter.id))
        for (other,) in rows.fetchall():
            if other < letter.id:
                return f"letter {other} has the same name"
            # The older one keeps the name; the other is left out, and said.
            self.broken.append(Broken(other, letter.slug, f"letter {letter.id} has the same name"))
            self._drop(other)
        return ""

    def _drop(self, number: int) -> None:
        letter = self.state.head(number)
        if letter is None:
            return
        self._leave(number)
        self._touch(number)
        self.state.forget(number)
        self._touched.add(number)
        self._old_addresses({letter.slug, *letter.old_slugs})

    def _touch(self, number: int) -> None:
        self.units |= {f"letter/{number}", f"twin/{number}", f"card/{number}", f"sitemap/{number // SHARD}", "sitemaps"}

    def _leave(self, number: int) -> None:
        old = self.state.head(number)
        if old is not None:
            self._old_addresses({old.slug, *old.old_slugs})
        for name in self.state.lists_of(number):
            self._leaves.setdefault(name, set()).add(number)
        for images in self.state.db.execute("SELECT name FROM images WHERE letter = ?", (number,)).fetchall():
            self.units.add(f"image/{images[0]}")

    def _keep_images(self, letter: Letter) -> None:
        self.state.db.execute("DELETE FROM images WHERE letter = ?", (letter.id,))
        if self.state.shown(letter.id) == Shown.HIDDEN:
            return
        names = {*IMAGE.findall(letter.html), *([letter.cover] if letter.cover else [])}
        self.state.db.executemany("INSERT INTO images VALUES (?, ?)", [(name, letter.id) for name in sorted(names)])
        self.units |= {f"image/{name}" for name in names}

    def _old_addresses(self, slugs: set[str]) -> None:
        """Redirects depend on who has a name now."""
        marks = ",".join("?" * len(slugs))
        rows = self.state.db.execute(f"SELECT letter FROM old_slugs WHERE slug IN ({marks})", sorted(slugs)).fetchall()  # noqa: S608 -- question marks only
        if rows:
            self.units |= {"redirects", *(f"letter/{row[0]}" for row in rows)}

    def _settle(self) -> None:
        for name in sorted({*self._leaves, *self._joins}):
            before, tail = self.state.count(name), self._rearrange(name)
            moved = tail.moved(self._touched)
            self._pages(name, before, self.state.count(name), moved)
            self._around(name, tail, moved)

    def _rearrange(self, name: str) -> Tail:
        """Take letters out of a list and put them in; give back its end, as far as anything moved."""
        leaves, joins = self._leaves.get(name, set()), self._joins.get(name, {})
        count = self.state.count(name).letters
        ranks = [rank for number in leaves if (rank := self.state.rank(name, number)) is not None]
        for key in joins.values():
            row = self.state.db.execute("SELECT rank FROM places WHERE list = ? AND sort > ? ORDER BY sort LIMIT 1", (name, key)).fetchone()
            ranks.append(row[0] if row else count)
        # One more in front: the neighbour of whatever moved has to be seen, too.
        base = max(0, min(ranks, default=count) - 1)
        rows = self.state.db.execute("SELECT letter, sort FROM places WHERE list = ? AND rank >= ? ORDER BY rank", (name, base)).fetchall()
        fresh = sorted(
            [(sort, number) for number, sort in rows if number not in leaves and number not in joins] + [(sort, number) for number, sort in joins.items()]
        )
        if [number for number, _ in rows] != [number for _, number in fresh] or any(row[1] != new[0] for row, new in zip(rows, fresh, strict=False)):
            self.state.db.execute("DELETE FROM places WHERE list = ? AND rank >= ?", (name, base))
            values = [(name, rank, number, sort) for rank, (sort, number) in enumerate(fresh, base)]
            self.state.db.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", values)
        return Tail(base, [number for number, _ in rows], [number for _, number in fresh])

    def _pages(self, name: str, before: Count, after: Count, moved: list[int]) -> None:
        self.units |= {f"front/{name}", f"terms/{name.partition(':')[0]}", f"feed/{name}"} - {"terms/all", "terms/year"}
        if name.startswith("year:"):
            self.units |= {f"book/{name[5:]}", f"search/{name[5:]}", "front/all"} if before != after or moved else set()
        if (before.letters == 0) != (after.letters == 0):
            self.units |= {"sitemaps", "sitemap/lists", "front/all", "fixed"}
        if 0 in moved:  # the oldest letter gives a list its name
            moved = list(range(max(before.letters, after.letters)))
        pages = {rank // PER_PAGE + 1 for rank in moved if rank // PER_PAGE < max(before.full, after.full)}
        if before.full != after.full:
            low, high = sorted((before.full, after.full))
            pages |= set(range(max(1, low - 1), high + 2))
        self.units |= {f"list/{name}/{page}" for page in pages}
        if name == "all":
            self.units |= {f"past/{page}" for page in pages}

    def _around(self, name: str, tail: Tail, moved: list[int]) -> None:
        """Pages of letters name the one before and the one after, their place in a series, and older ones that are related."""
        kind = name.partition(":")[0]
        reach = {"all": (1, 1), "series": (1, 1), "tag": (NEAR, 0)}.get(kind)
        if reach and moved:
            self.units |= {f"letter/{number}" for number in tail.beside(self._touched, reach)}
        if kind == "series" and moved:
            self.units |= {f"letter/{number}" for number in tail.after[moved[0] - tail.base :]}


def everything(state: State) -> set[str]:
    """Every unit that there is."""
    units = {*FIXED, "sitemap/lists", "front/all", "feed/all"}
    units |= {f"{kind}/{number}" for number in state.ids() for kind in ("letter", "twin", "card")}
    units |= {f"sitemap/{row[0]}" for row in state.db.execute(f"SELECT DISTINCT id / {SHARD} FROM letters")}  # noqa: S608 -- our own constant
    units |= {f"image/{row[0]}" for row in state.db.execute("SELECT DISTINCT name FROM images")}
    for name in state.lists():
        units |= {f"front/{name}", f"feed/{name}", *(f"list/{name}/{page}" for page in range(1, state.count(name).full + 1))}
        if name == "all":
            units |= {f"past/{page}" for page in range(1, state.count(name).full + 1)}
        if name.startswith("year:"):
            units |= {f"book/{name[5:]}", f"search/{name[5:]}"}
    return units
