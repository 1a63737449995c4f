"""Followers come and go, issues are announced, mentions are taken and decided on."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from archive_site.visibility import Shown
from newsletter.errors import Refused
from newsletter.federation import policy, queries, signatures
from newsletter.federation.models import ActorKey, Follower, Mention, Ping
from newsletter.i18n import mark
from newsletter.issues.models import Issue
from newsletter.issues.policy import shown
from newsletter.links import Links
from newsletter.orm import insert_into
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.tokens import Tokens

LONGEST = 500  # characters of an address
MOST_FOLLOWERS = 100_000
LEASE = timedelta(minutes=10)


def key_of(session: Session, tokens: Tokens, publication_id: int) -> ActorKey:
    """The key of a publication; it is made when somebody asks for the first time. The session has to be one that writes."""
    row = session.get(ActorKey, publication_id)
    if row is None:
        private, public = signatures.new_key()
        row = ActorKey(publication_id=publication_id, private=tokens.encrypt(private), public=public)
        session.add(row)
        session.flush()
    return row


def follow(session: Session, links: Links, publication: Publication, *, actor: dict[str, Any], activity: dict[str, Any], now: datetime) -> None:
    """Somebody follows; an answer is queued. Following twice is following once.

    Raises:
        Refused: the account cannot be answered.
    """
    shared = actor.get("endpoints") if isinstance(actor.get("endpoints"), dict) else {}
    inbox = str((shared or {}).get("sharedInbox") or actor.get("inbox") or "")
    own = str(actor.get("inbox") or inbox)
    where = str(actor.get("id", ""))
    if not all(address.startswith(("https://", "http://")) and len(address) <= LONGEST for address in (where, inbox, own)):
        raise Refused(mark("This account cannot be answered."))
    row = session.scalar(select(Follower).where(Follower.publication_id == publication.id, Follower.actor == where))
    if row is None:
        if queries.followers(session, publication.id) >= MOST_FOLLOWERS:
            raise Refused(mark("This account cannot be answered."))
        row = Follower(publication_id=publication.id, actor=where, created_at=now)
        session.add(row)
    row.inbox, row.follow_id = inbox, str(activity.get("id", ""))[:LONGEST]
    session.flush()
    body = json.dumps(policy.accept(links, publication, activity, row.id), ensure_ascii=False)
    session.add(Ping(publication_id=publication.id, kind="activity", place=own, body=body, next_attempt_at=now, created_at=now))
    session.flush()


def unfollow(session: Session, publication_id: int, *, actor: str) -> None:
    """Somebody does not follow any more, or is gone."""
    session.execute(delete(Follower).where(Follower.publication_id == publication_id, Follower.actor == actor))


def tell_hub(session: Session, links: Links, publication: Publication, *, now: datetime) -> None:
    """The feeds have changed (WebSub)."""
    base = archive_base(publication, links)
    if publication.hub:
        # Topics change with every letter, so this one is said again each time.
        session.execute(delete(Ping).where(Ping.publication_id == publication.id, Ping.kind == "websub", Ping.state != "queued"))
        _queue(session, publication.id, 0, "websub", publication.hub, json.dumps([f"{base}{name}" for name in ("atom.xml", "rss.xml", "feed.json")]), now)


def announce(session: Session, links: Links, publication: Publication, *, issue: Issue, article: dict[str, Any], html: str, now: datetime) -> None:
    """Tell followers, and the pages that an issue links to. Each is told once.

    Args:
        article: the issue as an object of ActivityStreams.
    """
    base = archive_base(publication, links)
    body = json.dumps(policy.create(links, publication, article, issue.id), ensure_ascii=False)
    for inbox in queries.inboxes(session, publication.id):
        _queue(session, publication.id, issue.id, "activity", inbox, body, now)
    for target in policy.outside_links(html, base):
        if len(target) <= LONGEST:
            _queue(session, publication.id, issue.id, "webmention", target, f"{base}{issue.slug}/", now)
    issue.announced_at = now
    session.flush()


def _queue(session: Session, publication_id: int, issue_id: int, kind: str, place: str, body: str, now: datetime) -> None:
    row = {"publication_id": publication_id, "issue_id": issue_id, "kind": kind, "place": place, "body": body, "state": "queued", "attempts": 0, "problem": ""}
    session.execute(insert_into(session, Ping).values(**row, next_attempt_at=now, created_at=now).on_conflict_do_nothing())


def claim(session: Session, kind: type[Ping] | type[Mention], number: int, *, now: datetime) -> bool:
    """Take a ping or a mention into one's hands for a while; whether it was free and due."""
    won = session.execute(update(kind).where(kind.id == number, kind.next_attempt_at <= now).values(next_attempt_at=now + LEASE))
    assert isinstance(won, CursorResult)
    return won.rowcount == 1


