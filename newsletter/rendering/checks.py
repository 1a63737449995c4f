"""Links and images that must not go out as they are."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from newsletter.rendering.cautions import is_placeholder, is_private, line_of
from newsletter.rendering.findings import Finding
from newsletter.rendering.markup import Element

MEDIA = re.compile(r"/media/[A-Za-z0-9_-]{8,50}\.(?:jpg|png|gif|webp)")


class Picture(NamedTuple):
    """What is known about an uploaded image: its size in pixels."""

    width: int
    height: int


def check_links(root: Element, source: str) -> list[Finding]:
    findings = []
    for link in root.elements("a"):
        href = link.get("href")
        if "{{" in href or "%7B%7B" in href:
            findings.append(
                Finding("merge-in-link", "error", "A field cannot stand in the address of a link.", "Write the address out.", line_of(source, href[:40]))
            )
        elif not href and not link.get("id"):
            findings.append(
                Finding(
                    "link-unusable",
                    "error",
                    "The link “%(label)s” leads nowhere.",
                    "An address begins with https://, mailto: or tel:.",
                    line_of(source, f"[{link.text()}"),
                    {"label": link.text()[:60]},
                )
            )
        elif href.startswith("http") and is_private(urlsplit(href).hostname or ""):
            findings.append(
                Finding(
                    "link-private",
                    "error",
                    "%(address)s can only be opened on your own machine.",
                    "Use the public address.",
                    line_of(source, href),
                    {"address": href[:80]},
                )
            )
        elif href.startswith("http") and is_placeholder(urlsplit(href).hostname or ""):
            text, fix = "%(address)s is an address from a sample; it leads nowhere.", "Write the address that you mean."
            findings.append(Finding("link-placeholder", "error", text, fix, line_of(source, href), {"address": href[:80]}))
    return findings


def check_images(root: Element, source: str, pictures: Mapping[str, Picture] | None) -> list[Finding]:
    findings = []
    for image in list(root.elements("img")):
        src = image.get("src")
        name = src.rpartition("/")[2]
        if not MEDIA.fullmatch(src):
            # L13: a foreign picture would tell its host who reads, and when.
            text, fix = "The image %(address)s lies on somebody else's server.", "Upload it here; then nobody can see who reads."
            findings.append(Finding("image-foreign", "error", text, fix, line_of(source, src), {"address": src[:80]}))
            root.without(image)
        elif pictures is not None and name not in pictures:
            findings.append(
                Finding("image-missing", "error", "The image %(address)s does not exist.", "Upload it once more.", line_of(source, src), {"address": src})
            )
            root.without(image)
        elif not image.get("alt").strip():
            text, fix = "An image has no description.", "Say in a few words what it shows, for people who do not see it."
            findings.append(Finding("image-alt", "warning", text, fix, line_of(source, src)))
    return findings


def without_code(source: str) -> str:
    """The source with code blanked out, line by line, so that positions stay true."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group(0))

    source = re.sub(r"(?ms)^(```|~~~).*?^\1", blank, source)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", blank, source)
