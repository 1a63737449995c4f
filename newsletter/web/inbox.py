"""The inbox: who waits, what they wrote, and what is answered."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response, abort, request, url_for

from newsletter.accounts.access import editor, role
from newsletter.accounts.queries import who_may
from newsletter.bounces.queries import totals
from newsletter.broker import ring
from newsletter.channels.queries import names
from newsletter.conversations import actions, letters, queries, showing
from newsletter.conversations.actors import send_answer
from newsletter.conversations.models import PLACES, STATES, Conversation, Message
from newsletter.errors import Conflict, NotFound, Refused
from newsletter.http import Reply, links, now, page, process, see_other, session, speech, writing
from newsletter.i18n import Speech, mark
from newsletter.inbound import queries as inbound
from newsletter.issues.models import Issue
from newsletter.mail.incoming.letter import parts_of
from newsletter.mail.incoming.mime import Part, read
from newsletter.notices.actors import send_notice
from newsletter.publications.models import Publication
from newsletter.web.deeds import DEEDS

views = Blueprint("inbox", __name__)


@views.get("/admin/<slug>/inbox")
@role("editor")
def index(publication: Publication) -> Reply:
    place, state = request.args.get("place", "readers"), request.args.get("state", "open")
    if place not in PLACES or state not in STATES:
        abort(404)
    query = request.args.get("q", "").strip()
    mine = editor().id if request.args.get("mine") else None
    try:
        shelf = queries.shelf(
            session(), publication.id, place=place, state="" if place == "spam" else state, query=query, after=request.args.get("after", ""), editor_id=mine
        )
    except ValueError:
        abort(404)
    since = now() - timedelta(days=30)
    return page(
        "conversations/index.html", shelf=shelf, place=place, state=state, q=query, mine=mine, counts=queries.counts(session(), publication.id),
        waiting=queries.waiting(session(), publication.id), now=now(), sorted_out=inbound.sorted_out(session(), publication.id, since),
        bounced=sum(totals(session(), publication.id, since).values()), aside=len(inbound.unsettled(session(), publication.id)),
        mailbox=inbound.mailbox_of(session(), publication.id), door=process().settings.open_door,
    )  # fmt: skip


@views.get("/admin/<slug>/inbox/<int:conversation_id>")
@role("editor")
def show(publication: Publication, conversation_id: int) -> Reply:
    return _show(publication, queries.get(session(), publication.id, conversation_id))


def _show(publication: Publication, conversation: Conversation, status: int = 200, error: str = "", text: str = "") -> Response:
    said = queries.messages(session(), conversation.id)
    story = queries.story(session(), conversation)
    saved = queries.saved(session(), publication.id)
    chosen = next((one.text for one in saved if str(one.id) == request.args.get("saved")), "")
    ways = names(session(), publication.id)
    return page(
        "conversations/show.html", status, conversation=conversation, messages=said, attachments=queries.attachments(session(), said), story=story,
        issue=session().get(Issue, conversation.issue_id) if conversation.issue_id else None, saved=saved, error=error, now=now(),
        elsewhere=next((one.sender for one in reversed(said) if one.kind == "in"), ""),
        text=text or chosen, newest=max((one.id for one in said if one.kind != "note"), default=0),
        people={one.id: one for one in who_may(session(), publication.id, "editor")}, rich=_rich(publication, conversation),
        channel=ways.get(story.subscription.channel_id or 0) if story.subscription else None,
        letters={one.message_id: one for one in letters.of_conversation(session(), conversation.id)}, neighbours=queries.neighbours(session(), conversation),
    )  # fmt: skip


def thanks(publication: Publication) -> str:
    """The words of a thank-you, in the publication's language."""
    return Speech(publication.language)(THANKS)


THANKS = mark("Thank you for your lines! I was glad about them.")


def _rich(publication: Publication, conversation: Conversation) -> dict[str, object]:
    """The formatted text of the one message for which somebody asks."""
    number = request.args.get("rich", "")
    if not number.isdigit():
        return {}
    message = queries.message(session(), conversation, int(number))
    mail = _mail_of(message)
    if mail is None:
        return {}
    images = bool(request.args.get("images"))
    place: Callable[[int], str] = lambda picture: url_for(  # noqa: E731 -- one address
        "inbox.picture", slug=publication.slug, conversation_id=conversation.id, message_id=message.id, number=picture
    )
    html, pictures = showing.formatted(mail, place if images else None)
    return {"id": message.id, "html": html, "pictures": pictures, "images": images}


def _mail_of(message: Message) -> Part | None:
    raw = inbound.raw_of(session(), message.arrival_id) if message.arrival_id else None
    return read(raw) if raw else None


