"""Reading a mailbox: stored first, marked afterwards, nothing twice and nothing lost (B3, B4)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from newsletter.errors import Refused
from newsletter.inbound import queries
from newsletter.inbound.mailbox import Access, look, put
from newsletter.inbound.models import Arrival, Mailbox
from newsletter.process import Process
from tests.support import cast
from tests.support.imap import Imap


def mail(number: int) -> bytes:
    return f"From: ada@example.org\r\nTo: mira@saatgarten.example\r\nSubject: {number}\r\nMessage-ID: <{number}@x>\r\n\r\nHallo {number}\r\n".encode()


@pytest.fixture
def imap() -> Iterator[Imap]:
    with Imap({1: mail(1)}) as server:
        yield server


@pytest.fixture
def mailbox(process: Process, imap: Imap) -> int:
    """A mailbox whose first look is over: what lay there before stays with whoever has read it."""
    publication_id = cast.publication(process)
    with process.writing() as session:
        access = Access("127.0.0.1", imap.port, "none", "mira", "geheim", "INBOX")
        number = put(session, process.tokens, publication_id, access, now=process.clock()).id
    assert look(process, number) == 0
    return number


def subjects(process: Process) -> list[str]:
    with process.reading() as session:
        return list(session.scalars(select(Arrival.subject).order_by(Arrival.id)))


def row(process: Process, number: int) -> Mailbox:
    with process.reading() as session:
        return session.get_one(Mailbox, number)


def next_look(process: Process, number: int) -> int:
    process.clock.forward(minutes=11)
    return look(process, number)


def test_new_mails_are_stored_and_then_marked(process: Process, imap: Imap, mailbox: int) -> None:
    imap.mails |= {2: mail(2), 3: mail(3)}
    assert next_look(process, mailbox) == 2
    assert subjects(process) == ["2", "3"]
    assert imap.seen == {2, 3}
    assert next_look(process, mailbox) == 0
    assert all("BODY.PEEK[]" in one for one in imap.commands if "BODY" in one)


def test_a_database_that_fails_leaves_the_mail_unmarked(process: Process, imap: Imap, mailbox: int) -> None:
    imap.mails |= {2: mail(2)}
    with process.writing() as session:
        session.execute(text("CREATE TRIGGER full BEFORE INSERT ON arrivals BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"))
    with pytest.raises(Exception, match="the disk is full"):
        next_look(process, mailbox)
    assert imap.seen == set()
    with process.writing() as session:
        session.execute(text("DROP TRIGGER full"))
    assert next_look(process, mailbox) == 1
    assert subjects(process) == ["2"]


def test_a_connection_that_breaks_loses_nothing_and_takes_nothing_twice(process: Process, imap: Imap, mailbox: int) -> None:
    imap.mails |= {2: mail(2), 3: mail(3)}
    imap.breaks_after = "FETCH"
    next_look(process, mailbox)
    assert row(process, mailbox).trouble
    imap.breaks_after = ""
    next_look(process, mailbox)
    assert subjects(process) == ["2", "3"]
    assert row(process, mailbox).trouble == ""


def test_a_mailbox_that_was_made_anew_gives_nothing_twice(process: Process, imap: Imap, mailbox: int) -> None:
    imap.mails |= {2: mail(2)}
    next_look(process, mailbox)
    imap.validity, imap.mails = 8, {1: mail(2), 2: mail(4)}
    next_look(process, mailbox)
    assert subjects(process) == ["2", "4"]


def test_a_mail_that_is_too_large_stays_where_it_is(process: Process, imap: Imap, mailbox: int) -> None:
    imap.mails |= {2: mail(2), 3: mail(3)}
    imap.sizes[2] = 50_000_000
    assert next_look(process, mailbox) == 1
    assert subjects(process) == ["3"]
    assert imap.seen == {3}


def test_a_wrong_password_is_said_beside_the_mailbox(process: Process, imap: Imap, mailbox: int) -> None:
    imap.password = "anders"
    assert next_look(process, mailbox) == 0
    assert "AUTHENTICATIONFAILED" in row(process, mailbox).trouble
    with process.reading() as session:
        assert queries.mailboxes_due(session, process.clock()) == []


@pytest.mark.parametrize("access", [("", 993, "tls", "a", "b", "INBOX"), ("x y", 993, "tls", "a", "b", "INBOX"), ("mail.example", 0, "tls", "a", "b", "INBOX"),
    ("mail.example", 993, "ssl3", "a", "b", "INBOX"), ("mail.example", 993, "tls", "", "b", "INBOX"), ("mail.example", 993, "tls", "a\r\nX", "b", "INBOX"),
    ("mail.example", 993, "tls", "a", "", "INBOX")])  # fmt: skip
def test_a_mailbox_that_makes_no_sense_is_refused(process: Process, access: tuple[str, int, str, str, str, str]) -> None:
    publication_id = cast.publication(process)
    with pytest.raises(Refused), process.writing() as session:
        put(session, process.tokens, publication_id, Access(*access), now=process.clock())


def test_the_password_lies_encrypted(process: Process, mailbox: int) -> None:
    assert "geheim" not in row(process, mailbox).secret
