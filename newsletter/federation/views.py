"""What other servers ask: who we are, who follows, and that they have mentioned us."""

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, request

from archive_site.twins import CONTEXT
from newsletter.accounts.actions import count
from newsletter.broker import ring
from newsletter.errors import NotFound, Refused
from newsletter.federation import actions, policy, queries, signatures
from newsletter.federation.actors import send_ping
from newsletter.fetching import Unreachable
from newsletter.http import Reply, links, network, now, open_to_all, process, session, without_csrf, writing
from newsletter.issues.queries import published
from newsletter.publications.models import Publication
from newsletter.publications.policy import archive_base
from newsletter.publications.queries import by_slug

views = Blueprint("federation", __name__)

LARGEST = 256 * 1024
MOST_AN_HOUR = 60


def _publication(slug: str) -> Publication:
    try:
        return by_slug(session(), slug)
    except NotFound:
        abort(404)


def _json(values: dict[str, Any], kind: str = policy.JSON) -> Response:
    response = make_response(json.dumps(values, ensure_ascii=False))
    response.mimetype = kind
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@views.get("/.well-known/webfinger")
@open_to_all
def webfinger() -> Reply:
    """Where an account is (RFC 7033)."""
    asked = request.args.get("resource", "")
    found = re.fullmatch(r"(?:acct:)?@?([a-z0-9-]+)@(.+)", asked)
    slug = found.group(1) if found and found.group(2) == policy.host_of(links()) else asked.removeprefix(links().actor("")).strip("/")
    return _json(policy.webfinger(links(), _publication(slug)), "application/jrd+json")


@views.get("/ap/<slug>")
@open_to_all
def actor(slug: str) -> Reply:
    """The publication as an account. People are led to its archive."""
    publication = _publication(slug)
    if "json" not in request.headers.get("Accept", ""):
        return redirect(archive_base(publication, links()), 302)  # type: ignore[return-value]
    row = queries.key(session(), publication.id)
    if row is None:
        abort(404)
    return _json(policy.actor(links(), publication, row.public))


@views.get("/ap/<slug>/followers")
@open_to_all
def followers(slug: str) -> Reply:
    """How many follow; who they are is nobody's business."""
    publication = _publication(slug)
    where = f"{links().actor(slug)}/followers"
    return _json({"@context": CONTEXT, "id": where, "type": "OrderedCollection", "totalItems": queries.followers(session(), publication.id)})


@views.get("/ap/<slug>/outbox")
@open_to_all
def outbox(slug: str) -> Reply:
    """The latest issues, by their addresses in the archive."""
    publication = _publication(slug)
    base, where = archive_base(publication, links()), links().actor(slug)
    listed = queries.listed(published(session(), publication.id, limit=40), publication, now())
    items = [policy.announced(where, f"{base}{issue.slug}/index.json", issue.id, issue.published_at) for issue in listed[:20] if issue.published_at]
    return _json({"@context": CONTEXT, "id": f"{where}/outbox", "type": "OrderedCollection", "totalItems": len(items), "orderedItems": items})


@views.post("/ap/<slug>/inbox")
@open_to_all
@without_csrf
def inbox(slug: str) -> Reply:
    """Somebody follows, or does not any more. Everything else is heard and forgotten."""
    publication = _publication(slug)
    body = request.get_data(cache=False) if (request.content_length or 0) <= LARGEST else abort(413)
    _limit("inbox")
    try:
        activity = json.loads(body)
        kind, where = str(activity["type"]), str(activity["actor"])
    except (ValueError, KeyError, TypeError):
        return "This is no activity.", 400
    if kind not in ("Follow", "Undo", "Delete"):
        return "", 202
    if kind == "Delete" and activity.get("object") != where:
        return "", 202
    try:
        author = _author(where, body)
    except (Unreachable, signatures.SignatureWrong) as error:
        # A deleted account has no key to be asked for any more; what it had here goes when its server says so to a letter.
        return (str(error), 401) if kind != "Delete" else ("", 202)
    return _heard(publication, kind, activity, author)


def _heard(publication: Publication, kind: str, activity: dict[str, Any], author: dict[str, Any]) -> Reply:
    inside = activity.get("object")
    try:
        with writing() as writer:
            if kind == "Follow" and inside == links().actor(publication.slug):
                actions.follow(writer, links(), publication, actor=author, activity=activity, now=now())
            elif kind == "Delete" or (isinstance(inside, dict) and inside.get("type") == "Follow"):
                actions.unfollow(writer, publication.id, actor=str(author["id"]))
    except Refused:
        return "This account cannot be answered.", 422
    for number in queries.pings_due(session(), now()):
        ring(send_ping, number)
    return "", 202


def _author(where: str, body: bytes) -> dict[str, Any]:
    """The account that an activity comes from, once its signature has proved that.

    Raises:
        SignatureWrong, Unreachable
    """
    headers = {key.lower(): value for key, value in request.headers.items()}
    key_id = signatures.key_id_of(headers)
    if urlsplit(key_id).netloc != urlsplit(where).netloc:
        raise signatures.SignatureWrong("The key belongs to another server.")
    answer = process().web.get(where, {"Accept": policy.JSON})
    try:
        author = json.loads(answer.body)
        public = author["publicKey"]
        if author["id"] != where or public["id"] != key_id or public["owner"] != where:
            raise signatures.SignatureWrong("The key is not that of the account.")
        pem = str(public["publicKeyPem"])
    except (ValueError, KeyError, TypeError) as error:
        raise signatures.SignatureWrong("The account cannot be read.") from error
    signatures.verify(pem, headers, "post", request.full_path.rstrip("?"), body, now())
    return dict(author)


@views.post("/webmention/<slug>")
@open_to_all
@without_csrf
def webmention(slug: str) -> Reply:
    """A page says that it links to an issue (W3C Webmention). It is looked at later, and shown when an editor says so."""
    publication = _publication(slug)
    _limit("webmention")
    source, target = request.form.get("source", ""), request.form.get("target", "")
    try:
        with writing() as writer:
            actions.receive(writer, links(), publication, source=source, target=target, now=now())
    except Refused as error:
        return str(error), 400
    return "Thank you. Somebody will look at it.", 202


def _limit(kind: str) -> None:
    with writing() as writer:
        if count(writer, key=f"{kind}:{network()}", window=timedelta(hours=1), now=now()) > MOST_AN_HOUR:
            abort(429)
