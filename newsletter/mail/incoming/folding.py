"""What a person wrote herself, and what her program hung below it: quotes and signatures, in German and English.

The quote begins where a program says who wrote what when; each program has its own words for that, and they stay the
same for decades. Where two readings are possible the text is shown: a folded answer is worse than an open quote.
"""

import re
from html.parser import HTMLParser

LONGEST = 100_000

# "Am 13.11.2026 um 07:52 schrieb Jana:", "On Fri, Nov 13, 2026 at 7:52 AM Jana wrote:"; Gmail breaks such a line in two or three.
_WROTE = re.compile(
    r"^[ \t]*(?:"
    r"(?:am|on|le|el|il|op)\s[^\n]{6,160}(?:\n[^\n]{0,160}){0,2}?(?:schrieb|wrote|geschrieben|a .crit|escribi.|ha scritto|schreef)\b[^\n]{0,160}(?:\n[^\n]{0,120})?:[ \t]*$"
    r"|[^\n]{3,120}(?:schrieb|wrote) (?:am|on|um|at)\s[^\n]{6,120}:[ \t]*$"
    r"|[^\n]{3,120} <[^\n>]{3,120}> (?:schrieb|wrote)[^\n]{0,80}:[ \t]*$"
    r")",
    re.IGNORECASE | re.MULTILINE,
)
# Outlook: a line, or a block of fields.
_ORIGINAL = re.compile(
    r"^[ \t]*(?:-{2,}\s*(?:original message|urspr.ngliche nachricht|original-nachricht|originalnachricht|weitergeleitete nachricht|forwarded message|message d'origine)\s*-{2,}"
    r"|_{20,}|(?:begin forwarded message|anfang der weitergeleiteten (?:e-mail|nachricht)):?)[ \t]*$"
    r"|^[ \t>]*\*?(?:von|from):\*?[ \t][^\n]{3,200}\n(?:[ \t>]*[^\n]{0,200}\n){0,2}?[ \t>]*\*?(?:gesendet|sent|datum|date|an|to):\*?[ \t]"
    r"|^[ \t>]*(?:gesendet|sent):[ \t][^\n]{3,120}\n[ \t>]*(?:von|from):[ \t][^\n]{3,200}\n",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(r"^>.*(?:\n(?:>.*|[ \t]*))*\Z", re.MULTILINE)
# RFC 3676 §4.3: two hyphens and a space; many programs lose the space.
_SIGNATURE = re.compile(r"^(?:--[ \t]?|—)\n", re.MULTILINE)
_DEVICE = re.compile(
    r"^[ \t]*(?:(?:gesendet|versendet|gesandt|sent|von (?:unterwegs|meinem \w+) gesendet)\s(?:von|mit|from|using|with|via)\b[^\n]{2,80}|von meinem (?:i|samsung|android|huawei|xiaomi|mobil)[^\n]{0,60}|(?:holen sie sich |hol dir |get )outlook (?:for|f.r) [^\n]{2,60}"
    r"|diese nachricht wurde (?:von|mit)[^\n]{2,80}gesendet[^\n]{0,20}|(?:sent|gesendet) from [^\n]{2,60})[ \t.]*$",
    re.IGNORECASE | re.MULTILINE,
)
_LATE = 12  # lines below which a signature is no signature any more


def fold(text: str) -> tuple[str, str]:
    """What she wrote, and what stands below it.

    Where everything is quoted (she wrote between the lines, or below), nothing is folded.
    """
    text = text[:LONGEST].replace("\r\n", "\n").replace("\xa0", " ").strip("\n")
    at = min((found.start() for found in (_WROTE.search(text), _ORIGINAL.search(text)) if found), default=len(text))
    quoted = _QUOTED.search(text)
    if quoted is not None:
        at = min(at, quoted.start())
    own, rest = text[:at], text[at:]
    if not own.strip() or (rest and _answers_below(rest)):
        own, rest = text, ""
    own, signature = _signature(own)
    return own.strip("\n").rstrip(), "\n\n".join(one.strip("\n") for one in (signature, rest) if one.strip())


def _answers_below(rest: str) -> bool:
    """Whether there are words of her own after the quote or between it (RFC 3676 §4.5 calls it interleaved)."""
    lines = rest.split("\n")
    quoted = [number for number, line in enumerate(lines) if line.startswith(">")]
    if not quoted:
        return False
    after = [line for line in lines[quoted[0] :] if line.strip() and not line.startswith(">")]
    words = "\n".join(after)
    signature = _SIGNATURE.search(words + "\n")
    words = words[: signature.start()] if signature else words
    return len(_DEVICE.sub("", words).split()) > 3


def _signature(own: str) -> tuple[str, str]:
    marks = list(_SIGNATURE.finditer(own + "\n"))
    if marks and own[marks[-1].end() :].count("\n") < _LATE and own[: marks[-1].start()].strip():
        return own[: marks[-1].start()], own[marks[-1].start() :]
    device = next(iter([*_DEVICE.finditer(own)][::-1]), None)
    if device is not None and not own[device.end() :].strip() and own[: device.start()].strip():
        return own[: device.start()], own[device.start() :]
    return own, ""


_BLOCKS = {"p", "div", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "section", "article", "header", "footer", "center"}
_SILENT = {"style", "script", "title", "head", "template", "noscript", "object", "svg"}


class _Reader(HTMLParser):
    """HTML as the text that a person sees; quotes get the mark that they have in text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.depth = 0
        self.silent = 0
        self.gap = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _SILENT:
            self.silent += 1
        elif tag == "blockquote":
            self._new_line(1)
            self.depth = min(self.depth + 1, 20)
        elif tag == "br":
            self.lines.append("")
        elif tag == "hr":
            self._new_line(0)
            self._write("_" * 32)
            self._new_line(0)
        elif tag == "li":
            self._new_line(0)
            self._write("– ")
        elif tag in _BLOCKS:
            self._new_line(1 if tag == "p" else 0)
            if (given.get("id") or "") in ("appendonsend", "divRplyFwdMsg", "reply-intro") and any(self.lines):
                # Outlook on the web marks with these where its quote begins.
                self._write("_" * 32)
                self._new_line(0)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "blockquote":
            self._new_line(1)
            self.depth = max(0, self.depth - 1)
        elif tag in _BLOCKS:
            self._new_line(1 if tag == "p" else 0)

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        if "\xa0" in data and not data.strip():
            # What some programs write for an empty line.
            self._new_line(1)
        else:
            self._write(re.sub(r"[ \t\r\n\xa0]+", " ", data))

    def _write(self, words: str) -> None:
        if not self.lines[-1].strip("> "):
            words = words.lstrip(" ")
            if words:
                self.lines[-1] = ">" * self.depth + (" " if self.depth else "")
        self.lines[-1] += words

    def _new_line(self, gap: int) -> None:
        if self.lines[-1].strip("> "):
            self.lines.append("")
            self.gap = 0
        if gap and len(self.lines) > 1 and self.lines[-2].strip("> "):
            self.lines.append("")


def text_of(markup: str) -> str:
    """The words of an HTML mail. Nothing is loaded, and nothing in it is believed."""
    reader = _Reader()
    reader.feed(markup[: LONGEST * 5])
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in reader.lines)).strip("\n")
