"""Pictures that lie elsewhere, brought here."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.errors import Refused
from newsletter.fetching import Unreachable, Web
from newsletter.media.actions import add_image
from newsletter.media.policy import LARGEST_FILE
from newsletter.media.queries import folder
from newsletter.settings import Settings

IMAGE = re.compile(r"!\[[^\]\n]*\]\((\S+?)(?=[\s)])")
MOST = 300


def pictures_in(markdown: str) -> list[str]:
    """The addresses of the pictures that a text shows, each once."""
    return list(dict.fromkeys(IMAGE.findall(markdown)))[:MOST]


def foreign_pictures(markdown: str) -> list[str]:
    """Those of them that lie on somebody else's server."""
    return [address for address in pictures_in(markdown) if address.startswith("http")]


def picture_at(web: Web, address: str) -> bytes:
    """The bytes of a picture, or nothing. The client goes to no network of ours (C7)."""
    try:
        answer = replace(web, largest=LARGEST_FILE).get(address)
    except Unreachable:
        return b""
    return answer.body if answer.status == 200 else b""


def keep_pictures(session: Session, settings: Settings, publication_id: int, fetched: Mapping[str, bytes], *, now: datetime) -> dict[str, str]:
    """Keep what is a picture; give back where each lies now, by the address that it had."""
    places = {}
    for address, data in fetched.items():
        try:
            image = add_image(session, folder=folder(settings), publication_id=publication_id, data=data, original=address.rpartition("/")[2], now=now)
        except Refused:
            continue
        places[address] = f"/media/{image.name}"
    return places
