"""What a conversation is and when somebody waits. Decided without I/O."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta

SAME_MATTER = timedelta(days=30)
# A press of a button can be taken back for so long before the mail leaves.
TAKE_BACK = timedelta(seconds=20)
# RFC 5321 §6.3: a mail that has passed so many servers goes round in circles.
HOPS = 50
LONGEST_ANSWER = 50_000
PAGE = 30

_PREFIX = re.compile(r"^\s*(?:(?:re|aw|antw|antwort|sv|vs|fwd?|wg|wtr|tr)(?:\s*\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_WORD = re.compile(r"#?[^\W_][\w'’-]*", re.UNICODE)
_LEAVE = re.compile(
    r"\b(?:abmeld|abbestell|austrag|k(?:ü|ue)ndig|unsubscribe|opt[ -]?out|abo (?:beenden|k(?:ü|ue)ndigen)|newsletter (?:beenden|stornieren|stoppen))"
    r"|\b(?:keine|nicht)\b[^.!?\n]{0,30}\b(?:mails?|newsletter|briefe?|post|zuschriften)\b[^.!?\n]{0,20}"
    r"(?:mehr|weiter|zusenden|schicken)"
    r"|\b(?:aus|von) (?:dem|der|deinem|eurem|ihrem|deiner|eurer|ihrer) (?:verteiler|liste|mailingliste|newsletter)\b"
    r"|\b(?:remove|take) me\b|\bstop (?:sending|e-?mail|mail)|\bno (?:more|longer)\b[^.!?\n]{0,30}\b(?:e-?mails?|newsletters?)\b"
    r"|\bl(?:ö|oe)sch(?:e|en|t)\b[^.!?\n]{0,40}(?:adresse|daten|e-?mail)",
    re.IGNORECASE,
)


_FAREWELL = re.compile(
    r"(?:mit )?(?:viele|liebe|herzliche|beste|sch(?:ö|oe)ne|sonnige|freundliche[nr]?) gr(?:ü|ue)(?:ß|ss)e|gr(?:ü|ue)(?:ß|ss)e\b|herzlich|[lv]g\b"
    r"|best(?: regards)?\b|kind regards|cheers",
    re.IGNORECASE,
)


def base_subject(subject: str) -> str:
    """A subject without what programs put in front of it."""
    return _PREFIX.sub("", subject).strip().lower()


def answer_subject(subject: str) -> str:
    """The subject of an answer: one "Re:", which every program knows, and not a second one."""
    plain = _PREFIX.sub("", subject).strip()
    return f"Re: {plain}"[:200].rstrip() if plain else "Re:"


def wants_to_leave(subject: str, text: str) -> bool:
    """Whether a short mail seems to ask for no more letters. A person looks at it; nothing happens by itself."""
    own = f"{_PREFIX.sub('', subject)}\n{text}" if not _PREFIX.match(subject) else text
    return len(text.split()) <= 80 and bool(_LEAVE.search(own))


def words_of(*texts: str, most: int = 400) -> set[str]:
    """The words by which a text is found again."""
    found: set[str] = set()
    for text in texts:
        for match in _WORD.finditer(plain(text[:20_000])):
            word = match[0].strip("'’-")[:24]
            if len(word) > 1:
                found.add(word)
            if len(found) >= most:
                return found
    return found


def asked(query: str) -> list[str]:
    """What somebody searches for, word by word; at most eight."""
    return [word for word in dict.fromkeys(match[0].strip("'’-")[:24] for match in _WORD.finditer(plain(query[:200]))) if word][:8]


def plain(text: str) -> str:
    """Small letters without marks: who types "muehle" or "Mühle" means the same."""
    text = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def preview_of(text: str) -> str:
    """The first words of a mail, behind the greeting."""
    lines = [" ".join(line.split()) for line in text.split("\n") if line.strip()]
    end = next((number for number, line in enumerate(lines) if number and _FAREWELL.match(line)), len(lines))
    lines = lines[:end]
    greeting = len(lines) > 1 and len(lines[0]) < 40 and lines[0].endswith((",", "!"))
    words = " ".join(lines[1:] if greeting else lines)
    return words if len(words) <= 180 else words[:179].rsplit(" ", 1)[0] + "…"


def median(numbers: Sequence[int]) -> int:
    """The one in the middle."""
    ordered = sorted(numbers)
    return ordered[len(ordered) // 2] if ordered else 0


def labels_of(text: str) -> list[str]:
    """Tags as somebody types them, separated by commas."""
    found = [" ".join(one.strip(" #").split())[:30] for one in text.split(",")]
    return list(dict.fromkeys(one for one in found if one))[:8]


def label_words(labels: Iterable[str]) -> set[str]:
    """Tags as the search finds them."""
    return {f"#{plain(one).replace(' ', '-')}"[:24] for one in labels}


def quoted(text: str) -> str:
    """Somebody's words below an answer (RFC 3676 §4.5)."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def threaded(references: Sequence[str], answered: str, longest: int = 900) -> tuple[str, ...]:
    """References of an answer: those of the mail, and the mail itself (RFC 5322 §3.6.4). The first and the newest stay where they are too many."""
    chain = [one for one in dict.fromkeys([*references, answered]) if one]
    while len(chain) > 2 and sum(map(len, chain)) + len(chain) > longest:
        del chain[1]
    return tuple(chain)
