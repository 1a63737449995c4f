"""An inbox with a hundred thousand messages in it: how soon its pages stand, and what a search takes."""

import random
from datetime import datetime, timedelta
from typing import Any

from newsletter.bench import people
from newsletter.conversations import policy
from newsletter.orm import insert_many, stamp
from newsletter.process import Process

READERS = 20_000
PAGES = {
    "open": "/admin/{slug}/inbox",
    "answered": "/admin/{slug}/inbox?state=answered",
    "closed": "/admin/{slug}/inbox?state=closed",
    "closed, far down": "/admin/{slug}/inbox?state=closed&after={middle}",
    "strangers": "/admin/{slug}/inbox?place=strangers",
    "only mine": "/admin/{slug}/inbox?mine=1&state=closed",
    "one conversation": "/admin/{slug}/inbox/{newest}",
    "what came back": "/admin/{slug}/returns",
    "today": "/admin/{slug}/",
}
SEARCHES = {
    "a common word": "garten", "a rare word": "wort4321", "the beginning of many": "wor", "two common words": "garten frost",
    "three words": "garten wort77 frost", "an address": "leser777", "a tag": "#vorbestellung", "nothing": "zzzzz",
}  # fmt: skip


def run(messages: int, postgres: str = "") -> dict[str, Any]:
    """Milliseconds for each page and search: the 95th of a hundred."""
    with people.with_people(READERS, postgres) as process:
        slug = people.furnish(process)
        middle = _furnish(process, messages)
        people.analyse(process)
        client, _, _ = people.client_of(process)
        newest = messages * 3 // 5
        found = {}
        for name, path in PAGES.items():
            address = path.format(slug=slug, middle=middle, newest=newest)
            found[name] = people.p95(lambda address=address: people.open_page(client, address))  # type: ignore[misc]
        searches = {}
        for name, words in SEARCHES.items():
            address = f"/admin/{slug}/inbox?q={words.replace('#', '%23').replace(' ', '+')}"
            searches[name] = people.p95(lambda address=address: people.open_page(client, address))  # type: ignore[misc]
    return {"database": "postgres" if postgres else "sqlite", "messages": messages, "pages_ms": found, "searches_ms": searches}


def _furnish(process: Process, messages: int) -> str:
    """Three conversations for every five messages, most of them closed; words as unequal as in a language. Gives back a place in the middle."""
    chance = random.Random(3)  # noqa: S311 -- a benchmark needs no secrets
    now, number = process.clock(), messages * 3 // 5
    vocabulary = ["garten", "frost", "danke", "liebe", "mira", *(f"wort{index}" for index in range(20_000))]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    dialect = process.engine.dialect
    conversations: list[tuple[object, ...]] = []
    lines: list[tuple[object, ...]] = []
    words: list[tuple[object, ...]] = []
    for one in range(1, number + 1):
        at = now - timedelta(minutes=(number - one) * 8)
        state = "open" if one > number - 300 else "answered" if one % 9 == 0 else "closed"
        place = "strangers" if one % 17 == 0 else "spam" if one % 23 == 0 else "readers"
        said = chance.choices(vocabulary, weights, k=60)
        reader = one % READERS + 1
        moment = stamp(at, dialect)
        waiting = moment if state == "open" else None
        waited, answered = (None, None) if state == "open" else (chance.randrange(600, 300_000), moment)
        preview, labels = " ".join(said[:20])[:180], '["Vorbestellung"]' if one % 50 == 0 else "[]"
        who = (f"Leser {reader}", f"leser{reader}@example.org")
        mine, kinds = (1 if one % 7 == 0 else None), ("in", "out") if len(lines) + number - one < messages - 1 and state != "open" else ("in",)
        head = (one, 1, reader, None, mine, place, state, *who, "Re: Ein Brief", preview, labels, "", state == "open")
        conversations.append((*head, moment, moment, waiting, waited, answered))
        lines += [_line(one, kind, who, " ".join(said), moment) for kind in kinds]
        found = policy.words_of(*said, *who) | ({"#vorbestellung"} if one % 50 == 0 else set())
        words += [(1, word, one) for word in sorted(found)]
    with process.writing() as session:
        insert_many(session, "conversations", _CONVERSATION, conversations)
        insert_many(session, "messages", _MESSAGE, lines)
        insert_many(session, "conversation_words", ("publication_id", "word", "conversation_id"), words)
    middle = now - timedelta(minutes=number // 2 * 8)
    return f"{_url(middle)}_{number // 2}"


def _url(moment: datetime) -> str:
    return moment.isoformat().replace("+", "%2B")


def _line(conversation: int, kind: str, who: tuple[str, str], text: str, moment: str) -> tuple[object, ...]:
    state = "accepted" if kind == "out" else ""
    return (conversation, kind, moment, *who, "Re: Ein Brief", text, "", False, f"<{conversation}-{kind}@example.org>", "", "", state, "", 0, "")


_CONVERSATION = (
    "id", "publication_id", "subscriber_id", "issue_id", "assignee_id", "place", "state", "name", "email", "subject", "preview", "labels",
    "suggestion", "unread",
    "opened_at", "last_at", "waiting_since", "waited", "answered_at",
)  # fmt: skip
_MESSAGE = (
    "conversation_id", "kind", "at", "name", "email", "subject", "text", "folded", "rich", "message_id", "in_reply_to", '"references"', "state",
    "sender", "attempts", "reply",
)  # fmt: skip
