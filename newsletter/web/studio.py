"""The writing studio: the preview while typing, what is pasted, polls. It needs the archive's pages beside the issues."""

import base64
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request
from sqlalchemy import inspect

from archive_site import themes
from archive_site.cards import card
from newsletter.accounts.access import editor, role
from newsletter.archive import building
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, process, session, speech, takes
from newsletter.issues import queries
from newsletter.issues.composition import Composition, compose, look_of
from newsletter.issues.models import Issue
from newsletter.issues.views import sentence, tally
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base, greeting_of
from newsletter.rendering import preview
from newsletter.rendering.document import make_document
from newsletter.rendering.from_html import from_table, to_markdown
from newsletter.rendering.mail import Frame, final, to_mail
from newsletter.rendering.merge import values_of
from newsletter.rendering.outside import Outside
from newsletter.rendering.showcase import CARDS, PICTURES, SAMPLES, SNIPPETS
from newsletter.subscriptions.queries import latest_addresses, reader_by_email
from newsletter.web.compression import packed

views = Blueprint("studio", __name__)

# The preview is a page of its own in a frame without rights and without an origin (P7). One file of ours may run there;
# inline styles are what mail is made of.
FRAME_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src {base}/static/frame.js; img-src {base} data:; style-src 'unsafe-inline' {base}; "
    "font-src {base}; frame-ancestors 'self'"
)
STILL_POLICY = "sandbox; default-src 'none'; img-src {base} data:; style-src 'unsafe-inline' {base}; font-src {base}; frame-ancestors 'self'"
LARGEST_PASTE = 16 * 1024 * 1024


@views.post("/admin/<slug>/issues/<int:issue_id>/look")
@role("author")
def look(publication: Publication, issue_id: int) -> Reply:
    """What is being typed, as it will be seen; nothing is saved."""
    issue = _typed(queries.get(session(), publication.id, issue_id), request.form)
    composition = compose(session(), publication, issue, links(), now())
    name, said = _reader(publication, request.form.get("reader", ""))
    words = speech().plural("%(n)s word", "%(n)s words", composition.document.words)
    first = composition.findings[0] if composition.findings else None
    seen = jsonify(
        html=_seen(publication, issue, composition, request.form.get("medium", "mail"), name),
        words=f"{words} · {speech().plural('%(n)s minute', '%(n)s minutes', composition.document.minutes)}",
        findings=tally(composition),
        errors=len(composition.errors),
        first=sentence(first.text, first.values) if first else "",
        subject=composition.subject,
        preheader=composition.preheader,
        reader=said,
    )
    return packed(seen)


@views.get("/admin/<slug>/issues/<int:issue_id>/preview/<medium>")
@role("viewer")
def still(publication: Publication, issue_id: int, medium: str) -> Reply:
    """The issue as it is saved, in one medium; ``frame`` is the empty page in which the desk shows what is typed."""
    if medium == "frame":
        return framed(make_response(render_template("issues/frame.html", publication=publication)), FRAME_POLICY)
    issue = queries.get(session(), publication.id, issue_id)
    composition = compose(session(), publication, issue, links(), issue.published_at or now())
    return framed(make_response(_seen(publication, issue, composition, medium, editor().name)), STILL_POLICY)


def framed(response: Response, policy: str) -> Response:
    """A page for a frame without rights."""
    bases = dict.fromkeys((links().base, request.host_url.rstrip("/")))
    script = " ".join(f"{base}/static/frame.js" for base in bases)
    response.headers["Content-Security-Policy"] = policy.replace("{base}/static/frame.js", script).format(base=" ".join(bases))
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "no-store"
    return response


def _typed(issue: Issue, form: Any) -> Issue:
    """A copy of an issue with what is being typed in it; no session knows it, so nothing of it can be saved."""
    columns = {column.key: getattr(issue, column.key) for column in inspect(Issue).column_attrs}
    columns |= {name: form.get(name, columns[name]).replace("\r\n", "\n") for name in ("subject", "preheader", "markdown")}
    return Issue(**columns)


