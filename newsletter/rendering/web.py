"""A Document as the HTML of a web page or a feed."""

from collections.abc import Callable, Iterable
from html import escape

from bs4 import BeautifulSoup

from newsletter.rendering import merge
from newsletter.rendering.blocks import Block, Card
from newsletter.rendering.document import Document
from newsletter.rendering.outside import Outside

MediaUrl = Callable[[str], str]


def to_web(document: Document, greeting: str = "", media_url: MediaUrl = lambda path: path, outside: Outside | None = None) -> str:
    """HTML without anything personal: fields take their fallbacks (C5).

    Args:
        greeting: the publication's word, for those who are greeted without a name.
        media_url: turns ``/media/name.jpg`` into the address that the page can load.
    """
    html = _blocks(document.blocks, media_url, outside or Outside())
    return merge.fill_html(html, merge.values_of("", greeting))


def _blocks(blocks: Iterable[Block], media_url: MediaUrl, outside: Outside) -> str:
    parts = (_special(block, media_url, outside) if block.kind in SPECIAL else _block(block, media_url) for block in blocks)
    return "\n".join(part for part in parts if part)


SPECIAL = {"callout", "columns", "mail", "web", "reply", "poll", "more", "share", "card"}


def _special(block: Block, media_url: MediaUrl, outside: Outside) -> str:
    """The blocks that Markdown lacks."""
    inside = [_blocks(part, media_url, outside) for part in block.parts]
    match block.kind:
        case "callout":
            title = f'<p class="title">{block.label}</p>' if block.label else ""
            return f'<aside class="callout">{title}{inside[0]}</aside>'
        case "columns":
            return '<div class="columns">' + "".join(f"<div>{part}</div>" for part in inside) + "</div>"
        case "web":
            return inside[0]
        case "reply":
            # A reader of the page has no mail to answer; the address is the one that the imprint shows by law.
            label = block.label or escape(outside.speech("Write back"))
            link = f'<p><a class="button" href="{escape(outside.reply_to)}">{label}</a></p>' if outside.reply_to else ""
            return f'<aside class="reply">{inside[0]}{link}</aside>'
        case "poll":
            choices = enumerate(block.options, 1)
            answers = "".join(f'<li><a href="{escape(outside.poll(block.number, number))}">{escape(option)}</a></li>' for number, option in choices)
            return f'<aside class="poll"><p class="title">{block.html}</p><ul>{answers}</ul></aside>'
        case "more":
            return '<div id="weiter"></div>'
        case "share":
            links = " · ".join(f'<a href="{escape(address)}">{escape(label)}</a>' for label, address in outside.shares())
            return f'<p class="share">{escape(block.label or outside.speech("Hand it on:"))} {links}</p>' if links else ""
        case "card" if block.card:
            return _card(block.card, media_url)
        case _:
            return ""


def _card(card: Card, media_url: MediaUrl) -> str:
    image = f'<img src="{escape(media_url(card.src))}" alt="{escape(card.alt)}" loading="lazy">' if card.src else ""
    summary = f"<p>{escape(card.summary)}</p>" if card.summary else ""
    title = f'<p class="title"><a href="{escape(card.address)}">{escape(card.title)}</a></p>'
    return f'<aside class="card">{image}<p class="line">{escape(card.line)}</p>{title}{summary}</aside>'


def _block(block: Block, media_url: MediaUrl) -> str:
    match block.kind:
        case "heading":
            anchor = f' id="{escape(block.label)}"' if block.label else ""
            return f"<h{block.level}{anchor}>{block.html}</h{block.level}>"
        case "rule":
            return "<hr>"
        case "button":
            quiet = " quiet" if block.quiet else ""
            return f'<p><a class="button{quiet}" href="{escape(block.href)}">{block.html}</a></p>'
        case "image":
            return _figure(block, media_url)
        case "table":
            return f'<div class="scroll" role="region" tabindex="0">{block.html}</div>'
        case "quote" if block.caption:
            return f'<figure class="quote">{_with_media(block.html, media_url)}<figcaption>– {block.caption}</figcaption></figure>'
        case "notes":
            return f'<section class="notes">{block.html}</section>'
        case _:
            return _with_media(block.html, media_url)


def _figure(block: Block, media_url: MediaUrl) -> str:
    size = f' width="{block.width}" height="{block.height}"' if block.width else ""
    image = f'<img src="{escape(media_url(block.src))}" alt="{escape(block.alt)}"{size} loading="lazy">'
    if block.href:
        image = f'<a href="{escape(block.href)}">{image}</a>'
    credit = f"<small>{escape(block.credit)}</small>" if block.credit else ""
    words = " ".join(part for part in (escape(block.caption), credit) if part)
    caption = f"<figcaption>{words}</figcaption>" if words else ""
    return f"<figure>{image}{caption}</figure>"


def _with_media(html: str, media_url: MediaUrl) -> str:
    if "<img" not in html:
        return html
    soup = BeautifulSoup(html, "html.parser")
    for image in soup.find_all("img"):
        image["src"] = media_url(str(image["src"]))
    return str(soup)
