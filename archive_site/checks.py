"""What every build looks for in what it writes. The pages are our own output, so one pass over their tags is enough."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from archive_site.artifact import Problem
from archive_site.site import Site

NAME = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9]*)")
# A pattern that begins with a letter of its own is found ten times as fast; our tags have one space before each attribute.
ATTRIBUTE = re.compile(r' (href|src|srcset|rel|alt|class)="([^"]*)"')
IDENTITY = re.compile(r' id="([^"]*)"')
TAG = re.compile(r"""</?[a-zA-Z](?:[^<>"]|"[^"]*")*>""")
QUIET = re.compile(r"<(script|style)\b([^>]*)>.*?</\1>", re.DOTALL)
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
WITHIN = {"li": {"ul", "ol", "menu"}, "dt": {"dl", "div"}, "dd": {"dl", "div"}, "tr": {"table", "tbody", "thead", "tfoot"}, "td": {"tr"}, "th": {"tr"}}
NO_PARAGRAPH = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "div",
        "dl",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "ul",
    ]
)
PERSONAL = re.compile(r"/(?:u|confirm|setup)/[A-Za-z0-9_.~-]{16,}")
FIELDS = ("\ue000", "\ue001", "\ue002")  # a merge field that nobody filled
MAIL = re.compile(r"([\w.+-]*)@([\w-]+(?:\.[\w-]+)+)")
ADDRESS = re.compile(r"<(a|link|img|source|script|form)\b([^>]*)>")
LOADED = ("stylesheet", "icon")
PLAIN = re.compile(r"(?:\.\./)?[A-Za-z0-9_-][A-Za-z0-9_./-]*(?<!\.)|\.\./")


@dataclass(frozen=True)
class Findings:
    """What one file showed.

    Args:
        links: files of the archive that it leads to or loads.
    """

    problems: tuple[Problem, ...] = ()
    links: frozenset[str] = frozenset()


def check(site: Site, path: str, data: bytes, known: str = "", checked: str = "") -> Findings:
    """Look through one file.

    Args:
        known: text that may contain mail addresses, because somebody wrote them there for everybody.
        checked: a part of it that was looked through before.
    """
    if path.endswith(".html"):
        text = data.decode("utf-8", "replace")
        return _page(site, path, text.replace(checked, "", 1) if checked else text, known, whole=not checked)
    if path.endswith(".xml"):
        return Findings(tuple(_xml(path, data)))
    if path.endswith(".json") and not path.startswith(("manifest", "search/")):
        return Findings(tuple(_json(path, data)))
    return Findings()


def _page(site: Site, path: str, text: str, known: str, *, whole: bool) -> Findings:
    body = QUIET.sub(r"<\1\2></\1>", text)
    names = " ".join(NAME.findall(body))
    problems = [Problem(path, what) for what in _structure(names)]
    if not text.startswith("<!doctype html>"):
        problems.append(Problem(path, "it does not begin as an HTML page"))
    # Besides the tags only the doctype begins with “<”.
    if body.count("<") != names.count(" ") + 2:
        left = TAG.sub("", body.removeprefix("<!doctype html>"))
        problems.append(Problem(path, f"a “<” stands in the text: {left[left.find('<') :][:40]!r}"))
    links = _Links(site, path)
    links.read(body, whole=whole)
    return Findings((*problems, *links.problems, *_personal(site, path, text, known)), frozenset(links.found))


@lru_cache(maxsize=256)  # most pages have the frame in common, and lists have nothing else
def _structure(names: str) -> tuple[str, ...]:
    """What is wrong with a sequence of tags, as ``html head title /title …``."""
    found: list[str] = []
    opened: list[str] = []
    paragraph = link = 0
    for name in names.split(" "):
        if name[0] == "/":
            if not opened or opened[-1] != name[1:]:
                return (*found, f"<{name}> closes <{opened[-1] if opened else 'nothing'}>")
            opened.pop()
            paragraph -= name == "/p"
            link -= name == "/a"
            continue
        if name in WITHIN and (not opened or opened[-1] not in WITHIN[name]):
            found.append(f"<{name}> stands in <{opened[-1] if opened else ''}>")
        if paragraph and name in NO_PARAGRAPH:
            found.append(f"<{name}> stands in a paragraph")
        if link and name == "a":
            found.append("a link stands in a link")
        if name not in VOID:
            opened.append(name)
            paragraph += name == "p"
            link += name == "a"
    words = names.split(" ")
    if opened:
        found.append(f"<{opened[-1]}> is not closed")
    if words.count("title") != 1:
        found.append("it needs one title")
    if "main" in words and words.count("h1") != 1:
        found.append(f"it has {words.count('h1')} headings of the first level")
    return tuple(found)


def _personal(site: Site, path: str, text: str, known: str) -> Iterator[Problem]:
    found = PERSONAL.search(text)
    if found or any(field in text for field in FIELDS):
        yield Problem(path, f"something personal stands in it: “{found.group(0)[:40] if found else 'a field'}”")
    for before, rest in zip(parts := text.split("@"), parts[1:], strict=False):
        found = MAIL.fullmatch(f"{re.split(r'[^A-Za-z0-9_.+-]', before[-64:])[-1]}@{re.split(r'[^A-Za-z0-9_.-]', rest[:254])[0].rstrip('.')}")
        if found and found.group(1) and not any(found.group(0) in place for place in (known, site.handle, *site.imprint, site.about)):
            yield Problem(path, f"a mail address stands in it that nobody wrote there: {found.group(0)}")


class _Links:
    """The addresses and marks of one page."""

    def __init__(self, site: Site, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.found: set[str] = set()
        self._site = site
        self._base = urlsplit(site.base)
        self._inside = dirname(path)

    def read(self, body: str, *, whole: bool) -> None:
        ids = IDENTITY.findall(body)
        if len(set(ids)) != len(ids) or "" in ids:
            self._say("an id stands there twice, or is empty")
        if " style=" in body or re.search(r' on[a-z]+="', body):
            self._say("it carries style or script in its tags")
        canonical, indexed = "", not re.search(r'<meta name="robots" content="noindex', body)
        anchors = set()
        for name, rest in set(ADDRESS.findall(body)):
            attributes = dict(ATTRIBUTE.findall(rest))
            if name == "img":
                self._image(attributes)
            if name == "link" and attributes.get("rel") == "canonical":
                canonical = unescape(attributes.get("href", ""))
            address = attributes.get("href") or attributes.get("src") or ""
            if address.startswith("#"):
                anchors.add(unquote(unescape(address[1:])))
            elif address:
                self._address(address, loads=name in ("img", "script") or attributes.get("rel") in LOADED)
            for part in attributes.get("srcset", "").split(","):
                if part.strip():
                    self._address(part.split()[0], loads=True)
        for anchor in sorted(anchors - set(map(unescape, ids)) - {"", "top"}) if whole else ():
            self._say(f"a link leads to “#{anchor}”, which is not there")
        if indexed and canonical != self._site.base + self.path.removesuffix("index.html"):
            self._say(f"its canonical address is {canonical or 'missing'}")

    def _say(self, what: str, *, serious: bool = True) -> None:
        self.problems.append(Problem(self.path, what, serious))

    def _image(self, attributes: dict[str, str]) -> None:
        if "alt" not in attributes:
            self._say("an image has no alternative text")
        elif not attributes["alt"] and attributes.get("class") != "logo":
            self._say(f"the image {attributes.get('src', '')} has an empty alternative text", serious=False)

    def _address(self, address: str, *, loads: bool) -> None:
        inside = self._inside
        if PLAIN.fullmatch(address) and (address[0] != "." or "/" not in inside):
            # Nearly all links of a page: to a folder or a file beside this one, or one level up.
            target = address[3:] if address[0] == "." else f"{inside}/{address}".lstrip("/")
            self.found.add(f"{target}index.html" if target.endswith("/") or not target else target)
            return
        if address.startswith("http") and not address.startswith(self._site.base):
            if loads:
                self._say(f"it loads something from elsewhere: {address[:80]}")
            return
        if address.startswith("http") or (address.startswith("../") and "/" not in inside):
            inside = "."  # the own folder plays no part, so that all pages share what was found out
            address = address.removeprefix("../")
        kind, target = _resolve(address, inside, self._base.netloc, self._base.path)
        if kind == "inside":
            self.found.add(target)
        elif kind == "beyond" or loads:
            self._say(f"{'a link leads out of the archive' if kind == 'beyond' else 'it loads something from elsewhere'}: {address[:80]}")


@lru_cache(maxsize=4096)
def _resolve(address: str, inside: str, host: str, base: str) -> tuple[str, str]:
    """Where an address leads from a folder: ``inside`` with the file, ``beyond`` the top by “..”, or ``elsewhere``."""
    parts = urlsplit(unescape(address))
    if parts.scheme in ("mailto", "tel") or (parts.netloc and parts.netloc != host):
        return "elsewhere", ""
    path = unquote(parts.path)
    if parts.netloc or path.startswith("/"):
        if not path.startswith(base):
            return "elsewhere", ""
        target = path[len(base) :]
    else:
        target = normpath(join(inside, path)) + ("/" if path.endswith("/") or not path else "")
        if target.startswith(".."):
            return "beyond", ""
    target = target.removeprefix("./")
    return "inside", f"{target}index.html" if target.endswith("/") or not target else target


# Texts stand in feeds escaped once more. A pattern that begins with plain letters is found ten times as fast.
RELATIVE = (re.compile(rb"src=&quot;(?!https?://)([^&]{0,60})"), re.compile(rb"href=&quot;(?!https?://|mailto:|tel:)([^&]{0,60})"))
IDS = (re.compile(rb"<guid[^>]*>([^<]*)</guid>"), re.compile(rb"<id>([^<]*)</id>"))


def _xml(path: str, data: bytes) -> Iterator[Problem]:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(data, True)
    except expat.ExpatError as error:
        yield Problem(path, f"it is not well-formed: {error}")
        return
    entries = data.count(b"<item>") + data.count(b"<entry>") + data.count(b"<entry ")
    is_atom = b"<feed" in data[:400]
    if not entries and not is_atom:
        return
    ids = IDS[is_atom].findall(data)
    if len(ids) != entries + is_atom:
        yield Problem(path, f"an entry has no {'id' if is_atom else 'guid'}")
    if len(set(ids)) != len(ids):
        yield Problem(path, "two entries have the same id")
    found = next((match for pattern in RELATIVE if (match := pattern.search(data))), None)
    if found:
        yield Problem(path, f"a relative address stands in it: {found.group(1).decode('utf-8', 'replace')}")


def _json(path: str, data: bytes) -> Iterator[Problem]:
    try:
        row = json.loads(data)
    except ValueError as error:
        yield Problem(path, f"it cannot be read: {error}")
        return
    if path.endswith("feed.json"):
        ids = [item.get("id") for item in row.get("items", [])]
        if len(set(ids)) != len(ids) or not all(ids):
            yield Problem(path, "two entries have the same id, or one has none")
