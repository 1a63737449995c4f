"""Reading a file through: looked at, taken over, or taken back. A chunk is a transaction, and the place in the file is part of it."""

import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.deliveries.models import Delivery
from newsletter.errors import Refused
from newsletter.forms.actions import wording
from newsletter.forms.models import Wording
from newsletter.growth.actions import Key, add_all, key
from newsletter.i18n import mark
from newsletter.imports import actions, reading
from newsletter.imports.models import ChangedRow, Import, RefusedRow
from newsletter.imports.parsing import Chunk, chunks
from newsletter.imports.policy import mapping_of
from newsletter.imports.writing import Counts, Writer, keep_refused
from newsletter.orm import in_bulk, take_turns
from newsletter.process import Process
from newsletter.publications.models import Publication
from newsletter.publications.queries import by_slug
from newsletter.subscriptions.actions import forget_strays
from newsletter.subscriptions.models import Consent, Subscriber, Subscription

Transaction = Callable[[], AbstractContextManager[Session]]

log = logging.getLogger(__name__)

UNDO_CHUNK = 2_000


def run(process: Process, import_id: int) -> None:
    """Work on an import until it is done, or until the program stops; then somebody goes on where it stopped."""
    with process.writing() as session:
        job = actions.claim(session, import_id, now=process.clock())
    if job is None:
        return
    try:
        if job.state == "undoing":
            _undo(process, job)
        else:
            with _few_collections():
                _read(process, job)
    except Refused as error:
        with process.writing() as session:
            row = session.get_one(Import, import_id)
            row.become("failed")
            row.trouble = str(error)[:500]
            # What a page says in the language of whoever looks.
            row.shape = row.shape | {"trouble": {"message": error.message, "values": {name: str(value) for name, value in error.values.items()}}}
            row.settled_at, row.lease_until = process.clock(), None


