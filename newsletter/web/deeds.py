"""What is done with a conversation by one button; each gives back what to say about it."""

from collections.abc import Callable

from flask import request
from sqlalchemy.orm import Session

from newsletter.accounts.access import editor
from newsletter.accounts.queries import who_may
from newsletter.conversations import actions, queries
from newsletter.conversations.models import Conversation
from newsletter.http import now
from newsletter.i18n import mark
from newsletter.publications.models import Publication
from newsletter.subscriptions.actions import end
from newsletter.subscriptions.models import Subscriber


def _read(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.read(writer, row.id)
    return ""


def _note(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.note(writer, row, text=request.form.get("text", ""), editor_id=editor().id, now=now())
    return ""


def _close(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.close(writer, row)
    return mark("The conversation is closed.")


def _reopen(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.reopen(writer, row, now=now())
    return ""


def _fold(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.fold(writer, row)
    return mark("Folded away. It stays under Spam.")


def _unfold(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.unfold(writer, row)
    return ""


def _assign(writer: Session, publication: Publication, row: Conversation) -> str:
    known = {str(one.id): one.id for one in who_may(writer, publication.id, "editor")}
    actions.assign(writer, row, known.get(request.form.get("editor", "")))
    return ""


def _labels(writer: Session, publication: Publication, row: Conversation) -> str:
    actions.label(writer, row, request.form.get("labels", ""))
    return ""


def _save(writer: Session, publication: Publication, row: Conversation) -> str:
    if request.form.get("forget", "").isdigit():
        actions.forget_answer(writer, publication.id, int(request.form["forget"]))
        return ""
    actions.save_answer(writer, publication.id, name=request.form.get("name", ""), text=request.form.get("text", ""))
    return mark("Kept. You find it below the next answer.")


def _stay(writer: Session, publication: Publication, row: Conversation) -> str:
    row.suggestion = ""
    return ""


def _leave(writer: Session, publication: Publication, row: Conversation) -> str:
    """She asked for it in her own words, and a person has read them."""
    story = queries.story(writer, row)
    subscriber = writer.get(Subscriber, row.subscriber_id) if row.subscriber_id else None
    row.suggestion = ""
    if story.subscription is None or subscriber is None:
        return ""
    end(writer, story.subscription, subscriber, how=f"asked for it by mail, read by {editor().email}", now=now())
    return mark("No more letters go there.")


DEEDS: dict[str, Callable[[Session, Publication, Conversation], str]] = {
    "read": _read, "note": _note, "close": _close, "reopen": _reopen, "fold": _fold, "unfold": _unfold, "assign": _assign, "labels": _labels,
    "save": _save, "stay": _stay, "leave": _leave,
}  # fmt: skip