def _reader(publication: Publication, wanted: str) -> tuple[str, str]:
    """The name under which somebody reads, and a word about it."""
    wanted = wanted.strip()
    if not wanted:
        return editor().name, ""
    if wanted == "-":
        return "", speech()("Read by somebody who gave no name.")
    try:
        found = reader_by_email(session(), publication.id, wanted)
    except Refused:
        return editor().name, speech()("Nobody with the address “%(name)s” is on the list.", name=wanted[:60])
    return found.subscriber.name, speech()("Read by %(email)s.", email=found.subscriber.email)


def _seen(publication: Publication, issue: Issue, composition: Composition, medium: str, name: str) -> str:
    parts = composition.for_reader(name, greeting_of(publication), links().leave("preview"))
    if medium in _MAILS:
        return _MAILS[medium](parts.html)
    if medium == "text":
        return preview.page_of_text(parts, publication.language)
    if medium == "web":
        return _page(publication, issue)
    values: dict[str, Any] = {"publication": publication, "issue": issue, "composition": composition, "number": _number(publication, issue)}
    if medium == "feed":
        return render_template("issues/seen_feed.html", **values)
    if medium == "card":
        return render_template(
            "issues/seen_card.html",
            **values,
            shorten=preview.shorten,
            card=_card(publication, composition),
            address=f"{archive_base(publication, links())}{issue.slug}/",
        )
    return render_template(
        "issues/seen_inbox.html", **values, shorten=preview.shorten, lines=preview.lines(publication.from_name, composition.subject, composition.preheader)
    )


# How a mail arrives, from the same bytes.
_MAILS: dict[str, Callable[[str], str]] = {"mail": str, "dark": preview.as_dark, "inverted": preview.inverted, "bare": preview.without_images}


def _number(publication: Publication, issue: Issue) -> int:
    return issue.number or queries.next_number(session(), publication.id)


def _page(publication: Publication, issue: Issue) -> str:
    """The page of the archive, as its theme shows it."""
    shown = _typed(issue, {})
    shown.number, shown.published_at = _number(publication, issue), issue.published_at or now()
    return building.page_of(session(), process(), publication, shown).decode()


def _card(publication: Publication, composition: Composition) -> str:
    """The picture that stands beside a shared link, as an address that carries it along."""
    extra = building.themes_of(process())
    line = speech().day(now())
    theme = themes.load(publication.theme, publication.accent, extra)
    data = card(composition.subject or "…", publication.name, line, theme, process().settings.data_dir / "cache" / "cards")
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


@views.get("/admin/<slug>/readers.json")
@role("author")
def readers(publication: Publication) -> Reply:
    """Some addresses to read as."""
    return jsonify(latest_addresses(session(), publication.id))


@views.post("/admin/<slug>/paste")
@role("author")
@takes(LARGEST_PASTE)
def paste(publication: Publication) -> Reply:
    """Rich text or cells of a spreadsheet as Markdown."""
    html, table = request.form.get("html", ""), request.form.get("table", "")
    markdown = to_markdown(html).strip("\n") if html else from_table(table)
    foreign = markdown.count("](http") and any(line.lstrip().startswith("![") and "](http" in line for line in markdown.split("\n"))
    said = speech()("Pictures were left where they are. Upload them here, so that nobody sees who reads.") if foreign else ""
    return jsonify(markdown=markdown, said=said)


def _sample_picture(path: str) -> str:
    return links().media("/static/sample.png")


@views.get("/admin/<slug>/help/writing")
@role("author")
def help_page(publication: Publication) -> Reply:
    """Every block: how it is written, and the mail that comes of it."""
    return page("issues/help.html", samples=SAMPLES, language=g.speech.language)


@views.get("/admin/<slug>/help/writing/<name>")
@role("author")
def sample(publication: Publication, name: str) -> Reply:
    """One block as it arrives."""
    found = next((one for one in SAMPLES if one.id == name), SAMPLES[0])
    language = g.speech.language
    document = make_document(found.source(language), language, PICTURES, SNIPPETS, CARDS)
    outside = Outside(language, publication.name, archive_base(publication, links()), publication.from_address)
    frame = Frame(language, "", "", "", "", "", "", "", "", (), look_of(publication, links()), outside)
    parts = to_mail(document, "", "", frame, _sample_picture, bare=True)
    html = final(parts, values_of(editor().name, greeting_of(publication)), links().leave("preview")).html
    return framed(make_response(html), STILL_POLICY)