def settle(session: Session, ping_id: int, *, problem: str = "", final: bool = False, now: datetime) -> None:
    """Write down what came of saying something.

    Args:
        problem: why it did not work; empty, if it did.
        final: trying again would change nothing.
    """
    row = session.get_one(Ping, ping_id)
    row.attempts += 1
    row.problem = problem[:500]
    if not problem:
        row.state, row.next_attempt_at = "done", None
    elif final or row.attempts >= policy.ATTEMPTS:
        row.state, row.next_attempt_at = "failed", None
    else:
        row.next_attempt_at = now + policy.wait(row.attempts)


def lose(session: Session, publication_id: int, inbox: str) -> None:
    """An inbox says that it is gone for ever: so are those behind it."""
    session.execute(delete(Follower).where(Follower.publication_id == publication_id, Follower.inbox == inbox))


def receive(session: Session, links: Links, publication: Publication, *, source: str, target: str, now: datetime) -> int:
    """Take a webmention; the page is looked at later. Give back its id.

    Raises:
        Refused: source or target cannot be (W3C Webmention, 3.2.1).
    """
    base = archive_base(publication, links)
    for address, field in ((source, "source"), (target, "target")):
        if not address.startswith(("https://", "http://")) or len(address) > LONGEST:
            raise Refused(mark("This is no address of a page."), field=field)
    if source.partition("#")[0] == target.partition("#")[0] or source.startswith(base):
        raise Refused(mark("A page cannot mention itself."), field="source")
    slug = target.partition("#")[0].removeprefix(base).strip("/") if target.startswith(base) else ""
    issue = session.scalar(select(Issue).where(Issue.publication_id == publication.id, Issue.slug == slug, Issue.state == "published", Issue.kind == "letter"))
    if issue is None or shown(publication, issue, now) != Shown.LISTED:
        raise Refused(mark("There is no such letter."), field="target")
    row = session.scalar(select(Mention).where(Mention.issue_id == issue.id, Mention.source == source))
    if row is None:
        row = Mention(publication_id=publication.id, issue_id=issue.id, source=source, created_at=now)
        session.add(row)
    row.target, row.attempts, row.next_attempt_at = target, 0, now
    session.flush()
    return row.id


def found(session: Session, mention_id: int, words: policy.Words | None) -> int | None:
    """The page was looked at. Give back the issue if what is shown below it changes."""
    row = session.get_one(Mention, mention_id)
    row.next_attempt_at, row.problem, row.attempts = None, "", 0
    was_shown = row.state == "shown"
    if words is None:
        row.become("gone")
        return row.issue_id if was_shown else None
    changed = (row.author, row.words) != (words.author, words.excerpt)
    row.author, row.words = words.author[:120], words.excerpt[:500]
    # What was refused stays so; what was shown and says something else now is looked at again.
    if row.state in ("new", "gone") or (was_shown and changed):
        row.become("waiting")
    return row.issue_id if was_shown and changed else None


def not_found(session: Session, mention_id: int, problem: str, *, now: datetime) -> None:
    """The page did not answer; try again, a few times."""
    row = session.get_one(Mention, mention_id)
    row.attempts += 1
    row.problem = problem[:500]
    row.next_attempt_at = now + policy.wait(row.attempts) if row.attempts < 6 else None
    if row.next_attempt_at is None and row.state == "new":
        row.become("gone")


def decide(session: Session, mention: Mention, *, show: bool) -> None:
    """Show a mention below its issue, or do not.

    Raises:
        Conflict: its page has not been looked at, or is gone.
    """
    mention.become("shown" if show else "refused")
    session.flush()
