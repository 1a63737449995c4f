"""What becomes of a mail that comes in (B1, B3, B4, B5, U8, F7)."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text

from newsletter.bounces.models import Bounce
from newsletter.conversations.models import Attachment, Conversation, Message
from newsletter.inbound import actions, queries
from newsletter.inbound.models import Arrival
from newsletter.inbound.understanding import understand
from newsletter.mail.dkim import FIELDS
from newsletter.notices.models import Notice
from newsletter.subscriptions.models import Subscription, Suppression
from tests.deliveries.conftest import Post, new_post  # noqa: F401 -- a fixture
from tests.inbound.conftest import Inbox, arf, dsn

DOMAIN = "bounces.saatgarten.example"


def number_of(inbox: Inbox, model: type) -> int:
    with inbox.process.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_b1_a_bounce_with_our_proof_counts(inbox: Inbox) -> None:
    arrival = inbox.take(dsn("leser0@example.org", to=inbox.verp), to=inbox.verp)
    assert (arrival.state, arrival.kind, arrival.publication_id) == ("done", "bounce", inbox.post.publication_id)
    with inbox.process.reading() as session:
        row = session.scalars(select(Bounce)).one()
        assert (row.delivery_id, row.kind, row.status, row.source, row.consequence) == (inbox.delivery.id, "dead", "5.1.1", "mail", "dead")


def test_b3_an_imap_mailbox_tells_the_recipient_in_a_field(inbox: Inbox) -> None:
    raw = b"Delivered-To: " + inbox.verp.upper().encode() + b"\r\n" + dsn("leser0@example.org", to=inbox.verp)
    assert inbox.take(raw, to="", door="imap").state == "done"
    assert number_of(inbox, Suppression) == 1


@pytest.mark.parametrize(
    "to",
    [
        f"b+1-aaaaaaaaaaaaaaaa@{DOMAIN}",
        f"b+1@{DOMAIN}",
        "mira@saatgarten.example",
        "b+1-{proof}@elsewhere.example",
        "u+1-{proof}@" + DOMAIN,
    ],
)
def test_b3_a_forged_bounce_with_the_right_address_and_the_wrong_proof_is_put_aside(inbox: Inbox, to: str) -> None:
    proof = inbox.verp.partition("-")[2].partition("@")[0]
    to = to.replace("{proof}", proof)
    arrival = inbox.take(dsn("leser0@example.org", to=to, returned=inbox.sent), to=to)
    assert (arrival.state, arrival.kind) == ("quarantined", "bounce")
    assert (number_of(inbox, Bounce), number_of(inbox, Suppression)) == (0, 0)


def test_b3_a_bounce_of_a_letter_that_never_left_is_put_aside(inbox: Inbox) -> None:
    to = inbox.address("b", 999)
    assert inbox.take(dsn("leser0@example.org", to=to), to=to).state == "quarantined"


def test_b3_a_bounce_of_a_letter_of_long_ago_is_put_aside(inbox: Inbox) -> None:
    inbox.process.clock.forward(days=15)
    assert inbox.take(dsn("leser0@example.org", to=inbox.verp), to=inbox.verp).state == "quarantined"
    assert number_of(inbox, Bounce) == 0


def test_a_mail_that_is_only_late_counts_nothing(inbox: Inbox) -> None:
    raw = dsn("leser0@example.org", to=inbox.verp, action="delayed", status="4.4.1", words="connection timed out")
    assert inbox.take(raw, to=inbox.verp).state == "done"
    assert number_of(inbox, Bounce) == 0


def test_b4_the_same_bytes_twice_are_one(inbox: Inbox) -> None:
    raw = dsn("leser0@example.org", to=inbox.verp)
    inbox.take(raw, to=inbox.verp)
    with inbox.process.writing() as session:
        assert actions.keep(session, raw, door="imap", now=inbox.process.clock()) is None
    assert number_of(inbox, Arrival) == 1


def test_b5_a_complaint_is_known_by_our_marks_and_not_by_an_address(inbox: Inbox) -> None:
    assert inbox.take(arf(inbox.sent), to=f"complaints@{DOMAIN}").state == "done"
    with inbox.process.reading() as session:
        assert session.get_one(Subscription, inbox.post.subscriptions[0]).state == "unsubscribed"
        assert session.scalars(select(Notice)).all() == []


@pytest.mark.parametrize("mark", ["List-Unsubscribe", "Message-ID"])
def test_b5_each_of_our_marks_is_enough(inbox: Inbox, mark: str) -> None:
    kept = re.search(rb"(?m)^" + mark.encode() + rb": .+(?:\r\n[ \t].+)*", inbox.sent)[0]
    raw = arf(b"From: x@y.example\r\nTo: redacted\r\n" + kept + b"\r\nSubject: Bohne\r\n\r\nText")
    assert inbox.take(raw).state == "done"
    assert number_of(inbox, Suppression) == 1


def test_b5_a_complaint_that_proves_nothing_is_put_aside(inbox: Inbox) -> None:
    raw = arf(b"From: x@y.example\r\nTo: leser0@example.org\r\nMessage-ID: <1@saatgarten.example>\r\n\r\nText")
    assert inbox.take(raw).state == "quarantined"
    assert number_of(inbox, Suppression) == 0


def test_u8_a_mail_to_the_address_for_leaving_ends_the_subscription(inbox: Inbox) -> None:
    said = re.search(rb"(?m)^List-Unsubscribe: <[^>]+>,\s+<mailto:([^?]+)\?subject=unsubscribe>", inbox.sent)[1].decode()
    assert said == inbox.address("u")
    arrival = inbox.take(f"From: leser0@example.org\r\nTo: {said}\r\nSubject: unsubscribe\r\nMessage-ID: <1@x>\r\n\r\n".encode(), to=said)
    assert (arrival.state, arrival.kind) == ("done", "leave")
    with inbox.process.reading() as session:
        assert session.get_one(Subscription, inbox.post.subscriptions[0]).state == "unsubscribed"


def test_u8_no_letter_names_an_address_that_nobody_reads(new_post: Callable[..., Post]) -> None:  # noqa: F811
    closed = new_post()
    closed.send()
    raw = closed.faults.accepted[0]
    assert b"mailto:" not in raw
    assert b"CFBL-Address" not in raw


def test_rfc_9477_letters_say_where_complaints_go_and_the_field_is_signed(inbox: Inbox) -> None:
    assert b"CFBL-Address: complaints@bounces.saatgarten.example; report=arf" in inbox.sent
    assert "cfbl-address" in FIELDS


def test_f7_a_notice_of_absence_to_any_address_of_ours_is_no_bounce_and_no_conversation(inbox: Inbox) -> None:
    away = "From: leser0@example.org\r\nTo: {to}\r\nSubject: {subject}\r\n{more}Message-ID: <{n}@x>\r\n\r\nIch bin bis Montag nicht im Büro.\r\n"
    for number, (to, more) in enumerate(
        [(inbox.verp, "Auto-Submitted: auto-replied\r\n"), ("mira@saatgarten.example", ""), (inbox.address("u"), "Precedence: auto_reply\r\n")]
    ):
        raw = away.format(to=to, subject="Abwesenheitsnotiz", more=more, n=number).encode()
        assert inbox.take(raw, to=to).kind == "auto-reply"
    assert (number_of(inbox, Conversation), number_of(inbox, Bounce), number_of(inbox, Message)) == (0, 0, 0)
    with inbox.process.reading() as session:
        assert session.get_one(Subscription, inbox.post.subscriptions[0]).state == "active"


def test_our_own_mail_that_comes_back_to_us_begins_no_conversation(inbox: Inbox) -> None:
    raw = b"From: Mira Lindner <mira@saatgarten.example>\r\nTo: mira@saatgarten.example\r\nSubject: Re: Bohne\r\nMessage-ID: <1@x>\r\n\r\nHallo"
    assert inbox.take(raw).kind == "loop"
    hops = b"".join(b"Received: from a by b; Tue, 17 Nov 2026 09:00:00 +0100\r\n" for _ in range(60))
    assert inbox.take(hops + b"From: x@y.example\r\nSubject: Hallo\r\nMessage-ID: <2@x>\r\n\r\nHallo").kind == "loop"
    assert number_of(inbox, Conversation) == 0


def test_a_mail_for_nobody_here_is_put_aside(inbox: Inbox) -> None:
    arrival = inbox.take(b"From: x@y.example\r\nTo: a@b.example\r\nSubject: Hallo\r\nMessage-ID: <2@x>\r\n\r\nHallo", to="a@b.example")
    assert (arrival.state, arrival.why) == ("quarantined", "It is for none of the publications here.")


def test_b4_a_mail_that_we_cannot_understand_stays_and_says_so(inbox: Inbox) -> None:
    with inbox.process.writing() as session:
        session.execute(text("ALTER TABLE messages RENAME TO messages_away"))
        number = actions.keep(session, inbox.written_by("gmail"), door="lmtp", envelope_to=["mira@saatgarten.example"], now=inbox.process.clock())
    for _ in range(5):
        understand(inbox.process, number)
        inbox.process.clock.forward(hours=7)
    arrival = inbox.arrival(number)
    assert arrival.state == "failed"
    assert "messages" in arrival.why
    with inbox.process.writing() as session:
        session.execute(text("ALTER TABLE messages_away RENAME TO messages"))
        assert queries.raw_of(session, number) == inbox.written_by("gmail")
        actions.again(session, number, now=inbox.process.clock())
    understand(inbox.process, number)
    assert inbox.arrival(number).state == "done"
    assert number_of(inbox, Conversation) == 1


def test_b4_one_mail_is_one_transaction(inbox: Inbox) -> None:
    with inbox.process.writing() as session:
        session.execute(text("ALTER TABLE attachments RENAME TO attachments_away"))
    raw = inbox.written_by("thunderbird").replace(
        b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: image/png; name="a.png"\r\n'
        b"Content-Disposition: attachment\r\n\r\nPNG\r\n--x\r\nContent-Type: text/plain\r\n\r\n",
    )
    arrival = inbox.take(raw)
    assert arrival.state == "new"
    assert number_of(inbox, Message) == number_of(inbox, Conversation) == 0
    with inbox.process.writing() as session:
        session.execute(text("ALTER TABLE attachments_away RENAME TO attachments"))
    understand(inbox.process, arrival.id)
    assert number_of(inbox, Attachment) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00" * 1000, b"From: x\r\n" * 20_000, b"Subject: " + b"=?utf-8?q?=41?=" * 20_000 + b"\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 200,
        b"From: x@y.example\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\nContent-Disposition: attachment\r\n\r\nx\r\n" * 10_000,
        b"From: x@y.example\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe\xfd",
        b"From: x@y.example\r\nReferences: " + b"<a@b> " * 5_000 + b"\r\nMessage-ID: <" + b"a" * 5_000 + b"@b>\r\n\r\nHallo",
    ],
)  # fmt: skip
def test_b4_whatever_comes_it_is_understood_or_kept_and_never_raises(inbox: Inbox, raw: bytes) -> None:
    arrival = inbox.take(raw)
    assert arrival.state in ("done", "quarantined"), arrival.why


def test_what_says_nothing_any_more_is_forgotten_and_conversations_are_not(inbox: Inbox) -> None:
    bounce = inbox.take(dsn("leser0@example.org", to=inbox.verp), to=inbox.verp)
    answer = inbox.take(inbox.written_by("gmail", sender="leser1@example.org"))
    aside = inbox.take(b"From: x@y.example\r\nTo: a@b.example\r\n\r\nHallo", to="a@b.example")
    inbox.process.clock.forward(days=31)
    with inbox.process.writing() as session:
        assert actions.forget(session, now=inbox.process.clock()) == 1
        assert queries.raw_of(session, bounce.id) is None
        assert queries.raw_of(session, answer.id) is not None
        assert session.get(Arrival, aside.id) is None
        assert session.get_one(Arrival, bounce.id).sender == ""


@pytest.mark.postgres
def test_what_comes_back_means_the_same_on_postgresql(new_post: Callable[..., Post], postgres_url: str) -> None:  # noqa: F811
    post = new_post(readers=3, settings={"bounce_domain": DOMAIN, "inbound": "pipe", "database_url": postgres_url})
    post.send()
    inbox = Inbox(post)
    inbox.take(dsn("leser0@example.org", to=inbox.verp), to=inbox.verp)
    with inbox.process.writing() as session:
        assert actions.keep(session, dsn("leser0@example.org", to=inbox.verp), door="imap", now=inbox.process.clock()) is None
    inbox.take(arf(inbox.sent), to=f"complaints@{DOMAIN}")
    inbox.take(inbox.written_by("outlook", sender="leser1@example.org"))
    assert number_of(inbox, Suppression) == 2
    assert (number_of(inbox, Bounce), number_of(inbox, Conversation)) == (2, 1)
    inbox.process.clock.forward(days=31)
    with inbox.process.writing() as session:
        assert actions.forget(session, now=inbox.process.clock()) == 2
