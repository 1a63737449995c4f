"""Every build looks for what must not be: each fault is put there and found."""

from pathlib import Path

import pytest

from archive_site.build import build
from archive_site.checks import check
from archive_site.site import Site
from tests.archive_site.conftest import NOW, Shelf, letter

SITE = Site("Saat", "https://saat.example/a/", "de", "Europe/Berlin", imprint=("mira@saat.example",))
HEAD = '<!doctype html>\n<html lang="de"><head><title>T</title><link rel="canonical" href="https://saat.example/a/x/"></head><body><main><h1>T</h1>'
FOOT = "</main></body></html>"


def problems(body: str, head: str = HEAD, known: str = "") -> list[str]:
    return [problem.what for problem in check(SITE, "x/index.html", f"{head}{body}{FOOT}".encode(), known).problems]


def test_a_good_page_has_no_problem() -> None:
    assert (
        problems(
            '<p>Hallo <a href="../y/">y</a>, <a href="#z">z</a> <b id="z">z</b> mira@saat.example</p><ul><li>a</li></ul><img src="../media/a.png" alt="A">'
        )
        == []
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p><div>a</div></p>", "<div> stands in a paragraph"),
        ("<p>a", "closes"),
        ("<b><i>a</b></i>", "closes"),
        ("<li>a</li>", "<li> stands in"),
        ('<a href="/a/b/"><a href="/a/c/">c</a></a>', "a link stands in a link"),
        ("a < b", "a “<” stands in the text"),
        ('<b id="q">a</b><b id="q">b</b>', "an id stands there twice"),
        ('<img src="../media/a.png">', "no alternative text"),
        ('<img src="../media/a.png" alt="">', "empty alternative text"),
        ('<img src="https://elsewhere.example/a.png" alt="A">', "it loads something from elsewhere"),
        ('<img src="../../../a.png" alt="A">', "a link leads out of the archive"),
        ('<p style="color:red">a</p>', "style or script"),
        ('<p onclick="a()">a</p>', "style or script"),
        ('<a href="#nowhere">a</a>', "#nowhere"),
        ("<h1>Noch eine</h1>", "2 headings of the first level"),
        ("<p>https://saat.example/u/abcdefghijklmnopqrstuv</p>", "something personal"),
        ("<p>Hallo \ue000first_name\ue001\ue002</p>", "something personal"),
        ("<p>ada@example.org liest mit</p>", "a mail address stands in it that nobody wrote there: ada@example.org"),
    ],
)
def test_every_fault_of_a_page_is_found(body: str, said: str) -> None:
    assert any(said in problem for problem in problems(body)), problems(body)


def test_an_address_that_an_author_wrote_is_meant() -> None:
    assert problems("<p>ada@example.org</p>", known="<p>ada@example.org</p>") == []


@pytest.mark.parametrize("canonical", ["", '<link rel="canonical" href="https://saat.example/a/y/">'])
def test_every_page_names_its_own_address_and_no_other(canonical: str) -> None:
    head = HEAD.replace('<link rel="canonical" href="https://saat.example/a/x/">', canonical)
    assert any("canonical" in problem for problem in problems("", head))


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("rss.xml", "<rss><channel><item></item></channel></rss>", "no guid"),
        ("rss.xml", "<rss><content:encoded/></rss>", "not well-formed"),
        ("atom.xml", "<feed xmlns='http://www.w3.org/2005/Atom'><id>a</id><entry></entry></feed>", "no id"),
        ("atom.xml", "<feed xmlns='http://www.w3.org/2005/Atom'><id>a</id><entry><id>a</id></entry></feed>", "same id"),
        ("rss.xml", "<rss><item><guid>a</guid><d>&lt;img src=&quot;/media/a.png&quot;&gt;</d></item></rss>", "relative address"),
        ("feed.json", "{", "cannot be read"),
        ("feed.json", '{"items": [{"id": "a"}, {"id": "a"}]}', "same id"),
    ],
)
def test_every_fault_of_a_feed_is_found(path: str, data: str, said: str) -> None:
    assert any(said in problem.what for problem in check(SITE, path, data.encode()).problems)


def test_a_link_to_a_letter_that_is_not_there_is_named_and_the_rest_is_built(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(letter(6, html='<p><a href="https://saat.example/archiv/gibt-es-nicht/">Brief</a> <a href="https://saat.example/archiv/brief-1/">gut</a></p>'))
    report = build(shelf, tmp_path / "out", now=NOW, processes=1)
    assert [str(problem) for problem in report.problems] == ["brief-6/index.html: a link leads to gibt-es-nicht/index.html, which is not there"]
    assert "brief-6/index.html" in report.written


def test_a_listed_page_that_leads_to_an_unlisted_one_is_said(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(letter(6, visibility="unlisted"))
    shelf.put(letter(7, html='<p><a href="https://saat.example/archiv/brief-6/">Brief</a></p>'))
    report = build(shelf, tmp_path / "out", now=NOW, processes=1)
    assert [(problem.what, problem.serious) for problem in report.problems] == [("a link leads to brief-6/index.html, which is not listed", False)]
