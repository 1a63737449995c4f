"""Reading forms and wordings."""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFound
from newsletter.forms.models import Form, FormVersion, Wording
from newsletter.i18n import mark


def first_form(session: Session, publication_id: int) -> Form | None:
    """The form that the hosted page shows: the oldest open one."""
    return session.scalar(select(Form).where(Form.publication_id == publication_id).order_by(Form.state.desc(), Form.id).limit(1))


def all_of(session: Session, publication_id: int) -> Sequence[Form]:
    """The forms of a publication, oldest first."""
    return session.scalars(select(Form).where(Form.publication_id == publication_id).order_by(Form.id)).all()


def by_slug(session: Session, publication_id: int, slug: str) -> Form:
    """One form.

    Raises:
        NotFound: there is none, or it is another publication's.
    """
    form = session.scalar(select(Form).where(Form.publication_id == publication_id, Form.slug == slug))
    if form is None:
        raise NotFound(mark("There is no such form."))
    return form


def get(session: Session, publication_id: int, form_id: int | None) -> Form | None:
    """A form by its number, if it is this publication's."""
    form = session.get(Form, form_id) if form_id else None
    return form if form is not None and form.publication_id == publication_id else None


def versions(session: Session, form_id: int) -> list[tuple[FormVersion, Wording]]:
    """The wordings that a form has shown, newest first."""
    rows = session.execute(
        select(FormVersion, Wording)
        .join(Wording, Wording.id == FormVersion.wording_id)
        .where(FormVersion.form_id == form_id)
        .order_by(FormVersion.number.desc())
    )
    return [(row[0], row[1]) for row in rows]


def wording_of(session: Session, form: Form, wording_id: int | None = None) -> int:
    """The wording that a person was shown: the one that is named, if this form ever showed it, or else the present one (L2)."""
    shown = select(FormVersion.wording_id).where(FormVersion.form_id == form.id)
    if wording_id and session.scalar(shown.where(FormVersion.wording_id == wording_id).limit(1)):
        return wording_id
    return session.scalars(shown.order_by(FormVersion.number.desc()).limit(1)).one()


def texts(session: Session, ids: Iterable[int]) -> dict[int, Wording]:
    """Wordings by number."""
    return {row.id: row for row in session.scalars(select(Wording).where(Wording.id.in_(set(ids))))}


def fields_of(session: Session, publication_id: int) -> dict[str, dict[str, object]]:
    """Every question that any form of a publication asks, by key."""
    return {one["key"]: one for form in all_of(session, publication_id) for one in form.fields}


def next_version(session: Session, form_id: int) -> int:
    """The number of the next wording."""
    return (session.scalar(select(func.max(FormVersion.number)).where(FormVersion.form_id == form_id)) or 0) + 1
