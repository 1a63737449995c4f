"""What the desk sends, and what it needs to begin."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from newsletter.i18n import Speech
from newsletter.issues.models import Issue, Snippet
from newsletter.rendering.showcase import PICTURE, SAMPLES


class Typed(NamedTuple):
    """An issue as it was typed."""

    subject: str
    preheader: str
    markdown: str
    tags: list[str]
    revision: int = 0

    @property
    def tag_line(self) -> str:
        return ", ".join(self.tags)


def text_from(form: Mapping[str, str]) -> Typed:
    """What the form of the desk holds. Line ends are ours; lines are lines."""
    tags = [tag.strip()[:40] for tag in form.get("tags", "").split(",") if tag.strip()]
    revision = form.get("revision", "")
    return Typed(
        " ".join(form.get("subject", "").split()),
        " ".join(form.get("preheader", "").split()),
        form.get("markdown", "").replace("\r\n", "\n"),
        list(dict.fromkeys(tags))[:12],
        int(revision) if revision.isdecimal() and len(revision) < 10 else 0,
    )


def text_of(issue: Issue) -> Typed:
    """The same from an issue."""
    return Typed(issue.subject, issue.preheader, issue.markdown, issue.tags, issue.revision)


def base_from(form: Mapping[str, str]) -> dict[str, str] | None:
    """What somebody had before her who did not see the latest version; None when she does not say."""
    if "base_markdown" not in form:
        return None
    lines = {name: " ".join(form.get(f"base_{name}", "").split()) for name in ("subject", "preheader")}
    return lines | {"markdown": form["base_markdown"].replace("\r\n", "\n")}


# What is selected after a block was put in, between two of these.
SELECT = "§"
SELECTED = {
    "greeting": ("du", "you"),
    "heading": ("Im Gewächshaus", "In the greenhouse"),
    "button": ("Katalog ansehen", "See the catalogue"),
    "callout": ("Frost in der Nacht", "Frost tonight"),
    "poll": ("Welche Bohne soll bleiben?", "Which bean should stay?"),
    "reply": ("Was wächst bei dir?", "What grows at your place?"),
    "quote": ("Jetzt darf der Schnee kommen.", "Now the snow may come."),
    "card": ("der-erste-reif", "first-frost"),
}
# Only these of a sample are put in; the help page shows more of them.
SHORT = {
    "heading": ("## Im Gewächshaus", "## In the greenhouse"),
    "greeting": ("{{ anrede }},", "{{ greeting }},"),
    "button": ("[Katalog ansehen](https://){ .button }", "[See the catalogue](https://){ .button }"),
    "list": ("- Hedwig\n- Die Gute", "- Hedwig\n- Old Faithful"),
    "divider": ("---", "---"),
    "code": ("```\n§§\n```", "```\n§§\n```"),
    "footnote": ("[^1]\n\n[^1]: §§", "[^1]\n\n[^1]: §§"),
    "mail": ("::: nur-mail\n§§\n:::", "::: only-mail\n§§\n:::"),
    "more": ("::: weiterlesen", "::: read-more"),
    "columns": ("::: spalten\n§§\n\n|||\n\n\n:::", "::: columns\n§§\n\n|||\n\n\n:::"),
}
LEFT_OUT = {"text", "snippet"}


def blocks(speech: Speech, language: str, snippets: Iterable[Snippet]) -> list[dict[str, str]]:
    """What can be put in behind a slash: every block, and the snippets of the publication. Names and words are the editor's, the text is the letter's."""
    at = 0 if language == "de" else 1
    found = []
    for sample in SAMPLES:
        if sample.id in LEFT_OUT:
            continue
        source = SHORT[sample.id][at] if sample.id in SHORT else sample.source(language)
        chosen = SELECTED.get(sample.id)
        if chosen and SELECT not in source:
            source = source.replace(chosen[at], f"{SELECT}{chosen[at]}{SELECT}", 1)
        found.append({"id": sample.id, "title": speech(sample.title), "words": speech(sample.words), "source": source.replace(f"/media/{PICTURE}", "")})
    name = "baustein" if language == "de" else "snippet"
    for snippet in snippets:
        words = " ".join(snippet.markdown.split())[:80]
        found.append({"id": f"snippet-{snippet.id}", "title": f"{speech('Snippet')} {snippet.name}", "words": words, "source": f"::: {name} {snippet.name}"})
    return found
