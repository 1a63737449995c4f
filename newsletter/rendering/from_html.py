"""HTML of others as Markdown of ours: what is pasted, and letters that were written elsewhere.

Whatever comes in goes through the sanitiser first, so that the tree below is small, canonical and harmless.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import nh3

from newsletter.rendering.markup import Element, Node, parse

TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "i", "img", "li", "ol", "p", "pre", "s", "section", "article", "span", "strike", "strong", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
BLOCKS = {
    "blockquote", "dd", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "section",
    "article", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
DEEPEST = 40
_LEADING = re.compile(r"(?m)^(\s*)([#>+-](?=\s)|\d+(?=[.)]\s))")


def to_markdown(html: str) -> str:
    """Markdown of some HTML, however broken it is.

    Links that lead nowhere lose their address and keep their words; pictures that are not on the web get lost.
    """
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}, "img": {"src", "alt", "title"}, "span": {"style"}, "b": {"style"}, "ol": {"start"}},
        filter_style_properties={"font-weight", "font-style", "text-decoration"},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        clean_content_tags={"script", "style", "title", "head", "noscript", "template", "svg", "math", "button", "select", "textarea"},
    )
    text = _blocks(parse(clean).children, 0)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n" if text.strip() else ""


def from_table(text: str) -> str:
    """Cells of a spreadsheet, as the clipboard holds them, as a table."""
    rows = [[_cell(cell) for cell in line.split("\t")] for line in text.replace("\r\n", "\n").strip("\n").split("\n")]
    return _table_of([[cell.strip() for cell in row] for row in rows])


def _blocks(nodes: list[Node], depth: int) -> str:
    parts: list[str] = []
    loose: list[Node] = []

    def gather() -> None:
        words = _paragraph(loose, depth)
        loose.clear()
        if words:
            parts.append(words)

    for node in nodes:
        if isinstance(node, str) or (node.name not in BLOCKS and not _holds_blocks(node, depth)):
            loose.append(node)
            continue
        gather()
        part = _block(node, depth + 1)
        if part.strip():
            parts.append(part.strip("\n"))
    gather()
    return "\n\n".join(parts)


def _holds_blocks(node: Element, depth: int) -> bool:
    # Google Docs wraps everything that is copied into one <b>, and some editors put paragraphs into links.
    return depth < DEEPEST and any(isinstance(child, Element) and (child.name in BLOCKS or _holds_blocks(child, depth + 1)) for child in node.children)


def _block(node: Element, depth: int) -> str:
    if depth > DEEPEST:
        return _escaped(" ".join(_flat(node).split()))
    match node.name:
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            words = " ".join(_inline(node.children, depth).replace("**", "").split())
            return f"{'#' * min(max(int(node.name[1]), 2), 4)} {words}" if words else ""
        case "hr":
            return "---"
        case "pre":
            return f"```\n{_flat(node).strip(chr(10))}\n```"
        case "blockquote":
            return _prefixed(_blocks(node.children, depth), "> ")
        case "ul" | "ol":
            return _list(node, depth)
        case "table":
            return _table(node, depth)
        case "figure":
            return _figure(node, depth)
        case _:
            return _blocks(node.children, depth)


def _prefixed(text: str, prefix: str) -> str:
    return "\n".join((prefix + line).rstrip() for line in text.split("\n")) if text.strip() else ""


def _list(node: Element, depth: int) -> str:
    start = node.get("start")
    number = int(start) if start.isdecimal() and len(start) < 6 else 1
    rows = []
    for child in node.children:
        if not isinstance(child, Element):
            continue
        # Some programs nest lists without an item around them.
        body = _blocks(child.children if child.name == "li" else [child], depth)
        if not body.strip():
            continue
        mark = f"{number}. " if node.name == "ol" else "- "
        number += 1
        body = body.replace("\n\n- ", "\n- ") if "\n\n" in body else body
        rows.append(mark + body.replace("\n", "\n    ").replace("\n    \n", "\n\n"))
    return "\n".join(rows)


def _figure(node: Element, depth: int) -> str:
    images = [child for child in _every(node) if child.name == "img"]
    caption = next((" ".join(_flat(child).split()) for child in _every(node) if child.name == "figcaption"), "")
    if len(images) == 1:
        image = Element("img", {**images[0].attributes, "title": caption or images[0].get("title")})
        link = next((child for child in _every(node) if child.name == "a" and any(one.name == "img" for one in _every(child))), None)
        return _wrapped(link, _image(image)) if link else _image(image)
    return _blocks(node.children, depth)


def _table(node: Element, depth: int) -> str:
    rows = [[cell for cell in row.children if isinstance(cell, Element) and cell.name in ("td", "th")] for row in _rows(node)]
    rows = [row for row in rows if row]
    if not _is_data(node, rows):
        # Mails are laid out by tables; these are columns and margins and no figures.
        return "\n\n".join(part for row in rows for cell in row if (part := _blocks(cell.children, depth)).strip())
    return _table_of([[_cell(" ".join(_inline(cell.children, depth).split())) for cell in row] for row in rows])


def _is_data(node: Element, rows: list[list[Element]]) -> bool:
    if any(child.name == "table" for child in _every(node)) or len(rows) < 2 or max(len(row) for row in rows) < 2:
        return False
    heads = any(cell.name == "th" for cell in rows[0])
    short = all(
        len(_flat(cell)) < 200 and not any(child.name in ("img", "h1", "h2", "h3", "ul", "ol") for child in _every(cell)) for row in rows for cell in row
    )
    return short and (heads or len({len(row) for row in rows}) == 1)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _table_of(rows: list[list[str]]) -> str:
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    full = [row + [""] * (width - len(row)) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in full]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


def _paragraph(nodes: list[Node], depth: int) -> str:
    text = _inline(nodes, depth)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    # Two line breaks in a row are how many editors begin a paragraph.
    return _LEADING.sub(r"\1\\\2", re.sub(r"\n{2,}", "\n\n", "\n".join(lines)))


def _inline(nodes: list[Node], depth: int) -> str:
    return "".join(_one(node, depth + 1) for node in nodes)


def _one(node: Node, depth: int) -> str:
    if isinstance(node, str):
        return _escaped(re.sub(r"[\s\u00a0]+", " ", node))
    if depth > DEEPEST:
        return _escaped(" ".join(_flat(node).split()))
    inside = _inline(node.children, depth) if node.name not in ("img", "br", "code") else ""
    style = node.get("style").replace(" ", "")
    weight = re.search(r"font-weight:(\w+)", style)
    bold = bool(weight and (weight.group(1) in ("bold", "bolder") or (weight.group(1).isdecimal() and int(weight.group(1)) >= 600)))
    match node.name:
        case "br":
            return "\n"
        case "img":
            return _image(node)
        case "code":
            return f"`{_flat(node)}`" if _flat(node).strip() and "`" not in _flat(node) else _escaped(_flat(node))
        case "strong" | "b" if not weight or bold:
            return _around(inside, "**")
        case "em" | "i":
            return _around(inside, "*")
        case "del" | "s" | "strike":
            return _around(inside, "~~")
        case "a":
            return _wrapped(node, inside)
        case "span":
            inside = _around(inside, "*") if "font-style:italic" in style else inside
            inside = _around(inside, "~~") if "line-through" in style else inside
            return _around(inside, "**") if bold else inside
        case _:
            return inside + ("\n" if node.name in BLOCKS else "")


def _around(inside: str, mark: str) -> str:
    """Marks stand close to the words, or Markdown does not see them; and a mark holds on one line only."""

    def one(line: str) -> str:
        words = line.strip()
        if not words or words.startswith(mark) or words.endswith("\\"):
            return line
        lead, tail = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
        return f"{lead}{mark}{words}{mark}{tail}"

    return "\n".join(one(line) for line in inside.split("\n"))


def _wrapped(link: Element, inside: str) -> str:
    href = _unwrapped(link.get("href"))
    words = " ".join(inside.split())
    if not re.match(r"(?:https?://[^/\s]|mailto:|tel:)", href, re.IGNORECASE) or not words:
        return inside
    lead, tail = (" " if inside[:1].isspace() else ""), (" " if inside[-1:].isspace() else "")
    return f"{lead}[{words}]({_address(href)}){tail}"


def _unwrapped(href: str) -> str:
    # What is copied out of a search or a mail goes through somebody who counts; the address itself stands in it.
    parts = urlsplit(href) if len(href) < 4000 else None
    if parts and parts.hostname in ("www.google.com", "google.com") and parts.path == "/url":
        values = parse_qs(parts.query)
        return (values.get("q") or values.get("url") or [href])[0]
    return href


def _image(image: Element) -> str:
    src = image.get("src")
    if not re.match(r"https?://|/media/", src):
        return ""
    alt = re.sub(r"[\[\]\n]+", " ", image.get("alt")).strip()
    title = re.sub(r'["\n]+', "'", image.get("title")).strip()
    return f"![{alt}]({_address(src)}{f' {chr(34)}{title}{chr(34)}' if title else ''})"


def _address(href: str) -> str:
    return href.strip().replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("\n", "")


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\")
    text = re.sub(r"([*`])", r"\\\1", text)
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    text = text.replace("](", "]\\(")
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)


def _flat(node: Element) -> str:
    """All text below a node, without recursion: somebody may have nested it a thousand times."""
    return "".join(_texts(node))


def _every(node: Element) -> Iterator[Element]:
    """Every element below a node, in the order of the text, without recursion."""
    waiting: list[Node] = list(reversed(node.children))
    while waiting:
        current = waiting.pop()
        if isinstance(current, Element):
            yield current
            waiting.extend(reversed(current.children))


def _rows(table: Element) -> list[Element]:
    """The rows of a table, and none of a table inside."""
    rows: list[Element] = []
    for child in table.children:
        if isinstance(child, Element):
            rows += [child] if child.name == "tr" else [row for row in child.children if isinstance(row, Element) and row.name == "tr"]
    return rows


def _texts(node: Element) -> Iterator[str]:
    waiting: list[Node] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            yield current
        elif current.name == "br":
            yield "\n"
        else:
            waiting.extend(reversed(current.children))


def with_images(markdown: str, replace: Callable[[str], str]) -> str:
    """Markdown whose pictures lie elsewhere. ``replace`` gets an address and gives the new one."""
    return re.sub(r"(!\[[^\]\n]*\]\()(\S+?)(?=[\s)])", lambda found: found.group(1) + replace(found.group(2)), markdown)
