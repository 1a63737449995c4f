"""The pieces of an issue, and how they are made of the sanitised tree and of the marks that containers left in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import chain

from newsletter.i18n import mark
from newsletter.rendering import merge
from newsletter.rendering.checks import Picture
from newsletter.rendering.containers import MARKED, MOST_OPTIONS, Mark
from newsletter.rendering.findings import Finding
from newsletter.rendering.markup import Element, Node, parse
from newsletter.rendering.typography import typeset


@dataclass(frozen=True)
class Card:
    """An issue of the archive, as another one shows it."""

    title: str
    summary: str
    address: str
    line: str
    src: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Block:
    """One piece of an issue.

    ``kind`` is text, heading, list, quote, code, table, rule, image, button or notes; or, of those that Markdown lacks,
    callout, columns, poll, reply, more, share, card, mail or web (what stands in that medium alone).

    Args:
        caption: below a picture; behind a quote, who said it.
        credit: who made a picture.
        number: which poll of the issue it is, from 1.
        options: the answers of a poll.
        parts: the blocks inside: one tuple, or one for each column.
    """

    kind: str
    html: str
    href: str = ""
    src: str = ""
    alt: str = ""
    caption: str = ""
    credit: str = ""
    width: int = 0
    height: int = 0
    level: int = 0
    label: str = ""
    quiet: bool = False
    number: int = 0
    options: tuple[str, ...] = ()
    parts: tuple[tuple["Block", ...], ...] = ()
    card: Card | None = None


class Builder:
    """Makes blocks of a tree, and of the marks that containers left in it."""

    def __init__(self, language: str, pictures: Mapping[str, Picture], cards: Mapping[str, Card], marks: tuple[Mark, ...]) -> None:
        self.language = language
        self.pictures = pictures
        self.cards = cards
        self.marks = marks
        self.findings: list[Finding] = []
        self.polls = 0
        self._seen: set[int] = set()
        self._depth = 0

    def blocks(self, root: Element) -> list[Block]:
        """The blocks of a whole text."""
        nodes = iter(root.children)
        inside, before = self._until(nodes)
        found = [*chain(*before), *inside]
        for number, sign in enumerate(self.marks):
            if number not in self._seen and sign.step != "gone":
                # Markdown took the line into something else, such as a piece of HTML that is never closed.
                text, fix = "The block that begins here stands inside something else and gets lost.", "Leave an empty line above it, and close what is open."
                self.findings.append(Finding("container-lost", "error", text, fix, sign.line))
        return found

    def _until(self, nodes: Iterator[Node]) -> tuple[list[Block], list[list[Block]]]:
        """Blocks up to the end of a container; and, where it has columns, those before the last gap."""
        blocks: list[Block] = []
        before: list[list[Block]] = []
        for node in nodes:
            sign = self._mark_of(node)
            if sign is None:
                blocks += self._node(node)
            elif sign.step == "open":
                self._depth += 1
                inside, columns = self._until(nodes)
                self._depth -= 1
                blocks += self._container(sign, inside, columns)
            elif sign.step == "next":
                before.append(blocks)
                blocks = []
            elif sign.step == "close":
                if self._depth:  # else its beginning got lost, and it ends nothing
                    break
            else:
                blocks += self._leaf(sign)
        return blocks, before

    def _mark_of(self, node: Node) -> Mark | None:
        if isinstance(node, str) or node.name != "p" or len(node.children) != 1 or not isinstance(node.children[0], str):
            return None
        found = MARKED.fullmatch(node.children[0].strip())
        if not found or int(found.group(1)) >= len(self.marks):
            return None
        self._seen.add(int(found.group(1)))
        return self.marks[int(found.group(1))]

    def _container(self, sign: Mark, inside: list[Block], before: list[list[Block]]) -> list[Block]:
        words = merge.mark(escape(typeset(sign.words, self.language), quote=False))
        if sign.kind != "columns":
            inside = [*chain(*before), *inside]
        if sign.kind == "poll":
            return self._poll(sign, words, inside)
        if sign.kind == "columns":
            columns = [*before, inside]
            if len(columns) > 2:
                text, fix = "More than two columns do not fit on a phone.", "Begin the third one as a block of its own."
                self.findings.append(Finding("columns-many", "error", text, fix, sign.line))
                return [block for column in columns for block in column]
            return [Block("columns", "", parts=tuple(tuple(column) for column in columns))]
        return [Block(sign.kind, "", label=words, parts=(tuple(inside),))]

    def _poll(self, sign: Mark, words: str, inside: list[Block]) -> list[Block]:
        lists = [block for block in inside if block.kind == "list"]
        options = [" ".join(item.text().split()) for block in lists for item in parse(block.html).elements("li")]
        if not words.strip() or len(lists) != 1 or len(inside) != 1 or not 2 <= len(options) <= MOST_OPTIONS:
            text = mark("A poll needs a question behind its name, and one list of two to twelve answers.")
            fix = mark("::: umfrage Was meinst du?, then a line with - for each answer.")
            self.findings.append(Finding("poll-broken", "error", text, fix, sign.line))
            return inside
        self.polls += 1
        return [Block("poll", words, number=self.polls, options=tuple(options))]

    def _leaf(self, sign: Mark) -> list[Block]:
        words = typeset(sign.words, self.language)
        if sign.kind == "snippet":
            return []
        if sign.kind != "card":
            return [Block(sign.kind, "", label=words)]
        card = self.cards.get(sign.words.lower())
        if card is None:
            text, fix = "There is no issue called “%(name)s” in the archive.", "Its name is the last part of its address."
            self.findings.append(Finding("card-unknown", "error", text, fix, sign.line, {"name": sign.words[:60]}))
            return []
        return [Block("card", "", href=card.address, card=card)]

    def _node(self, node: Node) -> list[Block]:
        if isinstance(node, str):
            return [Block("text", f"<p>{escape(without_marks(node))}</p>")] if node.strip() else []
        if any(MARKED.search(text) for text in node.texts()):
            _clean_marks(node)
        return self._block(node)

    def _block(self, node: Element) -> list[Block]:
        name = node.name
        if name in ("h2", "h3", "h4"):
            return [Block("heading", node.inner(), level=int(name[1]), label=node.get("id"))]
        if name == "hr":
            return [Block("rule", "")]
        if name == "p":
            return self._paragraph(node)
        if name == "blockquote":
            source = _source_of(node)
            return [Block("quote", node.outer(), caption=source)]
        kinds = {"ul": "list", "ol": "list", "dl": "list", "pre": "code", "table": "table"}
        if name == "div" and node.has_class("footnote"):
            return [Block("notes", next((listing.outer() for listing in node.elements("ol")), ""))]
        return [Block(kinds.get(name, "text"), node.outer())]

    def _paragraph(self, node: Element) -> list[Block]:
        children = [child for child in node.children if isinstance(child, Element) or child.strip()]
        if len(children) == 1 and isinstance(only := children[0], Element):
            if only.name == "a" and only.has_class("button") and only.get("href"):
                return [Block("button", only.inner(), href=only.get("href"), label=only.text(), quiet=only.has_class("quiet"))]
            if only.name == "img":
                return [self._image(only)]
            if only.name == "a" and len(only.children) == 1 and isinstance(inside := only.children[0], Element) and inside.name == "img":
                return [self._image(inside, only.get("href"))]
        for image in node.elements("img"):
            # Only a picture by itself has a line below it.
            for key in ("credit", "foto"):
                image.attributes.pop(key, None)
        return [Block("text", node.outer())] if children else []

    def _image(self, image: Element, href: str = "") -> Block:
        src = image.get("src")
        picture = self.pictures.get(src.rpartition("/")[2], Picture(0, 0))
        return Block(
            "image",
            "",
            href=href,
            src=src,
            alt=typeset(image.get("alt"), self.language),
            caption=typeset(image.get("title"), self.language),
            credit=typeset(image.get("credit") or image.get("foto"), self.language),
            width=picture.width,
            height=picture.height,
        )


def _clean_marks(node: Element) -> None:
    for index, child in enumerate(node.children):
        if isinstance(child, str):
            node.children[index] = without_marks(child)
        else:
            _clean_marks(child)


def without_marks(text: str) -> str:
    """Text without what a container left in it."""
    return MARKED.sub("", text)


def _source_of(quote: Element) -> str:
    """Take the last line of a quotation off, when it begins with a dash: it says whose words they are."""
    paragraphs = [child for child in quote.children if isinstance(child, Element)]
    last = paragraphs[-1] if paragraphs else None
    if last is None or last.name != "p":
        return ""
    breaks = [index for index, child in enumerate(last.children) if isinstance(child, Element) and child.name == "br"]
    start = breaks[-1] + 1 if breaks else 0
    first = last.children[start] if start < len(last.children) else ""
    if not isinstance(first, str) or not re.match(r"\s*[\u2013\u2014]\s", first) or (not breaks and len(paragraphs) == 1):
        return ""
    said = Element("", {})
    said.children = [re.sub(r"^\s*[\u2013\u2014]\s+", "", first), *last.children[start + 1 :]]
    if breaks:
        del last.children[breaks[-1] :]
    else:
        quote.children.remove(last)
    return said.inner()
