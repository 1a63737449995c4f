"""Whatever happens, the files are those of a full build; and little happens for little (T3 to T6, T8)."""

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from archive_site.build import build
from archive_site.site import Site
from tests.archive_site.conftest import NOW, Shelf, letter, make, tree

TAGS = ("Anbau", "Über Öl", "Öl", "日本", "Tage")
PEOPLE = ("Mira Lindner", "Jost Brandt")


class Publishing(RuleBasedStateMachine):
    """A publication whose letters come, change and go; the archive follows, and is compared with one made at once."""

    @initialize(count=st.sampled_from([0, 18, 38, 59]))
    def begin(self, count: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        site = Site("Saat", "https://saat.example/a/", "de", "Europe/Berlin", author="Mira Lindner", cards=False, books=False, search=False)
        self.shelf = Shelf(site)
        self.last = 0
        self.touched: set[int] = set()
        self.now = NOW
        for _ in range(count):
            self._add(TAGS[:1], "", "public")
        self.round = 0

    def _add(self, tags: tuple[str, ...], series: str, visibility: str, back: int = 0) -> None:
        self.last += 1
        self.touched.add(self.last)
        published = NOW - timedelta(days=400 - self.last) - timedelta(days=back, hours=1)
        self.shelf.put(
            letter(self.last, html="<p>a</p>", tags=tags, series=series, visibility=visibility, published=published, listed_from=self.now + timedelta(days=2))
        )

    @rule(tags=st.lists(st.sampled_from(TAGS), max_size=3, unique=True), series=st.sampled_from(["", "Kaffee"]))
    def publish(self, tags: list[str], series: str) -> None:
        self._add(tuple(tags), series, "public")

    @rule(back=st.integers(1, 800), tags=st.lists(st.sampled_from(TAGS), max_size=3, unique=True))
    def back_date(self, back: int, tags: list[str]) -> None:
        self._add(tuple(tags), "Kaffee", "public", back)

    @rule(visibility=st.sampled_from(["unlisted", "delayed", "subscribers"]))
    def publish_with_care(self, visibility: str) -> None:
        self._add(TAGS[:2], "", visibility)

    @rule(
        which=st.integers(0, 1000), change=st.sampled_from(["edit", "retitle", "rename", "retag", "hide", "show", "author", "series", "move"]), data=st.data()
    )
    def change(self, which: int, change: str, data: st.DataObject) -> None:
        if not self.shelf.kept:
            return
        number = sorted(self.shelf.kept)[which % len(self.shelf.kept)]
        old = self.shelf.kept[number]
        values: dict[str, object] = {
            "edit": {"html": f"<p>{old.html} b</p>".replace("<p><p>", "<p>").replace("</p> b</p>", " b</p>"), "changed": NOW},
            "retitle": {"title": old.title + "!"},
            "rename": {"slug": f"{old.slug}x", "old_slugs": (*old.old_slugs, old.slug)},
            "retag": {"tags": tuple(data.draw(st.lists(st.sampled_from(TAGS), max_size=3, unique=True)))},
            "hide": {"visibility": data.draw(st.sampled_from(["unlisted", "subscribers"]))},
            "show": {"visibility": "public"},
            "author": {"authors": (data.draw(st.sampled_from(PEOPLE)),)},
            "series": {"series": data.draw(st.sampled_from(["", "Kaffee", "Tee"]))},
            "move": {"published": old.published + timedelta(days=data.draw(st.integers(-90, 90)))},
        }[change]
        self.touched.add(number)
        self.shelf.change(number, **values)

    @rule(which=st.integers(0, 1000))
    def unpublish(self, which: int) -> None:
        if self.shelf.kept:
            number = sorted(self.shelf.kept)[which % len(self.shelf.kept)]
            self.touched.add(number)
            del self.shelf.kept[number]

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(language=st.sampled_from(["de", "en"]))
    def change_the_site(self, language: str) -> None:
        self.shelf.site = replace(self.shelf.site, language=language)

    @invariant()
    def the_tree_is_that_of_a_full_build(self) -> None:
        self.round += 1
        # Both ways in: being told what has changed, and finding out.
        report = build(self.shelf, self.root / "grown", now=self.now, only=self.touched if self.round % 2 else None, processes=1)
        build(self.shelf, self.root / f"fresh{self.round}", now=self.now, processes=1)
        grown, fresh = tree(self.root / "grown"), tree(self.root / f"fresh{self.round}")
        assert sorted(grown) == sorted(fresh)
        assert [path for path in grown if grown[path] != fresh[path]] == []
        assert report.problems == ()
        self.touched = set()

    def teardown(self) -> None:
        self.folder.cleanup()


TestPublishing = Publishing.TestCase
TestPublishing.settings = settings(max_examples=12, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))


def test_t6_nothing_changed_writes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(shelf, out)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / ".out.releases").rglob("*") if path.is_file() and "state.db" not in path.name}
    report = make(shelf, out)
    assert (report.written, report.removed) == ((), ())
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / ".out.releases").rglob("*") if path.is_file() and "state.db" not in path.name} == before


def test_t8_two_builds_of_one_state_are_the_same_to_the_byte(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, cards=True, books=True, search=True)
    make(shelf, tmp_path / "one")
    make(shelf, tmp_path / "two", processes=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert make(shelf, tmp_path / "one", full=True).removed == ()
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_t8_two_processes_make_what_one_makes(shelf: Shelf, tmp_path: Path) -> None:
    for number in range(6, 300):
        shelf.put(letter(number, html="<p>a</p>", published=NOW - timedelta(days=400 - number)))
    make(shelf, tmp_path / "one")
    make(shelf, tmp_path / "two", processes=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.parametrize("count", [60, 400])
def test_t4_one_new_letter_touches_as_many_files_in_a_large_archive_as_in_a_small_one(shelf: Shelf, tmp_path: Path, count: int) -> None:
    for number in range(6, count + 6):
        shelf.put(letter(number, html="<p>a</p>", published=NOW - timedelta(days=count + 100 - number)))
    make(shelf, tmp_path / "out")
    shelf.put(letter(count + 6, html="<p>a</p>", published=NOW - timedelta(days=1)))
    report = make(shelf, tmp_path / "out", only=[count + 6])
    assert len(report.written) <= 36
    assert report.removed == ()
    old = f"brief-{count + 5}/index.html"
    touched = {path for path in report.written if path.startswith("brief-")}
    assert touched == {old, *(f"brief-{count + 6}/{name}" for name in ("index.html", "index.md", "index.json"))}


def test_a_theme_of_another_colour_reads_no_letter_again(shelf: Shelf, tmp_path: Path) -> None:
    make(shelf, tmp_path / "out")
    shelf.unreadable = {}
    shelf.site = replace(shelf.site, accent="#8a2b2b")

    def never(ids: object) -> object:
        assert list(ids) == []
        return iter(())

    shelf.letters = never
    assert "brief-1/index.html" in make(shelf, tmp_path / "out").written


def test_closed_years_are_never_indexed_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.site = replace(shelf.site, search=True, books=True)
    for number in range(6, 100):
        shelf.put(letter(number, html="<p>Bohne</p>"))
    make(shelf, tmp_path / "out")
    shelf.put(letter(100, html="<p>Bohne</p>"))
    report = make(shelf, tmp_path / "out")
    assert {path.split("/")[1] for path in report.written if path.startswith("search/2")} == {"2026"}
    assert [path for path in report.written if path.endswith(".epub")] == ["2026/der-saatbrief-2026.epub"]
