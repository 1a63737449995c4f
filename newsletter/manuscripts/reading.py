"""Files of other programs -> manuscripts. Bytes in, values out: nothing is unpacked onto the disk, nothing is asked of the net (C9)."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from pathlib import PurePosixPath

from newsletter.errors import Refused
from newsletter.i18n import mark
from newsletter.rendering.from_html import to_markdown
from newsletter.rendering.front_matter import heads
from newsletter.slugs import slugify

LARGEST = 100 * 1024 * 1024
LARGEST_INSIDE = 20 * 1024 * 1024
MOST_FILES = 5000
MOST_UNPACKED = 500 * 1024 * 1024
# A text packs to a tenth; what packs to a hundredth is a bomb.
MOST_RATIO = 100
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp")
SOURCES = {"markdown": "Markdown", "substack": "Substack", "ghost": "Ghost", "buttondown": "Buttondown", "mailchimp": "Mailchimp", "html": "HTML"}


@dataclass(frozen=True)
class Manuscript:
    """One letter from elsewhere.

    Args:
        name: the file that it came from.
        date: when it went out; None: it never did.
        was: its address there, as far as it is known.
    """

    subject: str
    markdown: str
    preheader: str = ""
    date: datetime | None = None
    slug: str = ""
    tags: tuple[str, ...] = ()
    name: str = ""
    was: str = ""


def nothing(path: str) -> bytes | None:
    """No picture came along."""
    return None


@dataclass(frozen=True)
class Bundle:
    """Everything that a file holds. ``pictures`` gives the bytes of one that came along, by its path there."""

    source: str
    manuscripts: tuple[Manuscript, ...]
    problems: tuple[tuple[str, str], ...] = ()
    pictures: Callable[[str], bytes | None] = nothing


def read(name: str, data: bytes) -> Bundle:
    """Read a file, whatever program wrote it: known by what is in it, and not by what it is called.

    Raises:
        Refused: it is none of these, or a bomb; the sentence says so.
    """
    if len(data) > LARGEST:
        raise Refused(mark("The file has %(size)s MB; at most %(limit)s are possible."), field="file", size=round(len(data) / 1e6), limit=LARGEST // 1_000_000)
    if data[:4] == b"PK\x03\x04":
        return _zip(data)
    text = _text(data)
    if text.lstrip()[:1] == "{":
        return _ghost(text)
    if re.match(r"\s*(?:<!doctype|<html|<head|<body|<table|<div|<p\b|<!--)", text, re.IGNORECASE):
        return Bundle("html", (_html(name, text),))
    if name.lower().endswith((".md", ".markdown", ".txt")) or text.startswith("---"):
        return Bundle("markdown", (_markdown(name, text),))
    raise Refused(UNKNOWN, field="file")


UNKNOWN = mark("Nobody knows what this file is. Markdown, HTML, and the exports of Substack, Ghost, Buttondown and Mailchimp can be read.")


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def _zip(data: bytes) -> Bundle:
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
        infos = [info for info in packed.infolist() if not info.is_dir() and not PurePosixPath(info.filename).name.startswith(("._", "."))]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Refused(mark("The archive is damaged and cannot be read."), field="file") from error
    if len(infos) > MOST_FILES or sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise Refused(mark("The archive holds too much to be read at once."), field="file")
    if any(info.file_size > 1_000_000 and info.file_size > MOST_RATIO * max(1, info.compress_size) for info in infos):
        raise Refused(mark("The archive is packed as only bombs are."), field="file")
    names = {info.filename: info for info in infos}

    def content(path: str) -> bytes | None:
        info = names.get(path) or next((one for key, one in names.items() if key.endswith("/" + path.lstrip("./"))), None)
        if info is None or info.file_size > LARGEST_INSIDE:
            return None
        try:
            with packed.open(info) as stream:
                return stream.read(LARGEST_INSIDE + 1)[: info.file_size]
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
            return None

    return _from_files(list(names), content)


def _from_files(names: list[str], content: Callable[[str], bytes | None]) -> Bundle:
    posts = next((name for name in names if PurePosixPath(name).name == "posts.csv"), None)
    jsons = [name for name in names if name.endswith(".json")]
    found: list[Manuscript] = []
    problems: list[tuple[str, str]] = []
    if posts is not None:
        source, rows = "substack", _substack(_text(content(posts) or b""), names)
    elif any(name.endswith((".md", ".markdown")) for name in names):
        source = "buttondown" if any("emails" in PurePosixPath(name).parts or PurePosixPath(name).name == "emails.json" for name in names) else "markdown"
        rows = ((name, _markdown) for name in sorted(names) if name.endswith((".md", ".markdown")))
    elif any(name.lower().endswith((".html", ".htm")) for name in names):
        table = _campaigns(names, content)
        source = "mailchimp" if table or any("campaign" in name.lower() for name in names) else "html"
        rows = ((name, _campaign(table)) for name in sorted(names) if name.lower().endswith((".html", ".htm")))
    elif jsons:
        return _ghost(_text(content(jsons[0]) or b""))
    else:
        raise Refused(mark("There is no letter in this archive."), field="file")
    for name, reader in rows:
        data = content(name)
        if data is None:
            problems.append((name, mark("This file could not be read.")))
            continue
        try:
            found.append(reader(name, _text(data)))
        except (Refused, ValueError, RecursionError) as error:
            problems.append((name, str(error) or mark("This file could not be read.")))
    return Bundle(source, tuple(found), tuple(problems), content)


Reader = Callable[[str, str], Manuscript]


def _markdown(name: str, text: str) -> Manuscript:
    values, body = heads(text)
    stem = PurePosixPath(name).stem
    title = re.match(r"\s*#\s+(.+)\n", body)
    subject = values.get("subject") or values.get("title") or (title.group(1).strip() if title else stem.replace("-", " "))
    if title and title.group(1).strip() == subject:
        body = body[title.end() :]
    state = values.get("status", values.get("draft", "")).lower()
    moment = date_of(values.get("date") or values.get("publish_date") or values.get("published_at") or values.get("published") or "")
    return Manuscript(
        subject=subject[:200],
        markdown=body.strip("\n") + "\n",
        preheader=(values.get("preheader") or values.get("description") or values.get("subtitle") or values.get("excerpt") or "")[:200],
        date=None if state in ("draft", "true", "scheduled") else moment,
        slug=values.get("slug") or (slugify(re.sub(r"^\d{4}-\d{2}-\d{2}-", "", stem)) if "-" in stem else ""),
        tags=tuple(tag for tag in re.split(r"\s*,\s*", values.get("tags", "").strip("[]")) if tag)[:12],
        name=name,
        was=values.get("canonical_url") or values.get("url") or values.get("absolute_url") or "",
    )


def _html(name: str, text: str, subject: str = "") -> Manuscript:
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.IGNORECASE | re.DOTALL)
    found = subject or _plain(title.group(1) if title else "") or _plain(heading.group(1) if heading else "") or PurePosixPath(name).stem
    if heading and _plain(heading.group(1)) == found:
        text = text[: heading.start()] + text[heading.end() :]
    moment = re.search(r"""<(?:time[^>]*datetime|meta[^>]*(?:article:published_time|name=["']date["'])[^>]*content)=["']([^"']+)""", text, re.IGNORECASE)
    return Manuscript(found[:200], to_markdown(text), date=date_of(moment.group(1) if moment else ""), slug=slugify(PurePosixPath(name).stem), name=name)


def _plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>|\*\|[^|]*\|\*", " ", html)).split())


def _substack(table: str, names: list[str]) -> Iterator[tuple[str, Reader]]:
    files = {PurePosixPath(name).name.partition(".")[0]: name for name in names if name.endswith(".html")}
    for row in csv.DictReader(io.StringIO(table)):
        number, _, slug = (row.get("post_id") or "").partition(".")
        name = files.get(number)
        if name is None or (row.get("type") or "newsletter") not in ("newsletter", "podcast", "thread"):
            continue
        yield name, _substack_reader(row, slug)


def _substack_reader(row: Mapping[str, str | None], slug: str) -> Reader:
    def reader(name: str, text: str) -> Manuscript:
        published = (row.get("is_published") or "").lower() == "true"
        return Manuscript(
            (row.get("title") or slug)[:200], to_markdown(text), (row.get("subtitle") or "")[:200],
            date_of(row.get("post_date") or "") if published else None, slug, name=name, was=f"/p/{slug}",
        )  # fmt: skip

    return reader


def _ghost(text: str) -> Bundle:
    try:
        data = json.loads(text)
        data = data["db"][0]["data"] if "db" in data else data["data"]
        posts = data["posts"]
    except (json.JSONDecodeError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise Refused(mark("This JSON is no export of Ghost."), field="file") from error
    tags = {str(tag.get("id")): str(tag.get("name", "")) for tag in data.get("tags", []) if isinstance(tag, dict)}
    of_post: dict[str, list[str]] = {}
    for row in data.get("posts_tags", []):
        if isinstance(row, dict) and str(row.get("tag_id")) in tags:
            of_post.setdefault(str(row.get("post_id")), []).append(tags[str(row["tag_id"])])
    found, problems = [], []
    for post in posts:
        if not isinstance(post, dict) or post.get("type", "post") != "post":
            continue
        name = str(post.get("slug") or post.get("id") or "?")
        try:
            found.append(_ghost_post(post, name, of_post.get(str(post.get("id")), [])))
        except (ValueError, TypeError, RecursionError) as error:
            problems.append((name, str(error)))
    return Bundle("ghost", tuple(found), tuple(problems))


def _ghost_post(post: Mapping[str, object], slug: str, tags: list[str]) -> Manuscript:
    html = str(post.get("html") or "")
    picture = str(post.get("feature_image") or "")
    if picture:
        html = f'<figure><img src="{picture}" alt="{post.get("feature_image_alt") or ""}"></figure>{html}'
    # What lies on their own server is written with a placeholder; where that was is not in the file.
    html = html.replace("__GHOST_URL__", "")
    return Manuscript(
        str(post.get("title") or slug)[:200], to_markdown(html), str(post.get("custom_excerpt") or "")[:200],
        date_of(str(post.get("published_at") or "")) if post.get("status") in ("published", "sent") else None,
        slug, tuple(tags)[:12], slug, f"/{slug}/",
    )  # fmt: skip


def _campaigns(names: list[str], content: Callable[[str], bytes | None]) -> dict[str, Mapping[str, str]]:
    """The table of a Mailchimp export, by title and by subject."""
    found: dict[str, Mapping[str, str]] = {}
    for name in names:
        if PurePosixPath(name).name.lower().startswith("campaigns") and name.endswith(".csv"):
            for row in csv.DictReader(io.StringIO(_text(content(name) or b""))):
                known = {str(key).strip().lower(): str(value or "") for key, value in row.items()}
                for key in ("title", "subject", "unique id", "id"):
                    if known.get(key):
                        found[slugify(known[key])] = known
    return found


def _campaign(table: Mapping[str, Mapping[str, str]]) -> Reader:
    def reader(name: str, text: str) -> Manuscript:
        stem = PurePosixPath(name).stem
        title = _html(name, text).subject
        row = table.get(slugify(re.sub(r"^\d+_", "", stem))) or table.get(slugify(title)) or table.get(stem.partition("_")[0]) or {}
        found = _html(name, text, row.get("subject", ""))
        return replace(found, date=date_of(row.get("send date", "")) or found.date, slug=slugify(found.subject))

    return reader


def date_of(text: str) -> datetime | None:
    """A moment as other programs write it; one without a zone is taken for UTC."""
    text = text.strip().strip("\"'")
    if not text:
        return None
    for form in ("%b %d, %Y %I:%M %p", "%b %d, %Y", "%m/%d/%y %I:%M%p", "%Y-%m-%d %H:%M:%S %Z", "%d.%m.%Y", "%d.%m.%Y %H:%M"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
