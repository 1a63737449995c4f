"""Counted links: which link, never who (L8)."""

from newsletter.rendering.counting import counted
from newsletter.rendering.mail import LEAVE, MailParts

BASE = "https://briefe.example"


def test_outward_links_are_counted_and_our_own_are_not() -> None:
    html = f'<a href="https://a.example/?x=1&amp;y=2">A</a><a href="{BASE}/v/x">V</a><a href="{LEAVE}">L</a>'
    html += '<a href="https://a.example/?x=1&amp;y=2">A</a><a href="mailto:x@a.example">M</a>'
    text = f"A [1]\n\n[1] https://a.example/?x=1&y=2\n{BASE}/v/x\n{LEAVE}"
    parts, targets = counted(MailParts(html, text), BASE, lambda number: f"{BASE}/c/{number}")
    assert targets == ["https://a.example/?x=1&y=2"]
    assert parts.html.count(f'href="{BASE}/c/0"') == 2
    assert f'href="{BASE}/v/x"' in parts.html
    assert LEAVE in parts.html
    assert f"[1] {BASE}/c/0\n{BASE}/v/x" in parts.text


def test_a_letter_without_links_has_none() -> None:
    parts, targets = counted(MailParts("<p>x</p>", "x"), BASE, str)
    assert (parts, targets) == (MailParts("<p>x</p>", "x"), [])
