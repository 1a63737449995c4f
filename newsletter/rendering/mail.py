"""A Document as a mail: MJML through a layout of ours, HTML, and the text beside it.

People never write MJML (C2). Three faults of the MJML library are worked around here: attribute values
are unescaped once before they are printed, so they are escaped twice; a missing font would load one from
a foreign host, so every layout sets one; broken widths are rounded.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html import escape
from itertools import groupby

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from mjml import mjml_to_html

from newsletter.i18n import mark
from newsletter.links import manage_url
from newsletter.rendering import merge
from newsletter.rendering.blocks import Block
from newsletter.rendering.document import Document
from newsletter.rendering.dressing import TYPES, dress, styles
from newsletter.rendering.look import NIGHT, NIGHT_INK, SANS, Look
from newsletter.rendering.outside import Outside
from newsletter.rendering.text import to_text
from newsletter.resources import directory

# Pieces of running text; neighbours share one cell of the table that a mail is.
FLOW = {"text", "list", "quote", "heading"}
# What has a frame of its own and so cannot stand in the same column as text.
FRAMED = {"callout", "columns", "poll", "reply", "card"}


@dataclass(frozen=True)
class Frame:
    """What stands around the text of an issue. ``{leave}`` in an address becomes the reader's own.

    ``feedback`` are answers to whether the letter was worth reading: label and address.
    """

    language: str
    name: str
    byline: str
    date_line: str
    why: str
    leave_label: str
    manage_label: str
    archive_label: str
    archive_url: str
    imprint: tuple[str, ...]
    look: Look = field(default_factory=Look)
    outside: Outside = field(default_factory=Outside)
    feedback: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class MailParts:
    """The two bodies of a mail, fields still marked, the leave address still open."""

    html: str
    text: str


@dataclass(frozen=True)
class Item:
    """One element of a column: running text, or a block by itself."""

    kind: str
    html: Markup
    block: Block


@dataclass(frozen=True)
class Row:
    """One section of the mail: plain text, or something with a frame. ``columns`` hold the items inside."""

    kind: str
    columns: tuple[tuple[Item, ...], ...]
    block: Block


WORTH_IT = mark("Was this letter worth your time?")
LEAVE = "\ue010leave\ue011"
MANAGE = "\ue010manage\ue011"


def to_mail(document: Document, subject: str, preheader: str, frame: Frame, media_url: Callable[[str], str], *, bare: bool = False) -> MailParts:
    """Render once for all recipients; :func:`newsletter.rendering.merge.fill` does the rest.

    Args:
        bare: without anything around the text, to show a single block.
    """
    blocks = for_mail(document.blocks)
    look = frame.look
    dresses = styles(look)
    template = _environment().get_template("parts/bare.mjml" if bare else f"{look.layout}/issue.mjml")
    source = template.render(
        rows=list(_rows(blocks, lambda html: dress(html, dresses, media_url))),
        headings=[Markup(block.html) for block in blocks if block.kind == "heading" and block.level == 2],  # noqa: S704 -- nh3 cleaned it
        subject=subject,
        preheader=preheader,
        frame=frame,
        look=look,
        type=TYPES[look.layout],
        sans=SANS,
        speech=frame.outside.speech,
        night=NIGHT,
        night_ink=NIGHT_INK,
        leave=LEAVE,
        manage=MANAGE,
        worth_it=WORTH_IT,
        media_url=media_url,
    )
    html = re.sub(r'(\d+\.\d{3,})(?=px|")', lambda found: str(round(float(found.group(1)), 2)), mjml_to_html(source).html)
    return MailParts(html, _text(blocks, subject, frame))


def for_mail(blocks: Iterable[Block]) -> list[Block]:
    """The blocks of the mail: without those for the web, and none after the point from which one reads on there."""
    found: list[Block] = []
    for block in blocks:
        if block.kind == "mail":
            inside = for_mail(block.parts[0])
            found += inside
            if any(one.kind == "more" for one in inside):
                break
        elif block.kind != "web":
            found.append(block)
            if block.kind == "more":
                break
    return found


def _rows(blocks: list[Block], dressed: Callable[[str], Markup]) -> Iterator[Row]:
    for framed, group in groupby(blocks, lambda block: block.kind if block.kind in FRAMED else ""):
        if not framed:
            yield Row("plain", (tuple(_items(group, dressed)),), Block("", ""))
            continue
        for block in group:
            yield Row(framed, tuple(tuple(_items(part, dressed)) for part in block.parts), block)


def _items(blocks: Iterable[Block], dressed: Callable[[str], Markup]) -> Iterator[Item]:
    for flow, group in groupby(blocks, lambda block: block.kind in FLOW):
        if flow:
            yield Item("flow", dressed("\n".join(_flow(block) for block in group)), Block("", ""))
        else:
            for block in group:
                yield Item(block.kind, dressed(block.html), block)


def _flow(block: Block) -> str:
    if block.kind == "heading":
        return f"<h{block.level}>{block.html}</h{block.level}>"
    if block.kind == "quote" and block.caption:
        return f"{block.html}\n<cite>– {block.caption}</cite>"
    return block.html


def _text(blocks: list[Block], subject: str, frame: Frame) -> str:
    head = f"{frame.name}{' ' + frame.byline if frame.byline else ''}\n{frame.date_line}\n\n{subject}"
    foot = [
        *frame.look.footer,
        frame.why,
        f"{frame.leave_label}:\n{LEAVE}",
        f"{frame.manage_label}:\n{MANAGE}",
        f"{frame.archive_label}:\n{frame.archive_url}",
        "\n".join(frame.imprint),
    ]
    asked = "".join(f"\n– {label}:\n  {address}" for label, address in frame.feedback)
    asked = f"\n\n{frame.outside.speech(WORTH_IT)}{asked}" if asked else ""
    return f"{head}\n\n{to_text(blocks, frame.outside)}{asked}\n\n-- \n" + "\n\n".join(part for part in foot if part) + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(directory("templates") / "mail"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["attr"] = twice
    return environment


def twice(value: object) -> Markup:
    """An MJML attribute value, escaped for both of its readers."""
    return Markup(escape(escape(str(value))))  # noqa: S704 -- this is the escaping


def cut(text: str) -> list[str | tuple[str, str]]:
    """A body cut at everything that is the reader's own: (field, fallback), the leave address among them."""
    pieces: list[str | tuple[str, str]] = []
    for stretch in re.split(f"({LEAVE}|{MANAGE})", text):
        pieces += [(stretch[1:-1], "")] if stretch in (LEAVE, MANAGE) else merge.cut(stretch)
    return pieces


def final(parts: MailParts, values: dict[str, str], leave_url: str) -> MailParts:
    """The bodies for one reader."""
    manage = manage_url(leave_url)
    html = merge.fill_html(parts.html, values).replace(LEAVE, escape(leave_url)).replace(MANAGE, escape(manage))
    text = merge.fill(parts.text, values, str).replace(LEAVE, leave_url).replace(MANAGE, manage)
    return MailParts(html, text)