@contextmanager
def _few_collections() -> Iterator[None]:
    """Rows are tuples without cycles; looking for garbage among them a thousand times costs a fifth of the whole."""
    before = gc.get_threshold()
    gc.set_threshold(500_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _read(process: Process, job: Import) -> None:
    path = actions.file_of(process.settings, job.id)
    if not path.exists():
        raise Refused(mark("The file is gone. Please upload it again."))
    with process.writing() as session:
        publication = session.get_one(Publication, job.publication_id)
        wording_id = wording(session, job.basis)
        words = session.get_one(Wording, wording_id)
        writer = Writer(process.tokens, job, (wording_id, words.text, words.digest), publication.language, dry=job.state == "checking")
        columns = mapping_of(job.mapping, publication.timezone)
    began = time.perf_counter()
    with in_bulk(process.engine) as transaction:
        for chunk in chunks(path, columns, job.shape["delimiter"], bool(job.shape["header"]), place=job.place, read=job.rows):
            if not _write(transaction, process.clock(), job, writer, chunk, began):
                return
            began = time.perf_counter()
            if process.stopping.is_set():
                break
    if process.stopping.is_set():
        _release(process, job)
        return
    _settle(process, job, "checked" if job.state == "checking" else "done")


def _write(transaction: Transaction, now: datetime, job: Import, writer: Writer, chunk: Chunk, began: float) -> bool:
    """Write a chunk and where it ends in one transaction. False when the import was taken out of our hands."""
    for attempt in range(5):
        try:
            with transaction() as session:
                # Two lists with the same people: chunk by chunk one after the other, or each could be overtaken by the other at every try.
                take_turns(session, 7264835)
                row = session.get_one(Import, job.id, with_for_update=True, populate_existing=True)
                if row.state != job.state or row.place != job.place:
                    return False
                counts = writer.write(session, chunk.rows, now=now)
                if chunk.refused:
                    keep_refused(session, job.id, chunk.refused)
                _count(row, counts, chunk)
                row.seconds += time.perf_counter() - began
                row.lease_until = now + actions.LEASE
            break
        except IntegrityError:
            # Somebody signed up with one of these addresses at this moment: then she is known at the next try.
            if attempt == 4:
                raise
    job.place, job.rows = chunk.place, job.rows + chunk.read
    return True


def _count(row: Import, counts: Counts, chunk: Chunk) -> None:
    row.place, row.rows = chunk.place, row.rows + chunk.read
    row.added += counts.added
    row.updated += counts.updated
    row.unchanged += counts.unchanged
    row.ended += counts.ended
    row.refused += len(counts.refused) + len(chunk.refused)


def _settle(process: Process, job: Import, state: str) -> None:
    with process.writing() as session:
        row = session.get_one(Import, job.id, with_for_update=True, populate_existing=True)
        if row.state == job.state:
            row.become(state)
            row.settled_at, row.lease_until = process.clock(), None
    if state in ("done", "undone"):
        actions.file_of(process.settings, job.id).unlink(missing_ok=True)


def _release(process: Process, job: Import) -> None:
    with process.writing() as session:
        session.execute(update(Import).where(Import.id == job.id).values(lease_until=None))


def _undo(process: Process, job: Import) -> None:
    while True:
        with process.writing() as session:
            gone = _undo_some(session, job, process.clock())
            session.execute(update(Import).where(Import.id == job.id).values(lease_until=process.clock() + actions.LEASE))
        if not gone:
            break
        if process.stopping.is_set():
            _release(process, job)
            return
    with process.writing() as session:
        _give_back(session, job)
    _settle(process, job, "undone")


def _undo_some(session: Session, job: Import, now: datetime) -> int:
    """Take out people whom this import brought and who have decided nothing themselves since."""
    later = select(Consent.id).where(Consent.subscription_id == Subscription.id, Consent.kind != "imported")
    rows = session.execute(
        select(Subscription.id, Subscription.subscriber_id, Subscription.confirmed_at, Subscription.ended_at)
        .where(Subscription.import_id == job.id, ~later.exists())
        .order_by(Subscription.id)
        .limit(UNDO_CHUNK)
    ).all()
    ids = [row[0] for row in rows]
    if not ids:
        return 0
    tallies: dict[Key, int] = {}
    for _, _, confirmed_at, ended_at in rows:
        for kind, at in (("joined", confirmed_at), ("left", ended_at)):
            if at is not None:
                place = key(job.publication_id, kind, at)
                tallies[place] = tallies.get(place, 0) - 1
    add_all(session, tallies)
    quiet = {"synchronize_session": False}
    # Nobody else may ever be taken for them: SQLite gives numbers away again.
    session.execute(
        update(Delivery)
        .where(Delivery.subscriber_id.in_([row[1] for row in rows]), Delivery.subscription_id.in_(ids))
        .values(subscription_id=None)
        .execution_options(**quiet)
    )
    # The trigger that guards consents lets them go only with a subscription that is nobody's any more.
    session.execute(
        update(Subscription).where(Subscription.id.in_(ids)).values(state="unsubscribed", consent_id=None, confirmed_at=None).execution_options(**quiet)
    )
    session.execute(delete(Consent).where(Consent.subscription_id.in_(ids)).execution_options(**quiet))
    session.execute(delete(Subscription).where(Subscription.id.in_(ids)).execution_options(**quiet))
    forget_strays(session, [row[1] for row in rows])
    return len(ids)


def _give_back(session: Session, job: Import) -> None:
    """Names, tags and answers as they were before."""
    for change in session.scalars(select(ChangedRow).where(ChangedRow.import_id == job.id).order_by(ChangedRow.id.desc())):
        row = session.get(Subscription, change.subscription_id)
        if row is not None:
            row.tags, row.answers = change.tags, change.answers
            session.get_one(Subscriber, row.subscriber_id).name = change.name
    session.execute(update(Subscription).where(Subscription.import_id == job.id).values(import_id=None).execution_options(synchronize_session=False))
    session.execute(delete(ChangedRow).where(ChangedRow.import_id == job.id).execution_options(synchronize_session=False))
    session.flush()


def progress(session: Session, job: Import) -> float:
    """How far an import is, from 0 to 1."""
    if job.state == "undoing":
        left = session.scalar(select(func.count()).select_from(Subscription).where(Subscription.import_id == job.id)) or 0
        return 1 - left / max(job.added + job.ended, 1)
    return min(job.place / max(job.size, 1), 1.0)


def bring(process: Process, file: Path, slug: str, *, mapping: Sequence[str], dry: bool, values: dict[str, str]) -> Import:
    """A whole import at once, for the console. Gives back how it ended.

    Raises:
        Refused: the file, a column or the basis cannot stand; then nothing was taken.
    """
    now = process.clock()
    with process.writing() as session, file.open("rb") as stream:
        publication = by_slug(session, slug)
        job = actions.receive(session, process.settings, publication_id=publication.id, editor_id=None, stream=stream, file_name=file.name, now=now)
        stored = {"columns": _columns(job, mapping), "always": values.pop("always", "") or job.mapping["always"]}
        actions.prepare(session, job, values={"mapping": stored, **values}, zone=publication.timezone)
        import_id = job.id
    if not dry:
        # Nothing half done: a file that cannot be read to its end is refused before anybody is taken over.
        reading.scan(actions.file_of(process.settings, import_id), job.shape["delimiter"])
        with process.writing() as session:
            job = session.get_one(Import, import_id)
            job.become("checked")
            actions.start(session, job)
    run(process, import_id)
    with process.reading() as session:
        done = session.get_one(Import, import_id)
    if done.state == "failed":
        raise Refused(done.shape["trouble"]["message"], **done.shape["trouble"]["values"])
    return done


def _columns(job: Import, mapping: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = dict(job.mapping["columns"])
    names = [name.casefold() for name in job.shape["columns"]]
    for pair in mapping:
        name, _, meaning = pair.rpartition("=")
        if name.casefold() not in names:
            raise Refused(mark("There is no column called “%(name)s”."), name=name[:80])
        columns[str(names.index(name.casefold()))] = meaning
    return columns


def refused(session: Session, import_id: int) -> Sequence[RefusedRow]:
    """Every row that was not taken."""
    return session.scalars(select(RefusedRow).where(RefusedRow.import_id == import_id).order_by(RefusedRow.row)).all()
