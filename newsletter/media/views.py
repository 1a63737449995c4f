"""Serving and taking images."""

import re

from flask import Blueprint, Response, abort, jsonify, request, send_from_directory

from newsletter.accounts.access import role
from newsletter.errors import Refused
from newsletter.http import Reply, now, open_to_all, process, speech, writing
from newsletter.media import actions, queries
from newsletter.media.policy import LARGEST_FILE
from newsletter.publications.models import Publication

views = Blueprint("media", __name__)


@views.get("/media/<name>")
@open_to_all
def show(name: str) -> Reply:
    """An image. Its name is random and its bytes never change, so it may be kept for a year."""
    if not re.fullmatch(r"[a-f0-9]{16}(?:-\d{1,3}-\d{1,3})?\.(?:jpg|png)", name):
        abort(404)
    response: Response = send_from_directory(queries.folder(process().settings), name, max_age=31_536_000)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # mail programs in a browser load it
    return response


@views.post("/admin/<slug>/media")
@role("author")
def upload(publication: Publication) -> Reply:
    """Take an image from the editor; the answer is what to write into the text."""
    file = request.files.get("file")
    if file is None:
        return jsonify(problem=speech()("No file came along.")), 422  # type: ignore[return-value]
    try:
        with writing() as writer:
            image = actions.add_image(
                writer,
                folder=queries.folder(process().settings),
                publication_id=publication.id,
                data=file.stream.read(LARGEST_FILE + 1),
                original=file.filename or "",
                now=now(),
            )
    except Refused as error:
        return jsonify(problem=speech().refusal(error)), 422  # type: ignore[return-value]
    return jsonify(path=f"/media/{image.name}", alt=image.alt, width=image.width, height=image.height)
