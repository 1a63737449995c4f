"""What stands beside the text: snippets, answers of polls, comments, ideas, a day in the calendar."""

from datetime import date, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from newsletter.errors import Conflict, NotFound, Refused
from newsletter.i18n import mark
from newsletter.issues.actions import add_issue
from newsletter.issues.models import Comment, Idea, Issue, Snippet, Voice, Vote
from newsletter.issues.policy import LONGEST_SNIPPET
from newsletter.orm import insert_into
from newsletter.slugs import slugify
from newsletter.tokens import Tokens


def put_snippet(session: Session, publication_id: int, *, name: str, markdown: str, now: datetime) -> None:
    """Write a snippet, or write it anew.

    Raises:
        Refused: its name cannot stand behind three colons, or it is too long.
    """
    name = slugify(name)[:60]
    if not name:
        raise Refused(mark("Give it a name of letters and digits."), field="name")
    if len(markdown) > LONGEST_SNIPPET:
        raise Refused(mark("%(n)s characters are too many here; %(limit)s are possible."), field="markdown", n=len(markdown), limit=LONGEST_SNIPPET)
    known = session.scalar(select(Snippet).where(Snippet.publication_id == publication_id, Snippet.name == name))
    if known is None:
        session.add(Snippet(publication_id=publication_id, name=name, markdown=markdown, changed_at=now))
    else:
        known.markdown, known.changed_at = markdown, now
    session.flush()


def drop_snippet(session: Session, publication_id: int, snippet_id: int) -> None:
    """Delete a snippet. Issues that have left keep its words."""
    session.execute(delete(Snippet).where(Snippet.id == snippet_id, Snippet.publication_id == publication_id))


def vote(session: Session, issue_id: int, poll: int, choice: int) -> None:
    """Count an answer. One number rises; nothing else is kept."""
    row = {"issue_id": issue_id, "poll": poll, "choice": choice, "count": 1}
    query = insert_into(session, Vote).values(row)
    session.execute(query.on_conflict_do_update(index_elements=["issue_id", "poll", "choice"], set_={"count": Vote.count + 1}))


def say(session: Session, tokens: Tokens, *, issue_id: int, question: int, subscription_id: int, choice: int) -> None:
    """An answer of somebody we know, counted once: another one takes its place. Who it was cannot be read from it (L8).

    Args:
        question: the number of a poll, or 0 for whether the letter was worth reading.
    """
    prints = tokens.fingerprints("voice", f"{issue_id}-{question}-{subscription_id}")
    session.execute(delete(Voice).where(Voice.issue_id == issue_id, Voice.question == question, Voice.fingerprint.in_(prints)))
    session.execute(insert_into(session, Voice).values(issue_id=issue_id, question=question, fingerprint=prints[0], choice=choice).on_conflict_do_nothing())


def comment(session: Session, issue: Issue, *, editor_id: int, quote: str, words: str, now: datetime) -> int:
    """Say something about a passage; give back its id.

    Raises:
        Refused: it says nothing.
    """
    if not words.strip():
        raise Refused(mark("Write something first."), field="words")
    row = Comment(issue_id=issue.id, editor_id=editor_id, quote=" ".join(quote.split())[:300], words=words.strip()[:2000], created_at=now)
    session.add(row)
    session.flush()
    return row.id


def settle(session: Session, issue: Issue, comment_id: int, *, now: datetime) -> None:
    """What was said is done with."""
    session.execute(update(Comment).where(Comment.id == comment_id, Comment.issue_id == issue.id).values(settled_at=now))


def call_ready(session: Session, issue: Issue, *, editor_id: int | None, ready: bool, now: datetime) -> None:
    """Its author has done her part, or takes it back.

    Raises:
        Conflict: it has gone out.
    """
    if issue.state == "published":
        raise Conflict(mark("This issue has gone out. What was sent cannot be changed any more."))
    issue.ready_at, issue.ready_by = (now, editor_id) if ready else (None, None)
    session.flush()


def plan(session: Session, issue: Issue, day: date | None) -> None:
    """Put a draft on a day of the calendar. Nothing leaves by it.

    Raises:
        Conflict: it has gone out, or has an hour already.
    """
    if issue.state != "draft":
        raise Conflict(mark("Only a draft can be moved. What has its hour keeps it until you change it."))
    issue.planned_on = day
    session.flush()


def add_idea(session: Session, publication_id: int, *, editor_id: int | None, words: str, now: datetime) -> int:
    """Note what one could write about; give back its id.

    Raises:
        Refused: it says nothing.
    """
    if not words.strip():
        raise Refused(mark("Write something first."), field="words")
    row = Idea(publication_id=publication_id, editor_id=editor_id, words=words.strip()[:2000], created_at=now)
    session.add(row)
    session.flush()
    return row.id


def take_up(session: Session, publication_id: int, idea_id: int, *, author_id: int | None, now: datetime) -> int:
    """Begin an issue with an idea, which then is one no more; give back the issue.

    Raises:
        NotFound: somebody has taken it up already.
    """
    idea = session.get(Idea, idea_id)
    if idea is None or idea.publication_id != publication_id:
        raise NotFound(mark("There is no such idea any more."))
    subject, _, rest = idea.words.partition("\n")
    text = rest.strip() if len(subject) <= 120 else idea.words
    issue_id = add_issue(
        session, publication_id=publication_id, author_id=author_id, subject=" ".join(subject.split())[:120], markdown=f"{text}\n" if text else "", now=now
    )
    session.delete(idea)
    session.flush()
    return issue_id


def drop_idea(session: Session, publication_id: int, idea_id: int) -> None:
    """An idea is not wanted any more."""
    session.execute(delete(Idea).where(Idea.id == idea_id, Idea.publication_id == publication_id))
