"""Golden mails: every block in every layout. ``make golden`` writes them anew; whoever does reads what changed."""

import re
from pathlib import Path

from newsletter.rendering.document import make_document
from newsletter.rendering.look import LAYOUTS, Look
from newsletter.rendering.mail import Frame, MailParts, to_mail
from newsletter.rendering.outside import Outside
from newsletter.rendering.showcase import CARDS, PICTURES, SNIPPETS, everything
from newsletter.rendering.web import to_web

FOLDER = Path(__file__).with_name("golden")
OUTSIDE = Outside("de", "Alles auf einmal", "https://saat.example/alles/", "mira@saat.example", lambda poll, option: f"https://saat.example/v/{poll}/{option}")


def look(layout: str) -> Look:
    """A look with everything in it."""
    return Look(layout, "#2f5470", "#fbf9f4", "serif", "https://saat.example/media/logo.png", 120, ("Gedruckt auf nichts.",))


def mail(layout: str) -> MailParts:
    """The mail with every block."""
    frame = Frame(
        "de", "Der Saatbrief", "aus dem Garten", "Nr. 1 · heute", "Weil du es wolltest.", "Abbestellen", "Pause", "Im Archiv lesen",
        OUTSIDE.address, ("Mira Lindner · Am Anger 4 · 02625 Bautzen",), look(layout), OUTSIDE,
    )  # fmt: skip
    return to_mail(document(), "Alles auf einmal", "Jeder Baustein", frame, lambda path: f"https://saat.example{path}")


def document():
    return make_document(everything("de"), "de", PICTURES, SNIPPETS, CARDS)


def files() -> dict[str, str]:
    """What each golden file should say; a tag on its own line, so that a change can be read."""
    found = {f"{layout}.html": re.sub(r">\s*<", ">\n<", mail(layout).html) + "\n" for layout in LAYOUTS}
    return found | {"letter.txt": mail("letter").text, "web.html": to_web(document(), "Hallo", outside=OUTSIDE) + "\n"}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
