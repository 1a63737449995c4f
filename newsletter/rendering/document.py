"""Markdown becomes a Document: safe HTML in blocks, set in the right type, shared by mail, web and feed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import nh3
from markdown import Markdown
from markdown.extensions.toc import slugify_unicode
from markdown.inlinepatterns import SimpleTagInlineProcessor

from newsletter.rendering import merge
from newsletter.rendering.attributes import check_attributes
from newsletter.rendering.blocks import Block, Builder, Card
from newsletter.rendering.cautions import check_words
from newsletter.rendering.checks import Picture, check_images, check_links, without_code
from newsletter.rendering.containers import mark_containers, with_snippets
from newsletter.rendering.findings import Finding
from newsletter.rendering.markup import Element, parse
from newsletter.rendering.typography import typeset_html

LONGEST = 200_000  # characters; a long issue has 15 000
DEEPEST = 8  # levels of lists and quotes; Python-Markdown recurses into each of them

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em",
    "h2", "h3", "h4", "hr", "i", "img", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title", "id"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "credit", "foto"},
    "li": {"id"}, "sup": {"id"}, "h2": {"id"}, "h3": {"id"}, "h4": {"id"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"},
}  # fmt: skip
CLASSES = {"a": {"button", "quiet", "footnote-ref", "footnote-backref"}, "div": {"footnote"}}


@dataclass(frozen=True)
class Document:
    """An issue's Markdown, made safe."""

    blocks: tuple[Block, ...] = ()
    words: int = 0
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def minutes(self) -> int:
        """Reading time at 200 words a minute, at least one."""
        return max(1, round(self.words / 200))

    def every(self, blocks: tuple[Block, ...] | None = None) -> Iterator[Block]:
        """Each block and what is inside of it, in the order of the text."""
        for block in self.blocks if blocks is None else blocks:
            yield block
            for part in block.parts:
                yield from self.every(part)

    def poll(self, number: int) -> Block | None:
        """A poll by its number."""
        return next((block for block in self.every() if block.kind == "poll" and block.number == number), None)


def make_document(
    source: str,
    language: str,
    pictures: Mapping[str, Picture] | None = None,
    snippets: Mapping[str, str] | None = None,
    cards: Mapping[str, Card] | None = None,
) -> Document:
    """Read Markdown.

    Never raises for what a person can type: what cannot be read becomes a Finding with its line.

    Args:
        source: Markdown, without a head.
        language: ``de`` or ``en``, for quotes and dashes.
        pictures: what is known about uploaded images, by name. None: any name is believed.
        snippets: Markdown that is used in several issues, by name.
        cards: issues that this one may show, by slug.
    """
    source = merge.without_private(source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    source, origin, findings = with_snippets(source, snippets or {})
    trouble = _too_much(source)
    if trouble:
        return Document(findings=(_at_home(trouble, origin),))
    findings += [_at_home(finding, origin) for finding in merge.unknown_fields(without_code(source))]
    plain, broken = check_attributes(source)
    marked = mark_containers(plain)
    found = [*broken, *marked.findings]
    try:
        root = _to_tree(marked.source)
    except RecursionError:
        return Document(findings=(_nested(1),))
    found += check_links(root, source)
    found += check_images(root, source, pictures)
    found += check_words(root, source)
    typeset_html(root, language)
    words = len(re.findall(r"\w+", " ".join(root.texts())))
    _mark_fields(root)
    builder = Builder(language, pictures or {}, cards or {}, marked.marks)
    blocks = tuple(builder.blocks(root))
    findings += [_at_home(finding, origin) for finding in [*found, *builder.findings]]
    return Document(blocks, words, tuple(findings))


def _at_home(finding: Finding, origin: list[int]) -> Finding:
    """The finding at the line that was typed, which a snippet above it may have moved."""
    return replace(finding, line=origin[finding.line - 1]) if 0 < finding.line <= len(origin) else finding


def _too_much(source: str) -> Finding | None:
    if len(source) > LONGEST:
        return Finding(
            "text-too-long",
            "error",
            "The text has %(size)s characters; more than %(limit)s do not fit into a mail.",
            "Split it into several issues.",
            source.count("\n", 0, LONGEST) + 1,
            {"size": len(source), "limit": LONGEST},
        )
    for number, line in enumerate(source.split("\n"), 1):
        lead = re.match(r"[\s>*+-]*", line)
        marks = lead.group(0) if lead else ""
        if marks.count(">") > DEEPEST or len(marks.expandtabs(4)) - len(marks.strip()) > 4 * DEEPEST + 60 or line.count("[") > 300 or _stars(line) > 600:
            return _nested(number)
    return None


def _stars(line: str) -> int:
    return line.count("*") + line.count("_") + line.count("`") if not set(line.strip()) <= set("*_- `") else len(line) // 4


def _nested(line: int) -> Finding:
    return Finding(
        "nested-too-deep",
        "error",
        "Lists, quotes or brackets are nested too deeply to be read.",
        "Take a few levels out of it.",
        line,
    )


def _to_tree(source: str) -> Element:
    # A fresh converter each time: footnotes and headings keep state.
    converter = Markdown(
        extensions=["nl2br", "tables", "fenced_code", "footnotes", "attr_list", "sane_lists", "abbr", "toc"],
        extension_configs={
            "toc": {"slugify": slugify_unicode, "baselevel": 1},
            "footnotes": {"BACKLINK_TITLE": "", "UNIQUE_IDS": False},
        },
    )
    converter.inlinePatterns.register(SimpleTagInlineProcessor(r"()~~(.+?)~~", "del"), "del", 60)
    html = converter.convert(source)
    html = re.sub(r"<(/?)h1\b", r"<\1h2", html)
    html = re.sub(r"<(/?)h[56]\b", r"<\1h4", html)
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        clean_content_tags={"script", "style"},
        attribute_filter=_only_safe,
    )
    return parse(clean)


def _only_safe(tag: str, attribute: str, value: str) -> str | None:
    # nh3 lets relative and protocol-relative addresses through (C1).
    if (tag, attribute) == ("a", "href"):
        return value if re.match(r"(?:https?://[^/\s]|mailto:|tel:|#)", value, re.IGNORECASE) else None
    if attribute == "id":
        return value if re.fullmatch(r"[\w:.-]{1,120}", value) else None
    return value


def _mark_fields(parent: Element) -> None:
    for index, child in enumerate(parent.children):
        if isinstance(child, str):
            if "{{" in child:
                parent.children[index] = merge.mark(child)
        elif child.name not in ("code", "pre"):
            _mark_fields(child)
