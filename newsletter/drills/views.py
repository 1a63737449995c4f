"""The drill, from the choice of what fails to the protocol, for editors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request, url_for

from newsletter.accounts.access import editor, role
from newsletter.announcements import actions as announcements
from newsletter.announcements.actors import send_announcement
from newsletter.announcements.queries import Row, of_drill, outlets
from newsletter.announcements.views import length
from newsletter.broker import ring
from newsletter.channels.catalogue import usual
from newsletter.channels.queries import names
from newsletter.deliveries.leaving import send_test
from newsletter.deliveries.queries import of_issue, pace
from newsletter.drills import actions, policy, queries
from newsletter.drills.models import Drill
from newsletter.errors import Refused
from newsletter.http import Reply, links, now, page, see_other, session, speech, writing
from newsletter.i18n import mark
from newsletter.issues.composition import compose
from newsletter.issues.models import Issue
from newsletter.publications.models import Publication
from newsletter.radar.queries import measure
from newsletter.sms import actions as sms
from newsletter.sms import policy as texts
from newsletter.sms import queries as phones
from newsletter.sms.actors import send_text
from newsletter.sms.views import ending

views = Blueprint("drills", __name__)


@views.get("/admin/<slug>/reach/drills")
@role("viewer")
def index(publication: Publication) -> Reply:
    return _index(publication)


def _index(publication: Publication, status: int = 200, error: str = "") -> Response:
    """Choose what fails, and see at once what it would mean. Nothing is written down by looking."""
    found = policy.targets(list(names(session(), publication.id).values()), actions.everything(speech().language))
    radar = measure(session(), publication, now())
    largest = f"channel:{radar.largest.key}" if radar.largest else ""
    chosen = request.values.get("target", "") or largest or (found[0].key if found else "")
    span = request.values.get("span", "hours")
    outcome = None
    if any(one.key == chosen for one in found) and span in policy.SPANS:
        texting = phones.reachable(session(), publication.id)
        outcome = policy.outcome(radar, policy.target(found, chosen), span, texts=texting, a_second=pace(session(), publication.id))
    return page(
        "drills/index.html", status, targets=found, chosen=chosen, span=span, outcome=outcome, error=error, open=queries.open_one(session(), publication.id),
        past=[(one, _moments(one)) for one in queries.past(session(), publication.id)], name=next((one.name for one in found if one.key == chosen), ""),
    )  # fmt: skip


@views.post("/admin/<slug>/reach/drills")
@role("editor")
def begin(publication: Publication) -> Reply:
    form = request.form
    try:
        with writing() as writer:
            drill_id = actions.begin(
                writer, links(), publication=publication, target=form.get("target", ""), span=form.get("span", ""), editor_id=editor().id, who=editor().name,
                now=now(),
            )  # fmt: skip
    except Refused as error:
        return _index(publication, 422, speech().refusal(error))
    return see_other(url_for("drills.show", slug=publication.slug, drill_id=drill_id))


@views.get("/admin/<slug>/reach/drills/<int:drill_id>")
@role("viewer")
def show(publication: Publication, drill_id: int) -> Reply:
    return _show(publication, queries.get(session(), publication.id, drill_id))


def _show(publication: Publication, drill: Drill, status: int = 200, errors: dict[str, str] | None = None, said: str = "") -> Response:
    issue = session().get(Issue, drill.issue_id) if drill.issue_id else None
    posts = of_drill(session(), drill.id)
    lengths = _lengths(publication, posts)
    ready = _readiness(publication, drill, issue)
    text = request.form.get("text", "") if errors else ""
    prepared = text or policy.text_message(_facts(publication, drill))
    size = texts.size(f"{texts.spelled(prepared)}\n{ending(publication)}")
    gateway = phones.gateway(session(), publication.id)
    reachable = phones.reachable(session(), publication.id) if drill.state == "open" else drill.outcome["texts"]
    return page(
        "drills/show.html", status, drill=drill, issue=issue, posts=posts, lengths=lengths, ready=ready, errors=errors or {}, said=said, events=_moments(drill),
        mailing=of_issue(session(), issue.id) if issue else None, text=prepared, size=size, gateway=gateway, people=reachable,
        cost=texts.cost(reachable, size.parts, gateway.price if gateway else 0), notes=phones.notes_of_drill(session(), drill.id), now=now(), links=links(),
    )  # fmt: skip


def _facts(publication: Publication, drill: Drill) -> policy.Facts:
    channels = list(names(session(), publication.id).values())
    found = policy.targets(channels, actions.everything(publication.language))
    gone = next((one for one in found if one.key == drill.target), policy.Target(drill.target, drill.name, ()))
    return actions.facts_of(links(), publication, channels, gone, drill.span)


def _moments(drill: Drill) -> list[dict[str, Any]]:
    return [{**event, "at": datetime.fromisoformat(event["at"])} for event in drill.events]


def _lengths(publication: Publication, posts: Sequence[Row]) -> dict[int, tuple[int, int]]:
    accounts = outlets(session(), publication.id)
    return {row.announcement.id: length(row, accounts.get(row.channel.id)) for row in posts}


def _readiness(publication: Publication, drill: Drill, issue: Issue | None) -> dict[str, tuple[bool, str]]:
    """For each way that is left: whether something is ready for it, and what. Of a drill that is over: what was laid down then."""
    if drill.state == "closed":
        missing: list[str] = next((event["missing"] for event in drill.events if event["what"] == "finished"), [])
        return {key: (name not in missing, "") for key, name, _, _ in drill.outcome["ways"]}
    # A letter links to our own archive; on a machine where somebody tries things out that is nobody's mistake.
    checked = issue is not None and all(one.id == "link-private" for one in compose(session(), publication, issue, links(), now()).errors)
    rows = of_drill(session(), drill.id)
    posts, lengths = {row.channel.id: row.announcement for row in rows}, _lengths(publication, rows)
    found: dict[str, tuple[bool, str]] = {}
    known = names(session(), publication.id)
    for key, _, _, _ in drill.outcome["ways"]:
        channel = known.get(int(key)) if key.isdigit() else None
        if key == "list":
            found[key] = (checked, mark("emergency letter, checked") if checked else mark("emergency letter with errors"))
        elif key == "followers":
            found[key] = (True, mark("goes along by itself"))
        elif channel is None:
            found[key] = (False, mark("not there any more"))
        elif channel.kind == "feed":
            found[key] = (True, mark("goes along by itself"))
        elif channel.id in posts and lengths[posts[channel.id].id][0] > lengths[posts[channel.id].id][1]:
            found[key] = (False, mark("its text is too long"))
        elif channel.id in posts:
            found[key] = (True, mark("text to copy") if posts[channel.id].way == "hand" else mark("post, waits for your go"))
        elif usual(channel.kind).post:
            found[key] = (False, mark("no text yet"))
        else:
            found[key] = (False, mark("nothing can be prepared here"))
    return found


@views.post("/admin/<slug>/reach/drills/<int:drill_id>/<any(dry, posts, letter, text, finish):part>")
@role("editor")
def act(publication: Publication, drill_id: int, part: str) -> Reply:
    """A copy to oneself; for real the posts, the letter, the text message; or the end."""
    drill = queries.get(session(), publication.id, drill_id)
    do = {"dry": _dry, "posts": _let_posts_go, "letter": _letter, "text": _text, "finish": _finish}[part]
    try:
        if drill.state != "open":
            raise Refused(mark("This drill is finished already."))
        return do(publication, drill)
    except Refused as error:
        return _show(publication, queries.get(session(), publication.id, drill_id), 422, {error.field or part: speech().refusal(error)})


def _dry(publication: Publication, drill: Drill) -> Reply:
    issue = session().get(Issue, drill.issue_id) if drill.issue_id else None
    if issue is None:
        raise Refused(mark("The emergency letter is gone. Finish this drill and begin another one."))
    begun = now()
    reply = send_test(publication, compose(session(), publication, issue, links(), now()), editor().email)
    with writing() as writer:
        row = queries.get(writer, publication.id, drill.id)
        actions.note(writer, row, "dry", now=now(), to=editor().name, seconds=max(1, round((now() - begun).total_seconds())))
    said = speech()("The test mail to %(email)s was taken: %(reply)s", email=editor().email, reply=reply)
    return _show(publication, queries.get(session(), publication.id, drill.id), said=said)


def _let_posts_go(publication: Publication, drill: Drill) -> Reply:
    with writing() as writer:
        ready = [row.announcement for row in of_drill(writer, drill.id) if row.announcement.state == "ready"]
        rows = [row.id for row in ready]
        for row in ready:
            announcements.release(writer, row, now=now())
        actions.note(writer, queries.get(writer, publication.id, drill.id), "posts", now=now(), number=len(rows))
    for announcement_id in rows:
        ring(send_announcement, announcement_id)
    return see_other(url_for("drills.show", slug=publication.slug, drill_id=drill.id), mark("The posts are on their way. What you post by hand waits below."))


def _letter(publication: Publication, drill: Drill) -> Reply:
    """For real: to the last look before sending, with the right readers chosen. Only there it is sent."""
    with writing() as writer:
        row = queries.get(writer, publication.id, drill.id)
        issue = writer.get(Issue, drill.issue_id) if drill.issue_id else None
        if issue is None:
            raise Refused(mark("The emergency letter is gone. Finish this drill and begin another one."))
        came = request.form.get("to") == "came"
        issue.segment_id = actions.take_part(writer, row, publication=publication, now=now()) if came else None
        actions.note(writer, row, "letter", now=now(), to="came" if came else "all")
        issue_id = issue.id
    return see_other(url_for("mailings.prepare", slug=publication.slug, issue_id=issue_id))


def _text(publication: Publication, drill: Drill) -> Reply:
    form = request.form
    if "send" not in form:
        return _show(publication, drill, 200, {"": ""})
    with writing() as writer:
        sent = sms.send_note(
            writer, publication=publication, text=form.get("text", ""), ending=ending(publication), drill_id=drill.id, editor_id=editor().id,
            expected=(form.get("people", 0, int), form.get("cost", 0, int)), now=now(),
        )  # fmt: skip
        number = sent.recipients
        actions.note(writer, queries.get(writer, publication.id, drill.id), "text", now=now(), number=number, cost=sent.cost)
        due = phones.due(writer, now())
    for message_id in due:
        ring(send_text, message_id)
    return see_other(url_for("drills.show", slug=publication.slug, drill_id=drill.id), mark("The message is on its way to %(n)s people."), n=number)


def _finish(publication: Publication, drill: Drill) -> Reply:
    issue = session().get(Issue, drill.issue_id) if drill.issue_id else None
    ready = _readiness(publication, drill, issue)
    missing = [name for key, name, _, _ in drill.outcome["ways"] if not ready[key][0]]
    with writing() as writer:
        row = queries.get(writer, publication.id, drill.id)
        actions.finish(writer, row, text=request.form.get("note", ""), missing=missing, now=now())
        for one in of_drill(writer, drill.id):
            if one.announcement.state == "ready":
                announcements.cancel(writer, one.announcement, now=now())
    return see_other(url_for("drills.index", slug=publication.slug) + "#past", mark("The protocol is laid down."))
