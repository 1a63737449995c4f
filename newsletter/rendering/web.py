"""A Document as the HTML of a web page or a feed."""

from collections.abc import Callable
from html import escape

from bs4 import BeautifulSoup

from newsletter.rendering import merge
from newsletter.rendering.document import Block, Document


def to_web(document: Document, greeting: str = "", media_url: Callable[[str], str] = lambda path: path) -> str:
    """HTML without anything personal: fields take their fallbacks (C5).

    Args:
        greeting: the publication's word, for those who are greeted without a name.
        media_url: turns ``/media/name.jpg`` into the address that the page can load.
    """
    parts = [_block(block, media_url) for block in document.blocks]
    return merge.fill_html("\n".join(parts), merge.values_of("", greeting))


def _block(block: Block, media_url: Callable[[str], str]) -> str:
    match block.kind:
        case "heading":
            anchor = f' id="{escape(block.label)}"' if block.label else ""
            return f"<h{block.level}{anchor}>{block.html}</h{block.level}>"
        case "rule":
            return "<hr>"
        case "button":
            return f'<p><a class="button" href="{escape(block.href)}">{block.html}</a></p>'
        case "image":
            return _figure(block, media_url)
        case "table":
            return f'<div class="scroll" role="region" tabindex="0">{block.html}</div>'
        case "notes":
            return f'<section class="notes">{block.html}</section>'
        case _:
            return _with_media(block.html, media_url)


def _figure(block: Block, media_url: Callable[[str], str]) -> str:
    size = f' width="{block.width}" height="{block.height}"' if block.width else ""
    image = f'<img src="{escape(media_url(block.src))}" alt="{escape(block.alt)}"{size} loading="lazy">'
    if block.href:
        image = f'<a href="{escape(block.href)}">{image}</a>'
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    return f"<figure>{image}{caption}</figure>"


def _with_media(html: str, media_url: Callable[[str], str]) -> str:
    if "<img" not in html:
        return html
    soup = BeautifulSoup(html, "html.parser")
    for image in soup.find_all("img"):
        image["src"] = media_url(str(image["src"]))
    return str(soup)
