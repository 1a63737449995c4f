"""The letter as it is seen: subject, colours, size, both of its bodies."""

import re
import unicodedata

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, Tag

from newsletter.mail.spamd import Report
from newsletter.rendering.findings import Finding
from newsletter.rendering.look import ENOUGH, contrast, inverted, is_colour

LONG_SUBJECT = 60
MOST_EMOJI = 2
# F13: from here on it is time to think about it; Gmail cuts at about 102 000 bytes.
HEAVY, TOO_HEAVY = 80_000, 100_000
FEW_WORDS = 500
# Score at which SpamAssassin's default (5) is near.
SPAMMY = 3.0


def check_subject(subject: str) -> list[Finding]:
    """What filters and people do not like in a subject."""
    found = []
    letters = [letter for letter in subject if letter.isalpha()]
    if len(subject) > LONG_SUBJECT:
        text, fix = "The subject has %(n)s characters; most programs show about %(limit)s.", "Say the important part first, or shorten it."
        found.append(Finding("subject-long", "warning", text, fix, values={"n": len(subject), "limit": LONG_SUBJECT}))
    if len(letters) > 5 and sum(letter.isupper() for letter in letters) > 0.7 * len(letters):
        text, fix = "The subject is written in capitals.", "Write it as you would say it."
        found.append(Finding("subject-capitals", "warning", text, fix))
    if subject.count("!") > 1:
        text, fix = "The subject has %(n)s exclamation marks.", "One is enough."
        found.append(Finding("subject-exclaims", "warning", text, fix, values={"n": subject.count("!")}))
    if emoji_in(subject) > MOST_EMOJI:
        text, fix = "The subject has %(n)s emoji.", "Two at most."
        found.append(Finding("subject-emoji", "warning", text, fix, values={"n": emoji_in(subject)}))
    if re.match(r"\s*(?:re|aw|wg|fwd?|antw)\s*:", subject, re.IGNORECASE):
        text, fix = "The subject pretends to be an answer.", "Take the beginning away."
        found.append(Finding("subject-answer", "warning", text, fix))
    return found


def emoji_in(text: str) -> int:
    """How many pictures a text has: symbols beyond the letters, each family or flag counted once."""
    joined = re.sub("\u200d.", "", text)
    return sum(1 for letter in joined if ord(letter) > 0x2190 and unicodedata.category(letter) == "So" and not 0x1F3FB <= ord(letter) <= 0x1F3FF)