@views.get("/admin/<slug>/inbox/<int:conversation_id>/<int:message_id>/picture/<int:number>")
@role("editor")
def picture(publication: Publication, conversation_id: int, message_id: int, number: int) -> Reply:
    """A picture of a mail, fetched and made anew by us (no request of the reader's browser goes anywhere)."""
    message = queries.message(session(), queries.get(session(), publication.id, conversation_id), message_id)
    mail = _mail_of(message)
    found = showing.picture_of(mail, number, process().web) if mail else None
    if found is None:
        abort(404)
    return Response(found.data, mimetype="image/png" if found.extension == "png" else "image/jpeg")


@views.get("/admin/<slug>/inbox/<int:conversation_id>/attachment/<int:attachment_id>")
@role("editor")
def attachment(publication: Publication, conversation_id: int, attachment_id: int) -> Reply:
    """What came along, to be saved. It is never opened here, whatever it says it is; a picture may be shown, made anew."""
    conversation = queries.get(session(), publication.id, conversation_id)
    row = queries.attachment(session(), conversation, attachment_id)
    mail = _mail_of(queries.message(session(), conversation, row.message_id))
    parts = parts_of(mail) if mail is not None else []
    if row.part >= len(parts):
        raise NotFound(mark("This file is not there any more."))
    data = parts[row.part].content()
    if request.args.get("shown"):
        found = showing.remade(data)
        if found is None:
            abort(404)
        return Response(found.data, mimetype="image/png" if found.extension == "png" else "image/jpeg")
    response = Response(data, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=row.name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@views.post("/admin/<slug>/inbox/<int:conversation_id>/answer")
@role("editor")
def answer(publication: Publication, conversation_id: int) -> Reply:
    form = request.form
    text = thanks(publication) if form.get("thank") else form.get("text", "")
    try:
        with writing() as writer:
            conversation = queries.get(writer, publication.id, conversation_id)
            seen = int(form.get("seen", "0")) if form.get("seen", "0").isdigit() else 0
            message = actions.answer(
                writer, publication, conversation, text=text, editor_id=editor().id, close=bool(form.get("close") or form.get("thank")), seen=seen, now=now()
            )
    except (Refused, Conflict) as error:
        session().expire_all()
        return _show(publication, queries.get(session(), publication.id, conversation_id), 422, speech().refusal(error), text)
    ring(send_answer, message.id)
    return see_other(url_for("inbox.show", slug=publication.slug, conversation_id=conversation_id, _anchor=f"m{message.id}"))


@views.post("/admin/<slug>/inbox/<int:conversation_id>/<any(read, note, close, reopen, fold, unfold, assign, labels, save, stay, leave):what>")
@role("editor")
def act(publication: Publication, conversation_id: int, what: str) -> Reply:
    """Everything else that is done with a conversation."""
    try:
        with writing() as writer:
            said = DEEDS[what](writer, publication, queries.get(writer, publication.id, conversation_id))
    except Refused as error:
        return _show(publication, queries.get(session(), publication.id, conversation_id), 422, speech().refusal(error), request.form.get("text", ""))
    if what == "read":
        return Response(status=204)
    if what in ("close", "fold"):
        return see_other(url_for("inbox.index", slug=publication.slug), said)
    return see_other(url_for("inbox.show", slug=publication.slug, conversation_id=conversation_id), said)


@views.post("/admin/<slug>/inbox/<int:conversation_id>/<int:message_id>/withdraw")
@role("editor")
def withdraw(publication: Publication, conversation_id: int, message_id: int) -> Reply:
    """Take an answer back that has not left; its words stand in the field again."""
    try:
        with writing() as writer:
            conversation = queries.get(writer, publication.id, conversation_id)
            words = actions.withdraw(writer, conversation, queries.message(writer, conversation, message_id), now=now())
    except Conflict as error:
        session().expire_all()
        return _show(publication, queries.get(session(), publication.id, conversation_id), 409, speech().refusal(error))
    session().expire_all()
    return _show(publication, queries.get(session(), publication.id, conversation_id), text=words)


@views.post("/admin/<slug>/inbox/<int:conversation_id>/<int:message_id>/letter")
@role("editor")
def ask(publication: Publication, conversation_id: int, message_id: int) -> Reply:
    """Ask whether her lines may stand below the letter; a mail goes out, and she decides."""
    try:
        with writing() as writer:
            conversation = queries.get(writer, publication.id, conversation_id)
            message = queries.message(writer, conversation, message_id)
            notice_id = letters.ask(writer, links(), publication, conversation, message, text=request.form.get("text", ""), now=now())
    except (Refused, Conflict) as error:
        return _show(publication, queries.get(session(), publication.id, conversation_id), 422, speech().refusal(error))
    ring(send_notice, notice_id)
    return see_other(url_for("inbox.show", slug=publication.slug, conversation_id=conversation_id), mark("Asked. You see the answer here."))
