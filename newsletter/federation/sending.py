"""Says what is queued, and looks at pages that mention us."""

import json
import logging
from urllib.parse import urlencode

from newsletter.federation import actions, policy, signatures
from newsletter.federation.models import Mention, Ping
from newsletter.fetching import Unreachable
from newsletter.process import Process
from newsletter.publications.models import Publication

log = logging.getLogger(__name__)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ping(process: Process, ping_id: int) -> None:
    """Say one thing, once; it may be tried again later."""
    with process.writing() as session:
        if not actions.claim(session, Ping, ping_id, now=process.clock()):
            return
    with process.reading() as session:
        row = session.get_one(Ping, ping_id)
        publication = session.get_one(Publication, row.publication_id)
    try:
        problem, final = {"websub": _websub, "webmention": _webmention, "activity": _activity}[row.kind](process, publication, row)
    except Unreachable as error:
        problem, final = str(error), False
    with process.writing() as session:
        actions.settle(session, ping_id, problem=problem, final=final, now=process.clock())
        if final and row.kind == "activity" and problem.startswith(("404", "410")):
            actions.lose(session, row.publication_id, row.place)


def _websub(process: Process, publication: Publication, row: Ping) -> tuple[str, bool]:
    topics = [("hub.mode", "publish"), *(("hub.url", topic) for topic in json.loads(row.body))]
    answer = process.web.post(row.place, urlencode(topics).encode(), FORM)
    return ("", False) if answer.status < 300 else (f"{answer.status} from the hub", False)


def _webmention(process: Process, publication: Publication, row: Ping) -> tuple[str, bool]:
    page = process.web.get(row.place, {"Accept": "text/html"})
    where = policy.endpoint(page.text if "html" in page.headers.get("content-type", "") else "", dict(page.headers), page.address)
    if not where:
        return "That page takes no webmentions.", True
    answer = process.web.post(where, urlencode({"source": row.body, "target": row.place}).encode(), FORM)
    if answer.status < 300:
        return "", False
    return f"{answer.status} from {where}", 400 <= answer.status < 500


def _activity(process: Process, publication: Publication, row: Ping) -> tuple[str, bool]:
    with process.writing() as session:
        key = actions.key_of(session, process.tokens, publication.id)
    body = row.body.encode()
    key_id = f"{process.links.actor(publication.slug)}#main-key"
    headers = signatures.sign(process.tokens.decrypt(key.private), key_id, row.place, body, process.clock())
    answer = process.web.post(row.place, body, headers)
    return ("", False) if answer.status < 300 else (f"{answer.status} from the inbox", answer.status in (404, 410))


def look(process: Process, mention_id: int) -> int | None:
    """Look at a page that says it mentions us; give back the issue whose page changes by that."""
    with process.writing() as session:
        if not actions.claim(session, Mention, mention_id, now=process.clock()):
            return None
    with process.reading() as session:
        row = session.get_one(Mention, mention_id)
    try:
        answer = process.web.get(row.source, {"Accept": "text/html"})
    except Unreachable as error:
        with process.writing() as session:
            actions.not_found(session, mention_id, str(error), now=process.clock())
        return None
    words = None
    if answer.status < 300:
        words = policy.mentions(answer.text, answer.address, row.target)
    elif answer.status not in (404, 410):
        with process.writing() as session:
            actions.not_found(session, mention_id, f"{answer.status} from {row.source}", now=process.clock())
        return None
    with process.writing() as session:
        return actions.found(session, mention_id, words)
