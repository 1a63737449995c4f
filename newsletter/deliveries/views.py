"""Checking, sending, watching: from the last look to the last reply."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request, stream_with_context, url_for

from newsletter.accounts.access import editor, role
from newsletter.broker import ring
from newsletter.deliveries import actions, policy, queries, reports
from newsletter.deliveries.actors import send_mailing
from newsletter.deliveries.forms import missed_as_csv
from newsletter.deliveries.models import DELIVERY_STATES, Mailing
from newsletter.deliveries.preflight import Look, accept_domain, domain_checks, links_of, look_over, refuse_errors, silent
from newsletter.deliveries.sample import sample
from newsletter.errors import NotFound, Refused
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues import actions as issues
from newsletter.issues.composition import Composition, compose, web_address
from newsletter.issues.models import Issue
from newsletter.issues.policy import moment_from
from newsletter.issues.queries import get as issue_of
from newsletter.issues.queries import next_number, votes
from newsletter.mail.addresses import parse
from newsletter.mail.providers import name_of
from newsletter.preflight.policy import find
from newsletter.preflight.reasons import WHY
from newsletter.preflight.remedies import Words, label
from newsletter.preflight.remedies import mend as mended
from newsletter.preflight.sender import bad_parts
from newsletter.publications.keys import signed
from newsletter.publications.models import Publication
from newsletter.publications.policy import greeting_of
from newsletter.rendering import merge
from newsletter.segments.queries import all_of
from newsletter.segments.queries import get as get_segment
from newsletter.subscriptions.queries import counts
from newsletter.transports.actions import send_once
from newsletter.transports.queries import in_use

views = Blueprint("mailings", __name__)


@views.get("/admin/<slug>/issues/<int:issue_id>/send")
@role("editor")
def prepare(publication: Publication, issue_id: int) -> Reply:
    return _prepare(publication, issue_of(session(), publication.id, issue_id))


def _prepare(publication: Publication, issue: Issue, status: int = 200, error: str = "", said: str = "", dead: tuple[tuple[str, str], ...] = ()) -> Reply:
    if issue.state == "published":
        return see_other(url_for("mailings.of_issue", slug=publication.slug, issue_id=issue.id))
    settings = process().settings
    composition = compose(session(), publication, issue, links(), now())
    look = _look(publication, issue, composition, dead)
    return page(
        "deliveries/prepare.html",
        status,
        issue=issue,
        composition=composition,
        look=look,
        lines=issue.markdown.split("\n"),
        why=WHY,
        mend_label=label,
        places=PLACES,
        bad=bad_parts(look.facts.domain or ()),
        number=next_number(session(), publication.id),
        people=counts(session(), publication.id),
        readers=actions.number_of_readers(session(), publication, issue, now()),
        segments=all_of(session(), publication.id),
        silence=policy.silence(look.facts.last_letter, now()),
        zone_now=now().astimezone(ZoneInfo(publication.timezone)),
        undo=settings.undo_seconds,
        used=in_use(session(), settings, process().tokens),
        error=error,
        said=said,
        form=request.form,
    )


# Where a person mends what the program cannot.
PLACES = {
    "imprint-missing": ("settings.show", mark("Add the imprint")),
    "name-characters": ("settings.show", mark("To the settings")),
    "sender-characters": ("settings.show", mark("To the settings")),
    "sender-freemail": ("settings.show", mark("To the settings")),
    "reply-to-missing": ("settings.show", mark("To the settings")),
    "lang-missing": ("settings.show", mark("To the settings")),
    "domain-spf": ("domain.show", mark("What to enter where")),
    "domain-dkim": ("domain.show", mark("What to enter where")),
    "domain-dmarc": ("domain.show", mark("What to enter where")),
    "bulk-near": ("domain.show", mark("To the domain")),
    "consent-missing": ("people.index", mark("To the subscribers")),
    "contrast-light": ("design.show", mark("Change the colours")),
    "contrast-dark": ("design.show", mark("Change the colours")),
    "image-missing": ("library.index", mark("To the pictures")),
    "snippet-unknown": ("issues.snippets", mark("To the snippets")),
}


def _look(publication: Publication, issue: Issue, composition: Composition, dead: tuple[tuple[str, str], ...] = ()) -> Look:
    look = look_over(process(), session(), publication, issue, composition, scheduled=issue.scheduled_at, one_click=_one_click, spam=True)
    if not dead:
        return look
    facts = replace(look.facts, dead_links=dead)
    return Look(tuple(find(facts)), facts)


def _one_click(path: str) -> int:
    """Unsubscribes nobody at our own server, as a mail program would (U3, U4)."""
    client = current_app.test_client()
    # In a thread of its own: within a request another one would share what Flask knows about who asks.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code).result()


@views.post("/admin/<slug>/issues/<int:issue_id>/mend")
@role("author")
def mend(publication: Publication, issue_id: int) -> Reply:
    """Mend one finding. What the letter said before is a version."""
    issue = issue_of(session(), publication.id, issue_id)
    wanted = request.form.get("id", ""), request.form.get("line", 0, type=int)
    with writing() as writer:
        current = writer.merge(issue)
        found = compose(writer, publication, current, links(), now()).findings
        finding = next((one for one in found if (one.id, one.line) == wanted), None)
        better = mended(Words(current.subject, current.preheader, current.markdown), finding) if finding else None
        if better is not None:
            issues.save(writer, current, revision=current.revision, editor_id=editor().id, note="mend", now=now(),
                        subject=better.subject, preheader=better.preheader, markdown=better.markdown)  # fmt: skip
    goal = url_for("mailings.prepare", slug=publication.slug, issue_id=issue_id)
    return see_other(goal, mark("Mended. The version before is kept.") if better else mark("That is not there any more."))


@views.post("/admin/<slug>/issues/<int:issue_id>/accept")
@role("owner")
def accept(publication: Publication, issue_id: int) -> Reply:
    """Send although the DNS says otherwise: whoever wants that types the domain (D1)."""
    issue = issue_of(session(), publication.id, issue_id)
    name = parse(publication.from_address).domain
    if request.form.get("domain", "").strip().lower() != name:
        return _prepare(publication, issue, 422, error=speech()("Type %(domain)s to say that you know what you do.", domain=name))
    checks = domain_checks(process(), session(), publication, in_use(session(), process().settings, process().tokens))
    with writing() as writer:
        accept_domain(writer, publication, checks, now=now())
    return see_other(url_for("mailings.prepare", slug=publication.slug, issue_id=issue_id), mark("Accepted, until something else is wrong with the domain."))


@views.post("/admin/<slug>/issues/<int:issue_id>/links")
@role("author")
def try_links(publication: Publication, issue_id: int) -> Reply:
    """Ask each address whether it answers. Only when somebody wants it, and never one of our own network (C7)."""
    issue = issue_of(session(), publication.id, issue_id)
    composition = compose(session(), publication, issue, links(), now())
    asked = links_of(composition.parts.html, links().base)
    dead = tuple(silent(process().web, asked))
    said = "" if dead else speech().plural("The link answers.", "All %(n)s links answer.", len(asked)) if asked else speech()("There is no link in it.")
    return _prepare(publication, issue, said=said, dead=dead)


@views.post("/admin/<slug>/issues/<int:issue_id>/test")
@role("author")
def test(publication: Publication, issue_id: int) -> Reply:
    """One copy to one address. Changes no state anywhere (U10)."""
    issue = issue_of(session(), publication.id, issue_id)
    try:
        recipient = parse(request.form.get("email", "") or editor().email)
        said = send_test(publication, compose(session(), publication, issue, links(), now()), recipient.text)
    except Refused as error:
        return _prepare(publication, issue, 422, error=speech().refusal(error))
    return _prepare(publication, issue, said=speech()("The test mail to %(email)s was taken: %(reply)s", email=recipient.text, reply=said))


def send_test(publication: Publication, composition: Composition, email: str) -> str:
    """One copy to one address, at once; give back what the server said.

    Raises:
        Refused: it was not taken.
    """
    subject = speech()("[Test] %(subject)s", subject=composition.subject)
    raw = sample(publication, composition, links(), now(), recipient=email, name=editor().name, subject=subject)
    address = in_use(session(), process().settings, process().tokens).address
    sender = parse(publication.from_address)
    raw = signed(session(), process().tokens, sender.domain, raw)
    return send_once(address, process().settings.bounce_domain, sender.wire, parse(email), raw)


@views.post("/admin/<slug>/issues/<int:issue_id>/send")
@role("editor")
def send(publication: Publication, issue_id: int) -> Reply:
    """Send now, with a while to take it back, or let it go out at a moment."""
    issue = issue_of(session(), publication.id, issue_id)
    later = request.form.get("when") == "later"
    try:
        _choose_readers(publication, issue)
        if later:
            return _schedule(publication, issue)
        if issue.state != "published":
            composition = compose(session(), publication, issue, links(), now())
            refuse_errors(process(), session(), publication, issue, composition)
        with writing() as writer:
            undo = timedelta(seconds=process().settings.undo_seconds)
            mailing_id = actions.start(writer, links(), publication=publication, issue=writer.merge(issue), undo=undo, now=now())
    except Refused as error:
        return _prepare(publication, issue_of(session(), publication.id, issue_id), 422, error=speech().refusal(error))
    ring(send_mailing, mailing_id)
    return see_other(url_for("mailings.show", slug=publication.slug, mailing_id=mailing_id))


def _choose_readers(publication: Publication, issue: Issue) -> None:
    """Everybody, or one segment. A number that is no segment of this publication is refused, never taken for everybody."""
    wanted = request.form.get("segment", type=int)
    if wanted is not None:
        get_segment(session(), publication.id, wanted)
    if issue.segment_id != wanted:
        with writing() as writer:
            writer.merge(issue).segment_id = wanted


@views.post("/admin/<slug>/issues/<int:issue_id>/readers")
@role("editor")
def choose(publication: Publication, issue_id: int) -> Reply:
    """Say who gets it, and see how many that are."""
    _choose_readers(publication, issue_of(session(), publication.id, issue_id))
    return see_other(url_for("mailings.prepare", slug=publication.slug, issue_id=issue_id))


def _schedule(publication: Publication, issue: Issue) -> Reply:
    at = moment_from(f"{request.form.get('day', '')}T{request.form.get('time', '')}", publication.timezone)
    composition = compose(session(), publication, issue, links(), at)
    refuse_errors(process(), session(), publication, issue, composition)
    with writing() as writer:
        issues.schedule(writer, writer.merge(issue), at=at, zone=publication.timezone, now=now())
    when = f"{speech().weekday(at)}, {speech().time(at)}"
    return see_other(url_for("issues.index", slug=publication.slug), mark("Planned for %(when)s. Until then you can change everything."), when=when)


@views.post("/admin/<slug>/issues/<int:issue_id>/unschedule")
@role("editor")
def unschedule(publication: Publication, issue_id: int) -> Reply:
    issue = issue_of(session(), publication.id, issue_id)
    with writing() as writer:
        issues.unschedule(writer, writer.merge(issue))
    return see_other(url_for("issues.write", slug=publication.slug, issue_id=issue_id), mark("It is a draft again and will not go out by itself."))


@views.get("/admin/<slug>/issues/<int:issue_id>/mailing")
@role("viewer")
def of_issue(publication: Publication, issue_id: int) -> Reply:
    issue = issue_of(session(), publication.id, issue_id)
    mailing = queries.of_issue(session(), issue.id)
    if mailing is None and issue.state == "published":
        # It came from elsewhere and never went out from here.
        return see_other(url_for("archive.appearance", slug=publication.slug, issue_id=issue.id))
    if mailing is None:
        raise NotFound(mark("There is no such mailing."))
    return see_other(url_for("mailings.show", slug=publication.slug, mailing_id=mailing.id))


@views.get("/admin/<slug>/mailings/<int:mailing_id>")
@role("viewer")
def show(publication: Publication, mailing_id: int) -> Reply:
    """The page, or only what moves on it when a script asks."""
    mailing = queries.get(session(), mailing_id, publication.id)
    template = "deliveries/progress.html" if "part" in request.args else "deliveries/mailing.html"
    uncertain = queries.rows_in(session(), mailing.id, "uncertain")
    return page(
        template,
        mailing=mailing,
        issue=issue_of(session(), publication.id, mailing.issue_id),
        progress=queries.progress(session(), mailing, now()),
        uncertain=uncertain,
        retry=len(queries.worth_another_try(session(), mailing.id)) if mailing.state == "finished" else 0,
        now=now(),
        archive_url=web_address(publication, issue_of(session(), publication.id, mailing.issue_id), links()),
    )


@views.get("/admin/<slug>/mailings/<int:mailing_id>/<state>")
@role("viewer")
def ledger(publication: Publication, mailing_id: int, state: str) -> Reply:
    """Who is in a state, and what the servers said."""
    mailing = queries.get(session(), mailing_id, publication.id)
    if state not in DELIVERY_STATES:
        raise NotFound(mark("There is no such state."))
    rows = queries.rows_in(session(), mailing.id, state, request.args.get("after", 0, type=int))
    return page(
        "deliveries/ledger.html",
        mailing=mailing,
        state=state,
        rows=rows[: queries.PAGE],
        more=len(rows) > queries.PAGE,
        total=queries.counts(session(), mailing.id)[state],
    )


@views.get("/admin/<slug>/mailings/<int:mailing_id>/providers")
@role("viewer")
def providers(publication: Publication, mailing_id: int) -> Reply:
    mailing = queries.get(session(), mailing_id, publication.id)
    rows = queries.by_provider(session(), mailing.id)
    return page("deliveries/providers.html", mailing=mailing, rows=rows[:50], rest=len(rows[50:]), name_of=name_of)


@views.get("/admin/<slug>/mailings/<int:mailing_id>/report")
@role("viewer")
def report(publication: Publication, mailing_id: int) -> Reply:
    """What became of a letter, beside the ten before it."""
    mailing = queries.get(session(), mailing_id, publication.id)
    issue = issue_of(session(), publication.id, mailing.issue_id)
    others = reports.before(session(), mailing, now())
    return page(
        "deliveries/report.html", mailing=mailing, report=reports.report_of(session(), mailing, issue, now()), others=others, columns=reports.COLUMNS,
        value_of=reports.value_of, usual=partial(reports.usual, others), clicks=queries.clicks(session(), mailing), polls=_polls(publication, issue),
    )  # fmt: skip


def _polls(publication: Publication, issue: Issue) -> list[dict[str, Any]]:
    counted = votes(session(), issue.id)
    values = merge.values_of("", greeting_of(publication))
    found = []
    for block in compose(session(), publication, issue, links(), now()).document.every():
        if block.kind == "poll":
            rows = [(option, counted.get((block.number, place), 0)) for place, option in enumerate(block.options, 1)]
            found.append({"question": merge.fill(unescape(block.html), values, str), "rows": rows})
    return found


@views.get("/admin/<slug>/mailings/<int:mailing_id>/report.csv")
@role("viewer")
def report_csv(publication: Publication, mailing_id: int) -> Reply:
    """The same for a spreadsheet, with the ten before it."""
    mailing = queries.get(session(), mailing_id, publication.id)
    issue = issue_of(session(), publication.id, mailing.issue_id)
    rows = [reports.report_of(session(), mailing, issue, now()), *reports.before(session(), mailing, now())]
    lines = list(reports.as_csv(rows, speech()))
    return Response(lines, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="report-{mailing.id}.csv"'})


@views.get("/admin/<slug>/mailings/<int:mailing_id>/missed.csv")
@role("editor")
def missed(publication: Publication, mailing_id: int) -> Reply:
    """Who did not get it, for a spreadsheet."""
    mailing = queries.get(session(), mailing_id, publication.id)
    lines = missed_as_csv(queries.missed(session(), mailing.id), speech())
    return Response(stream_with_context(lines), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="mailing-{mailing.id}-missed.csv"'})


@views.post("/admin/<slug>/mailings/<int:mailing_id>/<any(take_back, pause, resume, cancel, arrived, again, retry):deed>")
@role("editor")
def act(publication: Publication, mailing_id: int, deed: str) -> Reply:
    mailing = queries.get(session(), mailing_id, publication.id)
    goal = url_for("mailings.show", slug=publication.slug, mailing_id=mailing.id)
    if deed == "take_back":
        goal = url_for("issues.write", slug=publication.slug, issue_id=mailing.issue_id)
    try:
        with writing() as writer:
            _do(writer.merge(mailing), deed)
    except Refused as error:
        return see_other(url_for("mailings.show", slug=publication.slug, mailing_id=mailing.id), error.message, **error.values)
    ring(send_mailing, mailing.id)
    return see_other(goal, mark("Taken back. Nobody got anything.") if deed == "take_back" else "")


def _do(mailing: Mailing, deed: str) -> None:
    writer = session()
    match deed:
        case "take_back":
            actions.take_back(writer, mailing, now=now())
        case "pause":
            actions.pause(writer, mailing)
        case "resume":
            actions.resume(writer, mailing, now=now())
        case "cancel":
            actions.cancel(writer, mailing, now=now())
        case "retry":
            actions.resend(writer, mailing, now=now())
        case _:
            actions.settle_uncertain(writer, mailing, again=deed == "again", now=now())
