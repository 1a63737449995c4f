"""From the last look to the button: checking, mending, testing, sending, scheduling."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import current_app, request, url_for

from newsletter.accounts.access import editor, role
from newsletter.broker import ring
from newsletter.deliveries import actions, policy
from newsletter.deliveries.actors import send_mailing
from newsletter.deliveries.preflight import Look, accept_domain, domain_checks, links_of, look_over, refuse_errors, silent
from newsletter.deliveries.sample import sample
from newsletter.deliveries.views import views as mailings
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues import actions as issues
from newsletter.issues.composition import Composition, compose
from newsletter.issues.models import Issue
from newsletter.issues.policy import moment_from
from newsletter.issues.queries import get as issue_of
from newsletter.issues.queries import next_number
from newsletter.mail.addresses import parse
from newsletter.media.taking import foreign_pictures, keep_pictures, picture_at
from newsletter.preflight.policy import find
from newsletter.preflight.reasons import WHY
from newsletter.preflight.remedies import Words, label
from newsletter.preflight.remedies import mend as mended
from newsletter.preflight.sender import bad_parts
from newsletter.publications.keys import signed
from newsletter.publications.models import Publication
from newsletter.rendering.from_html import with_images
from newsletter.segments.queries import all_of
from newsletter.segments.queries import get as get_segment
from newsletter.subscriptions.queries import counts
from newsletter.transports.actions import send_once
from newsletter.transports.queries import in_use

# One blueprint for what becomes of an issue: here until it leaves, there afterwards.
views = mailings


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
    if wanted[0] == "image-foreign":
        return _fetch_pictures(publication, issue)
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


def _fetch_pictures(publication: Publication, issue: Issue) -> Reply:
    """Bring every picture of others here, so that nobody sees who reads (L13)."""
    goal = url_for("mailings.prepare", slug=publication.slug, issue_id=issue.id)
    wanted = foreign_pictures(issue.markdown)
    with ThreadPoolExecutor(8) as pool:
        fetched = dict(zip(wanted, pool.map(partial(picture_at, process().web), wanted), strict=True))
    with writing() as writer:
        current = writer.merge(issue)
        places = keep_pictures(writer, process().settings, publication.id, fetched, now=now())
        markdown = with_images(current.markdown, lambda address: places.get(address, address))
        issues.save(writer, current, revision=current.revision, editor_id=editor().id, note="mend", now=now(),
                    subject=current.subject, preheader=current.preheader, markdown=markdown)  # fmt: skip
    lost = len(wanted) - len(places)
    if lost:
        return see_other(goal, speech().plural("One picture could not be fetched.", "%(n)s pictures could not be fetched.", lost))
    return see_other(goal, mark("The pictures are here now."))


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
