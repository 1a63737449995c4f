"""The styles that each element needs in a mail, where style sheets get lost.

Gmail drops <style> for accounts of other providers and for mails that it cuts off; Outlook on Windows lays out with
Word, which knows margins and borders of paragraphs but hardly anything else. So every element carries its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from newsletter.rendering.look import SANS, Look
from newsletter.rendering.markup import Element, parse

MONO = "Menlo,Consolas,'DejaVu Sans Mono',monospace"


@dataclass(frozen=True)
class Type:
    """Sizes of one layout, in pixels."""

    body: int = 18
    line: int = 28
    gap: int = 16
    heading: int = 24
    heading_line: int = 30
    heading_above: int = 30
    small: int = 15
    title: int = 36
    title_line: int = 42
    heading_rule: bool = False
    heading_sans: bool = False


TYPES = {
    "letter": Type(),
    "magazine": Type(body=17, line=27, heading=27, heading_line=32, heading_above=38, title=44, title_line=48, heading_rule=True),
    "digest": Type(body=16, line=25, gap=13, heading=20, heading_line=26, heading_above=28, small=14, title=28, title_line=34, heading_sans=True),
    "plain": Type(body=16, line=25, gap=14, heading=17, heading_line=25, heading_above=22, small=14, title=0, title_line=0),
}


def styles(look: Look) -> dict[str, str]:
    """The style of each element in a layout."""
    type_ = TYPES[look.layout]
    sans = SANS if type_.heading_sans else look.family
    rule = f"border-top:3px solid {look.accent};padding-top:14px;" if type_.heading_rule else ""
    small = f"font-size:{type_.small}px;line-height:{type_.small + 8}px"
    return {
        "a": f"color:{look.link}",
        "p": f"margin:0 0 {type_.gap}px",
        "h2": f"margin:{type_.heading_above}px 0 10px;{rule}font-family:{sans};font-size:{type_.heading}px;line-height:{type_.heading_line}px;font-weight:600",
        "h3": f"margin:{type_.heading_above - 6}px 0 8px;font-family:{sans};font-size:{type_.body + 1}px;line-height:{type_.line}px;font-weight:600",
        "h4": f"margin:{type_.heading_above - 10}px 0 6px;font-family:{sans};font-size:{type_.body}px;line-height:{type_.line}px;font-weight:600",
        "blockquote": f"margin:8px 0 {type_.gap + 8}px;border-left:3px solid {look.accent};padding-left:18px;font-style:italic",
        "ul": f"margin:0 0 {type_.gap}px;padding-left:22px",
        "ol": f"margin:0 0 {type_.gap}px;padding-left:24px",
        "li": "margin:0 0 6px",
        "dl": f"margin:0 0 {type_.gap}px",
        "dt": "font-weight:600",
        "dd": "margin:0 0 8px 18px",
        "cite": f"display:block;margin:0 0 {type_.gap}px;font-style:normal;{small}",
        "code": f"font-family:{MONO};font-size:.86em",
        "pre": f"margin:0;padding:14px 18px;background-color:#f3efe6;white-space:pre-wrap;font-family:{MONO};font-size:14px;line-height:21px",
        "th": "padding:0 12px 6px 0;border-bottom:1px solid #857c6e;font-weight:600;text-align:left;vertical-align:top",
        "td": "padding:8px 12px 8px 0;border-bottom:1px solid #ddd7ca;text-align:left;vertical-align:top",
        "sup": "font-size:12px;line-height:1",
        "img": "max-width:100%;height:auto",
    }


def dress(html: str, dresses: dict[str, str], media_url: Callable[[str], str]) -> Markup:
    """HTML in which every element has the style that it needs."""
    root = parse(html)
    _dress(root, dresses, media_url)
    return Markup(root.inner())  # noqa: S704 -- nh3 cleaned it in make_document


def _dress(parent: Element, dresses: dict[str, str], media_url: Callable[[str], str]) -> None:
    kept: list[Element | str] = []
    for child in parent.children:
        if isinstance(child, str):
            kept.append(child)
            continue
        _dress(child, dresses, media_url)
        for attribute in ("id", "class", "credit", "foto"):
            child.attributes.pop(attribute, None)
        if child.name == "a" and child.get("href").startswith("#"):
            # Anchors within a mail do not work in most clients.
            kept += [] if child.text() == "↩" else child.children
            continue
        if child.name == "a" and not child.get("href"):
            kept += child.children
            continue
        if child.name == "img":
            child.attributes["src"] = media_url(child.get("src"))
        if child.name in dresses:
            child.attributes["style"] = dresses[child.name]
        kept.append(child)
    parent.children = kept
    if kept and parent.name in ("blockquote", "li", "td", "th", "dd"):
        _without_last_margin(parent)


def _without_last_margin(parent: Element) -> None:
    last = next((child for child in reversed(parent.children) if isinstance(child, Element) or child.strip()), None)
    if isinstance(last, Element) and last.name in ("p", "ul", "ol"):
        parts = last.get("style").split(";")
        last.attributes["style"] = ";".join("margin:0" if part.startswith("margin:") else part for part in parts)
