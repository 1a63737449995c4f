"""Links of a letter whose clicks are counted, for those alone who have agreed to it (L8). Which link was followed, never by whom."""

import re
from collections.abc import Callable
from html import escape, unescape

from newsletter.rendering.mail import LEAVE, MANAGE, MailParts

_HREF = re.compile(r'href="(https?://[^"]+)"')
_PLAIN = re.compile(r"https?://[^\s<>\]]+")


def counted(parts: MailParts, base: str, address: Callable[[int], str]) -> tuple[MailParts, list[str]]:
    """The bodies with counted links, and where each of them leads, in order.

    Links of our own (leaving, the archive here, answers of polls) stay as they are.

    Args:
        address: what counts the link of a number, from 0. The same for everybody: no link tells who follows it.
    """
    targets: list[str] = []

    def number(target: str) -> int:
        if target not in targets:
            targets.append(target)
        return targets.index(target)

    def in_html(found: re.Match[str]) -> str:
        target = unescape(found.group(1))
        return found.group(0) if _is_ours(target, base) else f'href="{escape(address(number(target)))}"'

    def in_text(found: re.Match[str]) -> str:
        target = found.group(0).rstrip(".,;:!?)")
        if _is_ours(target, base) or target not in targets:
            return found.group(0)
        return address(number(target)) + found.group(0)[len(target) :]

    html = _HREF.sub(in_html, parts.html)
    return MailParts(html, _PLAIN.sub(in_text, parts.text)), targets


def _is_ours(target: str, base: str) -> bool:
    return target == base or target.startswith(f"{base}/") or LEAVE in target or MANAGE in target
