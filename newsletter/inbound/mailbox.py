"""Reading an IMAP mailbox (RFC 3501): fetch without marking, store, commit, and only then mark as read (B3, B4)."""

import contextlib
import imaplib
import logging
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from newsletter.errors import BrieftaubeError, Refused
from newsletter.i18n import mark
from newsletter.inbound import actions, policy, queries
from newsletter.inbound.models import Mailbox
from newsletter.process import Process
from newsletter.tokens import TokenInvalid, Tokens

log = logging.getLogger(__name__)

PATIENCE = 20.0
AT_ONCE = 200
SECURITY = ("tls", "starttls", "none")


class MailboxTrouble(BrieftaubeError):
    """The mailbox cannot be read. One sentence says why."""


@dataclass(frozen=True)
class Access:
    """How to get into a mailbox.

    Args:
        security: tls from the first byte, starttls, or none for a server on this machine.
    """

    host: str
    port: int
    security: str
    username: str
    password: str
    folder: str


def put(session: Session, tokens: Tokens, publication_id: int, access: Access, *, now: datetime) -> Mailbox:
    """Read this mailbox from now on; an empty password means the one that is known.

    Raises:
        Refused: something is missing or makes no sense.
    """
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,253}", access.host) or not 0 < access.port < 65536 or access.security not in SECURITY:
        raise Refused(mark("Host, port and security do not belong together like this."), field="host")
    if not access.username or any(letter in access.username + access.password + access.folder for letter in "\r\n\0"):
        raise Refused(mark("User or password is missing."), field="username")
    row = queries.mailbox_of(session, publication_id)
    if row is None and not access.password:
        raise Refused(mark("User or password is missing."), field="password")
    if row is None:
        row = Mailbox(publication_id=publication_id, secret="", next_look_at=now)
        session.add(row)
    if (row.host, row.username, row.folder) != (access.host, access.username, access.folder):
        row.validity, row.uid = 0, 0
    row.host, row.port, row.security, row.username, row.folder = access.host, access.port, access.security, access.username, access.folder
    row.secret = tokens.encrypt(access.password) if access.password else row.secret
    row.trouble, row.next_look_at = "", now
    session.flush()
    return row


def look(process: Process, mailbox_id: int) -> int:
    """Take what is new out of a mailbox; gives back how many mails. Trouble is written beside it."""
    now = process.clock()
    with process.writing() as session:
        row = session.get(Mailbox, mailbox_id)
        if row is None or row.next_look_at > now:
            return 0
        # Whoever else rings meanwhile finds that somebody is at it.
        row.next_look_at = now + policy.LOOK_AFTER_TROUBLE
        publication_id, validity, uid, since = row.publication_id, row.validity, row.uid, row.looked_at
        secret, access = row.secret, Access(row.host, row.port, row.security, row.username, "", row.folder)
    try:
        password = process.tokens.decrypt(secret)
        taken = _read(process, mailbox_id, publication_id, access, password, validity, uid, since)
    except (TokenInvalid, MailboxTrouble, imaplib.IMAP4.error, OSError) as error:
        _end(process, mailbox_id, str(error) or type(error).__name__, now)
        return 0
    _end(process, mailbox_id, "", now)
    return taken


def _end(process: Process, mailbox_id: int, trouble: str, now: datetime) -> None:
    with process.writing() as session:
        row = session.get(Mailbox, mailbox_id)
        if row is not None:
            row.trouble, row.looked_at = trouble[:500], now if not trouble else row.looked_at
            row.next_look_at = now + (policy.LOOK_AFTER_TROUBLE if trouble else policy.LOOK_EVERY)


def _read(process: Process, mailbox_id: int, publication_id: int, access: Access, password: str, validity: int, uid: int, since: datetime | None) -> int:
    taken = 0
    with _opened(access, password) as (client, now_valid, next_uid):
        if validity == 0:
            # The first look: what lies there already was read by somebody.
            _remember(process, mailbox_id, now_valid, next_uid - 1)
            return 0
        if now_valid != validity:
            # All numbers are new (RFC 3501 §2.3.1.1). What was stored is known by its bytes.
            uid = 0
        for number in _new(client, uid, since if uid == 0 else None)[:AT_ONCE]:
            size, raw = _fetch(client, number)
            if raw:
                with process.writing() as session:
                    actions.keep(session, raw, door="imap", publication_id=publication_id, now=process.clock())
                    _note(session, mailbox_id, now_valid, number)
                client.uid("STORE", str(number), "+FLAGS.SILENT", "(\\Seen)")
                taken += 1
            else:
                log.warning("a mail of %s bytes in %s is too large and stays there", size, access.host)
                _remember(process, mailbox_id, now_valid, number)
    return taken


def _remember(process: Process, mailbox_id: int, validity: int, uid: int) -> None:
    with process.writing() as session:
        _note(session, mailbox_id, validity, uid)


def _note(session: Session, mailbox_id: int, validity: int, uid: int) -> None:
    row = session.get_one(Mailbox, mailbox_id)
    row.validity, row.uid = validity, uid


@contextlib.contextmanager
def _opened(access: Access, password: str) -> Iterator[tuple[imaplib.IMAP4, int, int]]:
    """A connection with the folder open; its validity, and the number that the next mail will get."""
    context = ssl.create_default_context()
    if access.security == "tls":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(access.host, access.port, ssl_context=context, timeout=PATIENCE)
    else:
        client = imaplib.IMAP4(access.host, access.port, timeout=PATIENCE)
    try:
        if access.security == "starttls":
            client.starttls(context)
        client.login(access.username, password)
        answer, data = client.select(_quoted(access.folder))
        if answer != "OK":
            raise MailboxTrouble(f"The folder {access.folder} cannot be opened: {_told(data)}")
        yield client, _number(client, "UIDVALIDITY"), _number(client, "UIDNEXT")
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            client.logout()
        with contextlib.suppress(OSError):
            client.shutdown()


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(client: imaplib.IMAP4, name: str) -> int:
    _, data = client.response(name)
    told = data[0] if data else None
    return int(told) if isinstance(told, bytes) and told.isdigit() else 1


def _new(client: imaplib.IMAP4, uid: int, since: datetime | None) -> list[int]:
    criteria = ("UID", f"{uid + 1}:*") if since is None else ("SINCE", (since - timedelta(days=2)).strftime("%d-%b-%Y"))
    _, data = client.uid("SEARCH", *criteria)
    found = [int(one) for one in (data[0] or b"").split()] if data else []
    # "n:*" names the last mail even when its number is smaller (RFC 3501 §6.4.8).
    return sorted(one for one in found if one > uid)


def _fetch(client: imaplib.IMAP4, number: int) -> tuple[int, bytes]:
    """Size and bytes of a mail; no bytes where it is too large."""
    _, data = client.uid("FETCH", str(number), "(RFC822.SIZE)")
    found = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(one for one in data if isinstance(one, bytes)))
    size = int(found[1]) if found else 0
    if size > policy.LARGEST:
        return size, b""
    _, data = client.uid("FETCH", str(number), "(BODY.PEEK[])")
    return size, next((one[1] for one in data if isinstance(one, tuple) and isinstance(one[1], bytes)), b"")


def _told(data: Sequence[object]) -> str:
    first = data[0] if data else b""
    return first.decode("utf-8", "replace")[:200] if isinstance(first, bytes) else str(first)[:200]


def forget(session: Session, publication_id: int) -> None:
    """Read this publication's mailbox no more; its password goes."""
    row = queries.mailbox_of(session, publication_id)
    if row is not None:
        session.delete(row)
        session.flush()
