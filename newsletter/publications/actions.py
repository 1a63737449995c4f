"""Starting and changing publications."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import Conflict
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.publications import policy
from newsletter.publications.models import Publication
from newsletter.slugs import slugify, unused

COLUMNS = (
    "name", "byline", "promise", "about", "rhythm", "greeting", "from_name", "from_address", "reply_to",
    "language", "timezone", "imprint_company", "imprint_person", "imprint_street", "imprint_place",
    "imprint_email", "imprint_phone", "imprint_vat", "imprint_more",
)  # fmt: skip


def add_publication(session: Session, *, values: Mapping[str, str], slug: str = "", now: datetime) -> int:
    """Start a publication; give back its id.

    Args:
        values: columns by name; ``name``, ``from_name`` and ``from_address`` must be among them.
        slug: the name in addresses; made from the name when empty.

    Raises:
        Refused: a value cannot stand; ``field`` says which.
        Conflict: the slug is taken.
    """
    _refuse_wrong(values)
    taken = set(session.scalars(select(Publication.slug)))
    if slug and (slug in taken or slug != slugify(slug, 60)):
        raise Conflict(
            mark("“%(slug)s” cannot be the name in the address: it is taken or has other characters than a–z, 0–9 and hyphens."), field="slug", slug=slug
        )
    slug = slug or unused(slugify(values["name"], 50) or "letter", taken)
    domain = parse(values["from_address"]).domain
    row = Publication(slug=slug, list_id=f"{slug}.{domain}", created_at=now, **_known(values))
    session.add(row)
    session.flush()
    return row.id


def change_publication(session: Session, publication: Publication, *, values: Mapping[str, str]) -> None:
    """Change some columns. The slug and the List-Id stay as they are (F6).

    Raises:
        Refused: a value cannot stand; ``field`` says which.
    """
    _refuse_wrong(values)
    for column, value in _known(values).items():
        setattr(publication, column, value)
    if "ask_feedback" in values:
        publication.ask_feedback = values["ask_feedback"] == "yes"
    if "count_clicks" in values:
        publication.count_clicks = values["count_clicks"] == "yes"
    session.flush()


def _refuse_wrong(values: Mapping[str, str]) -> None:
    for field, error in policy.check(values).items():
        error.field = field
        raise error


def _known(values: Mapping[str, str]) -> dict[str, str]:
    return {column: values[column].strip() for column in COLUMNS if column in values}
