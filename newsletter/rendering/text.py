"""A Document as plain text that reads as if it had been written so (F3)."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

from newsletter.rendering.blocks import Block
from newsletter.rendering.outside import Outside

WIDTH = 72


@dataclass
class _Notes:
    """The addresses that stand at the end, numbered in the order of the text."""

    addresses: list[str] = field(default_factory=list)

    def number(self, address: str) -> int:
        if address not in self.addresses:
            self.addresses.append(address)
        return self.addresses.index(address) + 1


def to_text(blocks: Iterable[Block], outside: Outside | None = None) -> str:
    """Plain text with every link. Fields are still marked."""
    notes = _Notes()
    parts = _blocks(blocks, notes, outside or Outside())
    if notes.addresses:
        parts.append("\n".join(f"[{number}] {address}" for number, address in enumerate(notes.addresses, 1)))
    return "\n\n".join(parts)


def _blocks(blocks: Iterable[Block], notes: _Notes, outside: Outside) -> list[str]:
    return [part for part in (_special(block, notes, outside) or _block(block, notes) for block in blocks) if part.strip()]


def _special(block: Block, notes: _Notes, outside: Outside) -> str:
    """The blocks that Markdown lacks."""
    inside = [part for column in block.parts for part in _blocks(column, notes, outside)]
    match block.kind:
        case "callout":
            title = [_inline(block.label, notes).upper()] if block.label else []
            return textwrap.indent("\n\n".join([*title, *inside]), "| ", lambda _: True)
        case "columns" | "mail":
            return "\n\n".join(inside)
        case "reply":
            link = f"{_inline(block.label, notes) or outside.speech('Write back')}:\n{outside.reply_to}" if outside.reply_to else ""
            return "\n\n".join([*inside, link] if link else inside)
        case "poll":
            answers = [f"– {option}:\n  {outside.poll(block.number, number)}" for number, option in enumerate(block.options, 1)]
            return "\n".join([_inline(block.html, notes), *answers, outside.speech("Counted without names: nobody learns who answered what.")])
        case "more":
            return f"{block.label or outside.speech('Read on')}:\n{outside.more}" if outside.more else ""
        case "share":
            links = [f"{label}: {address}" for label, address in outside.shares()]
            return "\n".join([block.label or outside.speech("Hand it on:"), *links]) if links else ""
        case "card" if block.card:
            return _wrap("\n".join(part for part in (block.card.line, block.card.title, block.card.summary) if part)) + f"\n{block.card.address}"
        case _:
            return ""


def _block(block: Block, notes: _Notes) -> str:
    match block.kind:
        case "more" | "share" | "card" | "web":
            return ""
        case "heading":
            title = _inline(block.html, notes)
            return f"\n{title}\n{('=' if block.level == 2 else '-') * min(len(title), WIDTH)}"
        case "rule":
            return "* * *"
        case "button":
            return f"{_inline(block.html, notes)}:\n{block.href}"
        case "image":
            words = " · ".join(part for part in (block.caption or block.alt, block.credit) if part)
            return _wrap(f"[{words}]") if words else ""
        case "code":
            return textwrap.indent(BeautifulSoup(block.html, "html.parser").get_text().rstrip("\n"), "    ")
        case "quote":
            soup = BeautifulSoup(block.html, "html.parser")
            said = f"\n\n– {_inline(block.caption, notes)}" if block.caption else ""
            return textwrap.indent(_flow(soup.blockquote or soup, notes, WIDTH - 2) + said, "> ", lambda _: True)
        case "table":
            return _table(block.html, notes)
        case _:
            return _flow(BeautifulSoup(block.html, "html.parser"), notes, WIDTH)


def _flow(node: Tag, notes: _Notes, width: int) -> str:
    """The blocks within a node, one below the other."""
    parts: list[str] = []
    loose: list[PageElement] = []
    for child in node.children:
        if isinstance(child, Tag) and child.name in ("p", "ul", "ol", "dl", "blockquote", "pre", "div", "table", "h2", "h3", "h4"):
            parts += _gather(loose, notes, width)
            parts.append(_element(child, notes, width))
        else:
            loose.append(child)
    parts += _gather(loose, notes, width)
    return "\n\n".join(part for part in parts if part.strip())


def _gather(loose: list[PageElement], notes: _Notes, width: int) -> list[str]:
    text = _wrap("".join(_words(child, notes) for child in loose).strip(), width)
    loose.clear()
    return [text] if text else []


def _element(node: Tag, notes: _Notes, width: int) -> str:
    if node.name in ("ul", "ol"):
        return _list(node, notes, width)
    if node.name == "blockquote":
        return textwrap.indent(_flow(node, notes, width - 2), "> ", lambda _: True)
    if node.name == "pre":
        return textwrap.indent(node.get_text().rstrip("\n"), "    ")
    if node.name == "table":
        return _table(str(node), notes)
    if node.name in ("div", "dl"):
        return _flow(node, notes, width)
    return _wrap("".join(_words(child, notes) for child in node.children).strip(), width)


def _list(node: Tag, notes: _Notes, width: int) -> str:
    items = node.find_all("li", recursive=False)
    start = str(node.get("start", "1"))
    first = int(start) if start.isdigit() else 1
    rows = []
    for number, item in enumerate(items, first):
        mark = f"{number}. " if node.name == "ol" else "– "
        body = _flow(item, notes, width - len(mark)).replace("\n\n– ", "\n– ")
        rows.append(mark + textwrap.indent(body, " " * len(mark)).lstrip())
    return "\n".join(rows)


def _table(html: str, notes: _Notes) -> str:
    rows = [[_inline(cell.decode_contents(), notes) for cell in row.find_all(["th", "td"])] for row in BeautifulSoup(html, "html.parser").find_all("tr")]
    rows = [row for row in rows if row]
    if not rows:
        return ""
    columns = max(len(row) for row in rows)
    rows = [row + [""] * (columns - len(row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(columns)]
    if sum(widths) + 2 * columns > WIDTH:
        head = rows[0]
        return "\n\n".join("\n".join(f"{label}: {value}" for label, value in zip(head, row, strict=True)) for row in rows[1:])
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _inline(html: str, notes: _Notes) -> str:
    soup = BeautifulSoup(html, "html.parser")
    return " ".join("".join(_words(child, notes) for child in soup.children).split(" ")).strip()


def _words(node: PageElement, notes: _Notes) -> str:
    if isinstance(node, NavigableString):
        return str(node).replace("\n", " ")
    if not isinstance(node, Tag):
        return ""
    if node.name == "br":
        return "\n"
    if node.name == "img":
        return f"[{node.get('alt', '')}]" if node.get("alt") else ""
    inside = "".join(_words(child, notes) for child in node.children)
    if node.name == "a":
        return _link(str(node.get("href", "")), inside, notes)
    return f"*{inside}*" if node.name in ("strong", "b") and inside.strip() else inside


def _link(href: str, inside: str, notes: _Notes) -> str:
    if href.startswith("#fnref"):
        return ""
    if href.startswith("#fn"):
        return f" ({inside})"
    if not href or href.startswith("#"):
        return inside
    plain = href.removeprefix("mailto:").removeprefix("tel:")
    return inside if inside.strip() in (href, plain) else f"{inside} [{notes.number(href)}]"


def _wrap(text: str, width: int = WIDTH) -> str:
    lines = [textwrap.fill(line.strip(" "), width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")]
    return "\n".join(lines).strip()
