"""Pages in forms for programs: Markdown, and JSON that is an object of ActivityStreams at the same time; llms.txt."""

import json
from datetime import UTC, datetime
from typing import Any

from archive_site.feeds import address, authors, identity
from archive_site.pictures import absolute
from archive_site.site import Letter, Site
from archive_site.words import Words

CONTEXT = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{CONTEXT}#Public"


def markdown(site: Site, letter: Letter, words: Words) -> bytes:
    """A letter as it was written, with its head as text."""
    head = [f"# {letter.title}", "", f"{words('number')} {letter.number} · {words.day(letter.published)} · {', '.join(authors(site, letter))}"]
    summary = ["", f"*{letter.summary}*"] if letter.summary else []
    text = letter.markdown.replace("](/media/", f"]({site.base}media/").strip()
    return ("\n".join([*head, *summary, "", text, "", f"<{address(site, letter)}>"]) + "\n").encode("utf-8", "replace")


def markdown_list(site: Site, title: str, letters: list[Letter], folder: str, older: str, words: Words) -> bytes:
    """The letters of a list, newest first."""
    rows = [
        f"- [{letter.title}]({address(site, letter)}index.md) ({words.day(letter.published)}){f': {letter.summary}' if letter.summary else ''}"
        for letter in letters
    ]
    more = ["", f"[{words('older_letters')}]({older})"] if older else []
    return ("\n".join([f"# {title}", "", *rows, *more, "", f"<{site.base}{folder}>"]) + "\n").encode("utf-8", "replace")


def text_page(site: Site, path: str, title: str, paragraphs: list[str]) -> dict[str, bytes]:
    """A page of plain paragraphs, as Markdown and as JSON."""
    where = f"{site.base}{path}/"
    row = {"title": title, "url": where, "language": site.language, "paragraphs": paragraphs}
    lines = "\n\n".join([f"# {title}", *paragraphs, f"<{where}>"])
    return {f"{path}/index.md": f"{lines}\n".encode("utf-8", "replace"), f"{path}/index.json": _json(row)}


def json_list(site: Site, title: str, letters: list[Letter], folder: str) -> bytes:
    """The letters of a list that has no feed, newest first."""
    rows = [{"title": letter.title, "url": address(site, letter), "published": _iso(letter.published), "summary": letter.summary} for letter in letters]
    return _json({"title": title, "url": site.base + folder, "language": site.language, "letters": rows})


def _json(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def activity(site: Site, letter: Letter) -> dict[str, Any]:
    """A letter as an Article (ActivityStreams 2.0), which Fediverse servers fetch by its address."""
    actor = site.actor or site.base
    where = address(site, letter)
    return {
        "@context": CONTEXT,
        "id": f"{where}index.json",
        "type": "Article",
        "url": where,
        "attributedTo": actor,
        "to": [PUBLIC],
        "cc": [f"{actor}/followers"] if site.actor else [],
        "name": letter.title,
        "summary": letter.summary,
        "content": absolute(letter.html, site.base, where),
        "published": _iso(letter.published),
        "updated": _iso(letter.touched),
        "tag": [{"type": "Hashtag", "name": "#" + "".join(part for part in tag if part.isalnum())} for tag in letter.tags],
    }


def as_json(site: Site, letter: Letter) -> bytes:
    """The same with what ActivityStreams has no words for."""
    more = {
        "number": letter.number,
        "language": letter.language or site.language,
        "authors": list(authors(site, letter)),
        "tags": list(letter.tags),
        "series": letter.series or None,
        "minutes": letter.minutes,
        "feed_id": identity(site, letter),
    }
    return _json(activity(site, letter) | {"brieftaube": more})


def linked_data(site: Site, letter: Letter, image: str) -> str:
    """What search engines read (schema.org), safe inside a script element."""
    where = address(site, letter)
    row = {
        "@context": "https://schema.org",
        "@type": "Article",
        "@id": where,
        "headline": letter.title,
        "description": letter.summary or None,
        "inLanguage": letter.language or site.language,
        "datePublished": _iso(letter.published),
        "dateModified": _iso(letter.touched),
        "author": [{"@type": "Person", "name": name} for name in authors(site, letter)],
        "publisher": {"@type": "Organization", "name": site.name, "url": site.base},
        "isPartOf": {"@type": "Periodical", "name": site.name, "url": site.base},
        "keywords": list(letter.tags) or None,
        "image": image or None,
        "isAccessibleForFree": True,
        "mainEntityOfPage": where,
    }
    # “</script>” in a title would end the element; JSON may write every character as an escape.
    text = json.dumps({key: value for key, value in row.items() if value is not None}, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def llms(site: Site, years: list[str], words: Words) -> bytes:
    """What there is for programs that read (llmstxt.org). It changes once a year, the Markdown that it points to with each letter."""
    rows = [f"# {site.name}", "", f"> {site.promise or site.name}", "", *(f"{line}" for line in site.about.splitlines() if line.strip()), ""]
    rows += [f"## {words('archive')}", "", f"- [{words('all')}]({site.base}index.md)"]
    rows += [f"- [{year}]({site.base}{year}/index.md)" for year in years]
    return ("\n".join([*rows, f"- [{words('feeds')}]({site.base}atom.xml)"]) + "\n").encode("utf-8", "replace")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
