"""Adding and changing forms. A changed consent is a new version; what was shown before stays what it was."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import Refused
from newsletter.forms import policy, queries
from newsletter.forms.models import Form, FormVersion, Wording
from newsletter.i18n import mark
from newsletter.orm import insert_into
from newsletter.publications.models import Publication
from newsletter.slugs import slugify, unused

COLUMNS = (
    "name", "headline", "lead", "button", "consent", "language", "ask_name", "fields", "tags", "origins",
    "show_letters", "show_readers", "thanks", "thanks_url", "welcome", "welcome_text", "state",
)  # fmt: skip


def wording(session: Session, text: str) -> int:
    """The number of a text that people consent to; two processes may write down the same one at the same moment."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    query = select(Wording.id).where(Wording.digest == digest)
    found = session.scalar(query)
    if found is None:
        session.execute(insert_into(session, Wording).values(digest=digest, text=text).on_conflict_do_nothing(index_elements=[Wording.digest]))
        found = session.scalars(query).one()
    return found


def add_form(
    session: Session,
    *,
    publication: Publication,
    name: str,
    headline: str,
    lead: str,
    button: str = "",
    consent: str = "",
    ask_name: bool = False,
    now: datetime,
) -> int:
    """Add a sign-up form; give back its id."""
    taken = {form.slug for form in queries.all_of(session, publication.id)}
    form = Form(
        publication_id=publication.id,
        slug=unused(slugify(name, 50) or "form", taken),
        name=name,
        headline=headline,
        lead=lead,
        button=button or policy.BUTTON[publication.language],
        consent=consent or policy.CONSENT[publication.language].format(name=publication.name),
        ask_name=ask_name,
        created_at=now,
    )
    session.add(form)
    session.flush()
    session.add(FormVersion(form_id=form.id, number=1, wording_id=wording(session, form.consent), since=now))
    session.flush()
    return form.id


def change_form(session: Session, form: Form, *, values: Mapping[str, Any], now: datetime) -> None:
    """Change a form. Other words of the consent become its next version.

    Raises:
        Refused: something is missing that a form needs; ``field`` says what.
    """
    for name in ("name", "headline", "button", "consent"):
        if name in values and not str(values[name]).strip():
            raise Refused(mark("This must not be empty."), field=name)
    address = str(values.get("thanks_url", ""))
    if address and not address.startswith(("https://", "http://")):
        raise Refused(mark("The address should begin with https://."), field="thanks_url")
    consent = form.consent
    for name in COLUMNS:
        if name in values:
            setattr(form, name, values[name])
    form.changed_at = now
    if form.consent != consent:
        session.add(FormVersion(form_id=form.id, number=queries.next_version(session, form.id), wording_id=wording(session, form.consent), since=now))
    session.flush()
