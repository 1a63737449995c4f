"""Where sign-ups are taken: whoever comes while a transaction is being written waits for the next one, together with all others.

So a commit costs a handful of sign-ups, not one each, and there is no timer: the first thread that finds nobody at work
does it for everybody who waits.
"""

import contextlib
import threading
import time
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from newsletter.channels.queries import origins
from newsletter.errors import NotFound
from newsletter.forms.queries import by_slug as form_by_slug
from newsletter.forms.queries import first_form, versions
from newsletter.growth.queries import usual_in_ten_minutes
from newsletter.i18n import mark
from newsletter.process import Process
from newsletter.publications.queries import by_slug
from newsletter.subscriptions.asking import Setting, Wish, ask_all

MOST = 200
FRESH = 2.0


@dataclass
class _Ticket:
    wish: Wish
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class Desk:
    """Takes sign-ups of one process, from any number of threads."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._busy = False
        self._settings: dict[tuple[str, str], tuple[float, Setting]] = {}

    def ask(self, wish: Wish) -> None:
        """Take a sign-up; when this returns it is committed, and ``wish`` says what was decided."""
        ticket = _Ticket(wish)
        with self._lock:
            self._waiting.append(ticket)
            lead = not self._busy
            self._busy = True
        if lead:
            self._work()
        ticket.done.wait()
        if ticket.error is not None:
            raise ticket.error

    def setting(self, slug: str, form: str = "", *, fresh: bool = False) -> Setting:
        """A form as sign-ups need it, at most two seconds old; who wants to show it gets it as it is.

        Raises:
            NotFound: there is no such publication, or no such form in it.
        """
        found = None if fresh else self._settings.get((slug, form))
        if found is None or time.monotonic() - found[0] > FRESH:
            # One looks, all others get what it found.
            with self._reading:
                found = None if fresh else self._settings.get((slug, form))
                if found is None or time.monotonic() - found[0] > FRESH:
                    found = time.monotonic(), self._read(slug, form)
                    if len(self._settings) > 1000:
                        self._settings.clear()
                    self._settings[slug, form] = found
        return found[1]

    def _read(self, slug: str, form_slug: str) -> Setting:
        with self._process.reading() as session:
            return self._setting(session, slug, form_slug)

    def _setting(self, session: Session, slug: str, form_slug: str) -> Setting:
        publication = by_slug(session, slug)
        form = form_by_slug(session, publication.id, form_slug) if form_slug else first_form(session, publication.id)
        if form is None:
            raise NotFound(mark("There is no such form."))
        wordings = {wording.id: (wording.text, wording.digest) for _, wording in reversed(versions(session, form.id))}
        now, settings = self._process.clock(), self._process.settings
        setting = Setting(
            publication, form, wordings, origins(session, publication.id), usual_in_ten_minutes(session, publication.id, now),
            settings.sign_ups_calm, settings.sign_ups_per_hour,
        )  # fmt: skip
        session.expunge_all()
        return setting

    def _work(self) -> None:
        while True:
            with self._lock:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                if not batch:
                    self._busy = False
                    return
            self._serve(batch)

    def _serve(self, batch: list[_Ticket]) -> None:
        try:
            self._write(batch)
        except BaseException as error:  # noqa: BLE001 -- whoever waits has to hear of it, whatever it is
            for ticket in batch:
                ticket.error = error
        for ticket in batch:
            ticket.done.set()

    def _write(self, batch: list[_Ticket]) -> None:
        # An import may have added the same address in the meantime; then everything is read anew.
        for last in (False, False, True):
            with contextlib.suppress(*(() if last else (IntegrityError, OperationalError))), self._process.writing() as session:
                ask_all(session, self._process.tokens, self._process.links, [ticket.wish for ticket in batch], now=self._process.clock())
                session.commit()
                return
