"""Adding editors, logging in and out, the first start, counting against abuse."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from newsletter.accounts import queries
from newsletter.accounts.models import ROLES, Editor, Fact, LoginSession, Membership, Throttle
from newsletter.accounts.passwords import check_password, hash_password
from newsletter.errors import Conflict, Refused
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.orm import insert_into
from newsletter.publications.models import Publication
from newsletter.tokens import digest, new_secret

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200  # argon2 would hash megabytes, slowly
TRIES = 5
PAUSE = timedelta(minutes=1)
IDLE = timedelta(hours=12)  # P1
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True)
class LogIn:
    """What became of a log-in: the secret of the new session, or how many tries are left."""

    secret: str = ""
    tries_left: int = 0


def add_editor(session: Session, *, email: str, name: str, password: str, language: str = "de", role: str = "owner", now: datetime) -> int:
    """Add a person who may log in, with a role in every publication there is; give back the id.

    Raises:
        Refused: the address or the password cannot stand.
        Conflict: the address is taken.
    """
    address = parse(email)
    check_new_password(password)
    if role not in ROLES:
        raise Refused(mark("There is no role called “%(role)s”."), field="role", role=role)
    if session.scalar(select(Editor.id).where(Editor.email == address.canonical)):
        raise Conflict(mark("Somebody logs in with this address already."), field="email")
    editor = Editor(
        email=address.canonical,
        name=name.strip()[:120] or address.text.partition("@")[0],
        password_hash=hash_password(password),
        language=language,
        created_at=now,
    )
    session.add(editor)
    session.flush()
    for publication_id in session.scalars(select(Publication.id)):
        join(session, editor_id=editor.id, publication_id=publication_id, role=role)
    return editor.id


def check_new_password(password: str) -> None:
    """Raises Refused when a password is too short or too long. There are no other rules (NIST 800-63B)."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(mark("A password has at least %(n)s characters. Three or four words are easy to remember."), field="password", n=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise Refused(mark("A password has at most %(n)s characters."), field="password", n=LONGEST_PASSWORD)


def join(session: Session, *, editor_id: int, publication_id: int, role: str) -> None:
    """Give an editor a role in a publication."""
    session.add(Membership(editor_id=editor_id, publication_id=publication_id, role=role))
    session.flush()


def log_in(session: Session, *, email: str, password: str, network: str, remember: bool, now: datetime) -> LogIn:
    """Check a password and open a session.

    A refusal is a value and not an error: the count of tries must be committed.
    """
    try:
        canonical = parse(email).canonical
    except Refused:
        canonical = "-"
    key = f"log-in:{digest(f'{canonical} {network}')}"
    if count(session, key=key, window=PAUSE, now=now) > TRIES:
        return LogIn(tries_left=0)
    editor = session.scalar(select(Editor).where(Editor.email == canonical))
    if not check_password(editor.password_hash if editor else None, password[:LONGEST_PASSWORD]) or editor is None:
        tries = session.scalar(select(Throttle.count).where(Throttle.key == key)) or 0
        return LogIn(tries_left=max(0, TRIES - tries))
    session.execute(delete(Throttle).where(Throttle.key == key))
    return LogIn(secret=open_session(session, editor_id=editor.id, remember=remember, now=now))


def open_session(session: Session, *, editor_id: int, remember: bool = False, now: datetime) -> str:
    """Log a browser in; give back the secret for its cookie."""
    secret = new_secret()
    lifetime = REMEMBERED if remember else IDLE
    session.add(LoginSession(digest=digest(secret), editor_id=editor_id, created_at=now, seen_at=now, expires_at=now + lifetime))
    session.flush()
    return secret


def keep_alive(session: Session, row: LoginSession, *, now: datetime) -> None:
    """Somebody is still there: a session that is not remembered lasts 12 idle hours."""
    session.execute(update(LoginSession).where(LoginSession.id == row.id).values(seen_at=now, expires_at=max(row.expires_at, now + IDLE)))


def log_out(session: Session, *, secret: str) -> None:
    """Close one session."""
    session.execute(delete(LoginSession).where(LoginSession.digest == digest(secret)))


def change_password(session: Session, editor: Editor, *, old: str, new: str) -> None:
    """Change a password and end every session of its owner (P1).

    Raises:
        Refused: the old one is wrong, or the new one cannot stand.
    """
    if not check_password(editor.password_hash, old[:LONGEST_PASSWORD]):
        raise Refused(mark("That is not your present password."), field="old")
    check_new_password(new)
    editor.password_hash = hash_password(new)
    session.execute(delete(LoginSession).where(LoginSession.editor_id == editor.id))
    session.flush()


def offer_setup(session: Session, *, now: datetime) -> str:
    """A new one-time secret for the first start; empty when somebody has an account already (P10)."""
    if queries.anyone(session):
        return ""
    secret = new_secret()
    state_fact(session, name="setup", value=digest(secret), now=now)
    return secret


def take_over(session: Session, *, secret: str, email: str, name: str, password: str, language: str, now: datetime) -> int:
    """The first editor takes the installation over with the secret from the console.

    Raises:
        Refused: the secret is not the latest one, or it was used.
    """
    if queries.anyone(session) or not secret or queries.fact(session, "setup") != digest(secret):
        raise Refused(mark("This set-up address is not valid any more. The console shows a new one at every start."))
    editor_id = add_editor(session, email=email, name=name, password=password, language=language, now=now)
    state_fact(session, name="setup", value="", now=now)
    return editor_id


def state_fact(session: Session, *, name: str, value: str, now: datetime) -> None:
    """Remember something about the installation. Several processes may do so at the same moment."""
    insert = insert_into(session, Fact).values(name=name, value=value, changed_at=now)
    session.execute(insert.on_conflict_do_update(index_elements=[Fact.name], set_={"value": value, "changed_at": now}))
    for row in session:
        if isinstance(row, Fact):
            session.expire(row)


def count(session: Session, *, key: str, window: timedelta, now: datetime) -> int:
    """Count one event and say how many there were in the running window, this one included."""
    row = session.get(Throttle, key)
    if row is None or row.expires_at <= now:
        session.merge(Throttle(key=key, count=1, expires_at=now + window))
        session.flush()
        return 1
    row.count += 1
    session.flush()
    return row.count


def forget_counts(session: Session, *, now: datetime) -> None:
    """Drop windows and sessions that are over."""
    session.execute(delete(Throttle).where(Throttle.expires_at <= now))
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
