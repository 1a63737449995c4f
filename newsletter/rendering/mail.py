"""A Document as a mail: MJML through a layout of ours, HTML, and the text beside it.

People never write MJML (C2). Three faults of the MJML library are worked around here: attribute values
are unescaped once before they are printed, so they are escaped twice; a missing font would load one from
a foreign host, so every layout sets one; broken widths are rounded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape

from bs4 import BeautifulSoup
from bs4.element import Tag
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from mjml import mjml_to_html

from newsletter.links import manage_url
from newsletter.rendering import merge
from newsletter.rendering.document import Document
from newsletter.rendering.text import to_text
from newsletter.resources import directory

# F13: Gmail cuts a mail off at about 102 KB of HTML, and with it the unsubscribe link.
LARGEST_HTML = 100_000

STYLES = {
    "a": "color:#2f5470",
    "blockquote": "margin:0;border-left:2px solid #2f5470;padding-left:18px;font-style:italic",
    "ul": "margin:0;padding-left:22px",
    "ol": "margin:0;padding-left:24px",
    "li": "margin:0 0 6px",
    "code": "font-family:Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:15px",
    "pre": "margin:0;white-space:pre-wrap;font-family:Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:14px;line-height:21px",
    "th": "padding:0 12px 6px 0;border-bottom:1px solid #857c6e;font-weight:600",
    "td": "padding:8px 12px 8px 0;border-bottom:1px solid #ddd7ca",
    "sup": "font-size:12px;line-height:1",
    "img": "max-width:100%;height:auto",
}


@dataclass(frozen=True)
class Frame:
    """What stands around the text of an issue. ``{leave}`` in an address becomes the reader's own."""

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


@dataclass(frozen=True)
class MailParts:
    """The two bodies of a mail, fields still marked, the leave address still open."""

    html: str
    text: str


LEAVE = "\ue010leave\ue011"
MANAGE = "\ue010manage\ue011"


def to_mail(document: Document, subject: str, preheader: str, frame: Frame, media_url: Callable[[str], str]) -> MailParts:
    """Render once for all recipients; :func:`newsletter.rendering.merge.fill` does the rest."""
    template = _environment().get_template("letter/issue.mjml")
    source = template.render(
        blocks=[(block, _dressed(block.html, media_url)) for block in document.blocks],
        subject=subject,
        preheader=preheader,
        frame=frame,
        leave=LEAVE,
        manage=MANAGE,
        media_url=media_url,
    )
    html = re.sub(r'(\d+\.\d{3,})(?=px|")', lambda found: str(round(float(found.group(1)), 2)), mjml_to_html(source).html)
    return MailParts(html, _text(document, subject, frame))


def _text(document: Document, subject: str, frame: Frame) -> str:
    head = f"{frame.name}{' ' + frame.byline if frame.byline else ''}\n{frame.date_line}\n\n{subject}"
    foot = [
        frame.why,
        f"{frame.leave_label}:\n{LEAVE}",
        f"{frame.manage_label}:\n{MANAGE}",
        f"{frame.archive_label}:\n{frame.archive_url}",
        "\n".join(frame.imprint),
    ]
    return f"{head}\n\n{to_text(document)}\n\n-- \n" + "\n\n".join(part for part in foot if part) + "\n"


def _dressed(html: str, media_url: Callable[[str], str]) -> Markup:
    """Give each element the style that it needs in a mail, where style sheets get lost."""
    soup = BeautifulSoup(html, "html.parser")
    for node in soup.find_all(True):
        if isinstance(node, Tag):
            _dress(node, media_url)
    return Markup(soup.decode(formatter="minimal"))  # noqa: S704 -- nh3 cleaned it in make_document


def _dress(node: Tag, media_url: Callable[[str], str]) -> None:
    for attribute in ("id", "class", "tabindex", "role"):
        if attribute in node.attrs:
            del node[attribute]
    if node.name == "a" and str(node.get("href", "")).startswith("#"):
        # Anchors within a mail do not work in most clients.
        node.unwrap() if node.get_text() != "↩" else node.decompose()
        return
    if node.name == "img":
        node["src"] = media_url(str(node["src"]))
    style = STYLES.get(node.name)
    if style:
        node["style"] = style


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
