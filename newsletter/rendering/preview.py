"""How a mail looks under conditions that a browser does not have by itself: dark, turned over, without pictures, as one line."""

import re
from dataclasses import dataclass
from html import escape

from newsletter.rendering.mail import MailParts

MEDIA = ("mail", "dark", "inverted", "bare", "text", "web", "feed", "card", "inbox")

# Gmail on the iPhone and Outlook on Windows turn colours over themselves and ask nobody; pictures stay as they are.
_TURNED = "<style>html{background:#fff;filter:invert(1) hue-rotate(180deg)}img{filter:invert(1) hue-rotate(180deg)}</style>"
_BARE = (
    "<style>.no-picture{display:inline-block;box-sizing:border-box;max-width:100%;padding:10px 14px;border:1px dashed #857c6e;"
    "font:14px/1.4 Arial,sans-serif;color:#57524a;background:#f3efe6}</style>"
)


def as_dark(html: str) -> str:
    """As a program shows it that keeps to prefers-color-scheme: Apple Mail, Thunderbird. A frame cannot change what it prefers."""
    return html.replace("@media (prefers-color-scheme: dark)", "@media all").replace('content="light dark"', 'content="dark"')


def inverted(html: str) -> str:
    """As a program shows it that turns light colours dark by itself. What is said for dark mode does not count there."""
    return html.replace("</head>", f"{_TURNED}</head>", 1)


def without_images(html: str) -> str:
    """As it looks until somebody loads pictures: half of all programs ask first."""
    html = re.sub(r"<img\b[^>]*>", _words_of, html)
    return html.replace("</head>", f"{_BARE}</head>", 1)


def _words_of(image: re.Match[str]) -> str:
    alt = re.search(r'alt="([^"]*)"', image.group(0))
    return f'<span class="no-picture">{alt.group(1)}</span>' if alt and alt.group(1) else ""


def page_of_text(parts: MailParts, language: str) -> str:
    """The plain part, as a program without HTML shows it."""
    style = (
        "body{margin:0;padding:24px;font:15px/1.5 ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;background:#fffefb;color:#1d1b18}"
        "pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}"
        "@media (prefers-color-scheme:dark){body{background:#211f1c;color:#ebe6db}}"
    )
    head = f'<meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Text</title><style>{style}</style>'
    return f'<!doctype html><html lang="{escape(language)}"><head>{head}</head><body><pre>{escape(parts.text)}</pre></body></html>'


@dataclass(frozen=True)
class Client:
    """How much of a line a program shows, in characters. Screens differ; these are what is usual."""

    name: str
    screen: str
    sender: int
    subject: int
    preheader: int


# GMX and WEB.DE show no preview text in the browser; Apple Mail shows two lines of it.
CLIENTS = (
    Client("GMX, WEB.DE", "computer", 28, 70, 0),
    Client("GMX, WEB.DE", "phone", 30, 40, 42),
    Client("Gmail", "computer", 20, 70, 110),
    Client("Gmail", "phone", 30, 38, 42),
    Client("Apple Mail", "computer", 30, 52, 110),
    Client("Apple Mail", "phone", 28, 38, 82),
    Client("Outlook", "computer", 30, 50, 55),
)


@dataclass(frozen=True)
class Line:
    """What one program shows in the list of mails."""

    client: Client
    sender: str
    subject: str
    preheader: str

    @property
    def whole(self) -> bool:
        """Whether the subject is not cut."""
        return not self.subject.endswith("…")


def lines(sender: str, subject: str, preheader: str) -> list[Line]:
    """The line of a mail in each program. Where the subject is short, the preview text gets what it leaves."""
    found = []
    for client in CLIENTS:
        spare = max(0, client.subject - len(subject)) if client.screen == "computer" and client.preheader else 0
        found.append(Line(client, shorten(sender, client.sender), shorten(subject, client.subject), shorten(preheader, client.preheader + spare)))
    return found


def shorten(text: str, most: int) -> str:
    """A text of so many characters at most, its end told by an ellipsis."""
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rstrip()}…" if most > 1 else ""
