"""Counted links: a number rises, the reader goes on. They stand only in letters to those who agreed (L8)."""

from datetime import timedelta

from flask import Blueprint, abort, redirect, request
from sqlalchemy import update

from newsletter.channels.policy import looks_like_a_machine
from newsletter.deliveries.models import Click
from newsletter.deliveries.queries import of_issue
from newsletter.http import Reply, open_to_all, process, session
from newsletter.orm import insert_into
from newsletter.process import Process
from newsletter.tokens import TokenInvalid

views = Blueprint("clicks", __name__)
KEPT = timedelta(days=3650)


@views.get("/c/<token>")
@open_to_all
def follow(token: str) -> Reply:
    """Go on to where the link leads. The target stands in the frozen letter, never in the address (A4)."""
    try:
        issue_id, number = (int(part) for part in process().tokens.load("click", token, KEPT).split("-"))
    except (TokenInvalid, ValueError):
        abort(404)
    mailing = of_issue(session(), issue_id)
    targets = mailing.content.get("links", []) if mailing else []
    if not 0 <= number < len(targets):
        abort(404)
    response = redirect(targets[number], 302)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    if not looks_like_a_machine(request.method, dict(request.headers)):
        # After the answer: nobody waits for a database that is writing a million letters down.
        current = process()
        response.call_on_close(lambda: count(current, issue_id, number))
    return response  # type: ignore[return-value]


def count(current: Process, issue_id: int, number: int) -> None:
    """Add one. Nothing else is written, neither when nor by whom."""
    with current.writing() as writer:
        writer.execute(insert_into(writer, Click).values(issue_id=issue_id, link=number, count=0).on_conflict_do_nothing())
        writer.execute(update(Click).where(Click.issue_id == issue_id, Click.link == number).values(count=Click.count + 1))