def check_size(size: int) -> list[Finding]:
    """F13: the size of the HTML in bytes."""
    if size >= TOO_HEAVY:
        text, fix = "The mail has %(size)s kB; Gmail cuts off what is beyond 100.", "Shorten the text, or link to the rest."
        return [Finding("mail-too-large", "error", text, fix, values={"size": size // 1000})]
    if size >= HEAVY:
        text, fix = "The mail has %(size)s kB; at 100 Gmail begins to cut.", "There is room for a few paragraphs more, not for many."
        return [Finding("mail-large", "warning", text, fix, values={"size": size // 1000})]
    return []


def check_html(html: str, plain: str) -> list[Finding]:
    """What only the finished mail tells."""
    if not html:
        return []
    soup = BeautifulSoup(html, "html.parser")
    found = []
    if soup.html is None or not soup.html.get("lang"):
        found.append(Finding("lang-missing", "warning", "The mail does not say in which language it is.", "Choose the language of the letter in the settings."))
    found += _contrast(soup)
    words = visible(soup)
    pictures = [image for image in soup.find_all("img") if image.get("alt") is not None]
    if pictures and len(words) < FEW_WORDS:
        text, fix = (
            "The letter is made of pictures and has only %(n)s characters of text.",
            "Write what the pictures say: half of all programs do not load them.",
        )
        found.append(Finding("text-little", "warning", text, fix, values={"n": len(words)}))
    # The text part says in words what a picture shows.
    found += _drift(" ".join([words, *(str(image.get("alt", "")) for image in pictures)]), plain)
    return found


def visible(soup: BeautifulSoup) -> str:
    """The text of a mail, without its head and what only some programs see."""
    parts = [str(node) for node in soup.find_all(string=True) if not isinstance(node, Comment) and not node.find_parent(["style", "title", "head", "script"])]
    return " ".join(" ".join(parts).split())


def _contrast(soup: BeautifulSoup) -> list[Finding]:
    """WCAG 2.2 §1.4.3 in light, and as it is where a program turns the colours over by itself."""
    worst: dict[tuple[str, str], float] = {}
    for node in soup.find_all(string=True):
        if isinstance(node, NavigableString) and not isinstance(node, Comment) and node.strip() and node.find_parent("body") is not None:
            pair = _colours(node.parent)
            if pair and not node.find_parent(style=re.compile(r"display:\s*none|max-height:\s*0")):
                worst[pair] = contrast(*pair)
    found = []
    for (ink, ground), ratio in sorted(worst.items(), key=lambda item: item[1]):
        turned = contrast(inverted(ink), inverted(ground))
        if ratio < ENOUGH:
            text, fix = (
                "%(ink)s on %(ground)s is hard to read: a contrast of %(ratio)s, and 4.5 is needed.",
                "Choose a darker accent or a lighter paper for your letters.",
            )
            return [Finding("contrast-light", "warning", text, fix, values={"ink": ink, "ground": ground, "ratio": round(ratio, 1)})]
        if turned < ENOUGH:
            text, fix = "Turned dark, %(ink)s on %(ground)s is hard to read: a contrast of %(ratio)s.", "Choose an accent that is further away from its paper."
            found.append(Finding("contrast-dark", "warning", text, fix, values={"ink": ink, "ground": ground, "ratio": round(turned, 1)}))
    return found[:1]


def _colours(node: Tag | None) -> tuple[str, str] | None:
    ink = ground = ""
    while isinstance(node, Tag) and not (ink and ground):
        style = str(node.get("style", ""))
        ink = ink or _colour(style, r"(?:^|;)\s*color\s*:\s*(#\w+)")
        ground = ground or _colour(style, r"background(?:-color)?\s*:\s*(#\w+)") or _colour(f"x:{node.get('bgcolor', '')}", r"x:(#\w+)")
        node = node.parent
    return (ink, ground or "#ffffff") if ink else None


def _colour(style: str, pattern: str) -> str:
    found = re.search(pattern, style)
    return found.group(1).lower() if found and is_colour(found.group(1).lower()) else ""


def _drift(html_words: str, plain: str) -> list[Finding]:
    """F3: both bodies say the same. SpamAssassin asks that, too (MPART_ALT_DIFF)."""
    if not plain:
        return []
    text = re.sub(r"https?://\S+|mailto:\S+", "", plain)
    one, other = (set(re.findall(r"[^\W\d_]{4,}", part.lower())) for part in (html_words, text))
    alike = len(one & other) / max(1, len(one | other))
    if alike >= 0.75 or len(one | other) < 12:
        return []
    text, fix = (
        "The text part says something else than the mail: of 100 words only %(percent)s are the same.",
        "Take long passages out of “only in the mail” blocks.",
    )
    return [Finding("text-part-differs", "warning", text, fix, values={"percent": round(100 * alike)})]


def check_dead_links(dead: tuple[tuple[str, str], ...]) -> list[Finding]:
    """Addresses that did not answer when somebody asked them."""
    text, fix = "%(address)s does not answer: %(why)s", "Open it yourself; perhaps a character got lost."
    return [Finding("link-dead", "warning", text, fix, values={"address": address[:200], "why": why}) for address, why in dead]


def check_spam(report: Report | None) -> list[Finding]:
    """What SpamAssassin thinks, where it is there."""
    if report is None or report.score < SPAMMY:
        return []
    rules = ", ".join(rule for rule in report.rules if rule not in ("NO_RELAYS", "NO_RECEIVED"))[:200]
    text, fix = "SpamAssassin gives the letter %(score)s points; from 5 on it counts as spam.", "What it does not like: %(rules)s."
    return [Finding("spam-score", "warning", text, fix, values={"score": report.score, "rules": rules})]
