"""A light tree for the HTML that comes out of the sanitiser.

That HTML is canonical: every element is closed, every attribute stands in double quotes, there are no comments. A tree
of its own takes a tenth of the time of a library that is made for everything that the web can contain.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Union

VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:[^<>"]|"[^"]*")*)>')
_ATTRIBUTE = re.compile(r'([a-z][a-z0-9:-]*)="([^"]*)"')

Node = Union["Element", str]


class Element:
    """One element. Texts among its children are plain characters, not escaped."""

    __slots__ = ("attributes", "children", "name")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Node] = []

    def get(self, name: str) -> str:
        """An attribute, or nothing."""
        return self.attributes.get(name, "")

    def has_class(self, name: str) -> bool:
        return name in self.attributes.get("class", "").split()

    def elements(self, name: str = "") -> Iterator["Element"]:
        """Every element below this one, in the order of the text."""
        for child in self.children:
            if isinstance(child, Element):
                if not name or child.name == name:
                    yield child
                yield from child.elements(name)

    def texts(self) -> Iterator[str]:
        """Every text below this one."""
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child.texts()

    def text(self) -> str:
        return "".join(self.texts())

    def inner(self) -> str:
        """What is inside, as HTML."""
        return "".join([_escape(child) if isinstance(child, str) else child.outer() for child in self.children])

    def outer(self) -> str:
        """The element, as HTML."""
        attributes = "".join([f" {name}={_quoted(value)}" for name, value in self.attributes.items()]) if self.attributes else ""
        return f"<{self.name}{attributes}/>" if self.name in VOID else f"<{self.name}{attributes}>{self.inner()}</{self.name}>"

    def without(self, gone: "Element") -> bool:
        """Take an element out, wherever it is below this one; whether it was there."""
        for index, child in enumerate(self.children):
            if child is gone:
                del self.children[index]
                return True
            if isinstance(child, Element) and child.without(gone):
                return True
        return False


def parse(html: str) -> Element:
    """The tree of some canonical HTML, below an element without a name."""
    root = Element("", {})
    opened = [root]
    at = 0
    for tag in _TAG.finditer(html):
        if tag.start() > at:
            opened[-1].children.append(unescape(html[at : tag.start()]))
        at = tag.end()
        end, name, rest = tag.groups()
        if end:
            if len(opened) > 1 and opened[-1].name == name:
                opened.pop()
            continue
        element = Element(name, {key: unescape(value) for key, value in _ATTRIBUTE.findall(rest)} if rest else {})
        opened[-1].children.append(element)
        if name not in VOID:
            opened.append(element)
    if at < len(html):
        root.children.append(unescape(html[at:]))
    return root


def _escape(text: str) -> str:
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def _quoted(value: str) -> str:
    return '"' + _escape(value).replace('"', "&quot;") + '"'
