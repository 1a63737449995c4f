"""Brings the archive to its targets, checks what lies there, and writes down how it went."""

import logging
from datetime import timedelta

from archive_site.mirror import mirror, verify
from archive_site.targets import KINDS, Account, TargetRefused
from archive_site.targets import Target as Place
from newsletter.archive import actions
from newsletter.archive.models import Target
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.tokens import TokenInvalid

log = logging.getLogger(__name__)

CHECK_EVERY = timedelta(days=7)


def run(process: Process, target_id: int) -> None:
    """Do what a target waits for."""
    with process.writing() as session:
        if not actions.claim_target(session, target_id, now=process.clock()):
            return
    with process.reading() as session:
        row = session.get_one(Target, target_id)
        out = process.settings.archive_dir / get(session, row.publication_id).slug
    # Databases give numbers away again, so the moment belongs to the name under which we remember what lies there.
    name = f"{row.id} {row.created_at.isoformat()}"
    try:
        place = _open(process, row)
        wrong = verify(out, name, place) if row.wish == "check" else None
        done = mirror(out, name, place)
    except TargetRefused as error:
        with process.writing() as session:
            actions.target_refused(session, target_id, str(error), now=process.clock())
        log.warning("target %s: %s", target_id, error)
        return
    with process.writing() as session:
        actions.target_done(session, target_id, files=done.files, wrong=None if wrong is None else len(wrong), again=CHECK_EVERY, now=process.clock())


def _open(process: Process, row: Target) -> Place:
    try:
        secret = process.tokens.decrypt(row.secret) if row.secret else ""
    except TokenInvalid as error:
        raise TargetRefused("Its secret cannot be read: SECRET_KEY is not the one it was stored with.") from error
    return KINDS[row.kind](Account(row.place, secret, process.settings.data_dir / "targets"))
