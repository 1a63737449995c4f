"""A conversation from a real mail program's bytes, there and back."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from newsletter.accounts.models import Editor
from newsletter.conversations import actions, queries, sending
from newsletter.conversations.models import Conversation, Message
from newsletter.conversations.policy import TAKE_BACK
from newsletter.conversations.receiving import speak_up
from newsletter.errors import Conflict, Refused
from newsletter.issues.models import Issue
from newsletter.mail.returning import proven
from newsletter.publications.keys import add_keys, use_keys
from newsletter.publications.queries import get
from newsletter.subscriptions.models import Subscriber, Subscription
from tests.inbound.conftest import Inbox, dsn
from tests.support import cast

CLIENTS = ("gmail", "outlook", "apple", "thunderbird", "gmx")


def only(inbox: Inbox) -> Conversation:
    with inbox.process.reading() as session:
        return session.scalars(select(Conversation)).one()


def said(inbox: Inbox) -> list[Message]:
    with inbox.process.reading() as session:
        return list(session.scalars(select(Message).order_by(Message.at, Message.id)))


def answer(inbox: Inbox, text: str = "Liebe Ada,\n\nsehr gern.\n\nMira", *, close: bool = False, seen: int = 0) -> int:
    with inbox.process.reading() as session:
        editor_id = session.scalar(select(Editor.id))
    editor_id = editor_id or cast.editor(inbox.process)
    with inbox.process.writing() as session:
        conversation = session.scalars(select(Conversation)).one()
        publication = get(session, conversation.publication_id)
        return actions.answer(session, publication, conversation, text=text, editor_id=editor_id, close=close, seen=seen, now=inbox.process.clock()).id


def send(inbox: Inbox, number: int) -> EmailMessage:
    """Let the answer leave; gives back what the reader's program gets."""
    inbox.process.clock.forward(seconds=TAKE_BACK.total_seconds() + 1)
    before = len(inbox.post.faults.accepted)
    sending.send(inbox.process, number)
    assert len(inbox.post.faults.accepted) == before + 1
    return message_from_bytes(inbox.post.faults.accepted[-1], policy=policy.default)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_conversation_goes_there_and_back_and_stays_one(inbox: Inbox, client: str) -> None:
    inbox.take(inbox.written_by(client))
    conversation = only(inbox)
    assert (conversation.place, conversation.state, conversation.issue_id) == ("readers", "open", inbox.post.issue_id)
    assert conversation.waiting_since is not None
    first = said(inbox)[0]
    assert first.text.startswith("Liebe Mira,")
    assert "Rezept" in conversation.preview

    mail = send(inbox, answer(inbox))
    assert mail["In-Reply-To"] == first.message_id
    # The letter, her mail: the chain that every program threads by (RFC 5322 §3.6.4).
    assert mail["References"].split() == [inbox.message_id, first.message_id]
    assert mail["Subject"] == "Re: Die erste Bohne"
    assert mail["To"] == "leser0@example.org"
    assert mail["From"].endswith("<mira@saatgarten.example>")
    assert mail["Auto-Submitted"] is None
    assert mail["List-Id"] is None
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith("Liebe Ada,\n\nsehr gern.")
    assert "schrieb Ada Lorenzen:\n\n> Liebe Mira," in text
    assert "> Könntest du das Rezept verraten?" in text
    assert only(inbox).state == "answered"

    raw = inbox.written_by(client, message_id=mail["Message-ID"], subject="Re: Die erste Bohne", number="2")
    inbox.process.clock.forward(hours=1)
    inbox.take(raw)
    assert [one.kind for one in said(inbox)] == ["in", "out", "in"]
    assert only(inbox).state == "open"
    with inbox.process.reading() as session:
        assert session.get_one(Subscription, inbox.post.subscriptions[0]).answered_at is not None


def test_the_answer_is_signed_like_a_letter_and_comes_back_to_the_conversation(inbox: Inbox) -> None:
    with inbox.process.writing() as session:
        add_keys(session, inbox.process.tokens, domain="saatgarten.example", now=inbox.process.clock())
        use_keys(session, domain="saatgarten.example", now=inbox.process.clock())
    inbox.take(inbox.written_by("gmail"))
    mail = send(inbox, answer(inbox))
    assert len(mail.get_all("DKIM-Signature")) == 2
    signed = re.sub(r"\s+", "", mail["DKIM-Signature"]).lower()
    assert ":in-reply-to:references:" in signed
    sender = re.search(r"<([^>]+)>", inbox.post.faults.senders[-1])[1]
    found = proven(inbox.process.tokens, "bounces.saatgarten.example", sender)
    assert (found.purpose, found.number) == ("c", only(inbox).id)
    inbox.take(dsn("leser0@example.org", to=sender), to=sender)
    assert [one.kind for one in said(inbox)] == ["in", "out", "failed"]
    assert only(inbox).state == "open"


def test_a_mail_program_that_names_nothing_is_found_by_person_and_subject(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    bare = re.sub(rb"(?m)^(References|In-Reply-To): .*\r\n", b"", inbox.written_by("thunderbird", subject="Re: AW: Die erste Bohne"))
    inbox.take(bare)
    assert len(said(inbox)) == 2
    assert only(inbox).id


def test_an_answer_to_our_own_address_needs_no_thread(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    to = inbox.address("c", only(inbox).id)
    raw = f"From: Ada <ada@anderswo.example>\r\nTo: {to}\r\nSubject: etwas ganz anderes\r\nMessage-ID: <9@x>\r\n\r\nVon der anderen Adresse.\r\n".encode()
    inbox.take(raw, to=to)
    assert [one.text for one in said(inbox)][-1] == "Von der anderen Adresse."


def test_a_reader_with_another_address_is_known_by_the_letter_that_she_answers(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail", sender="ada@anderswo.example"))
    conversation = only(inbox)
    assert conversation.place == "readers"
    with inbox.process.reading() as session:
        assert queries.story(session, conversation).subscription.id == inbox.post.subscriptions[0]


def test_a_stranger_has_a_place_of_her_own(inbox: Inbox) -> None:
    inbox.take(b"From: Cleo <cleo@anderswo.example>\r\nTo: mira@saatgarten.example\r\nSubject: Tausch\r\nMessage-ID: <7@x>\r\n\r\nWir tauschen gern.\r\n")
    assert only(inbox).place == "strangers"


@pytest.mark.parametrize("field", ["X-Spam-Flag: YES", "X-Spam-Status: Yes, score=9.1", "X-Spam-Level: *******", "X-Rspamd-Action: add header"])
def test_spam_is_folded_away_by_rule(inbox: Inbox, field: str) -> None:
    raw = f"From: x@anderswo.example\r\n{field}\r\nTo: mira@saatgarten.example\r\nSubject: Gewinn\r\nMessage-ID: <7@x>\r\n\r\nKlick hier.\r\n".encode()
    inbox.take(raw)
    assert only(inbox).place == "spam"


def test_who_answers_a_letter_is_no_spammer_whatever_a_filter_says(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail").replace(b"MIME-Version: 1.0", b"X-Spam-Flag: YES\r\nMIME-Version: 1.0", 1))
    assert only(inbox).place == "readers"


def test_the_same_mail_by_two_doors_is_one_message(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    inbox.take(b"Received: from a by b\r\n" + inbox.written_by("gmail"), door="imap")
    assert len(said(inbox)) == 1


def test_an_answer_can_be_taken_back_before_it_leaves_and_not_after(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    number = answer(inbox, "zu schnell")
    sending.send(inbox.process, number)  # too early: nothing leaves
    assert len(inbox.post.faults.accepted) == 3
    with inbox.process.writing() as session:
        conversation = session.scalars(select(Conversation)).one()
        assert actions.withdraw(session, conversation, session.get_one(Message, number), now=inbox.process.clock()) == "zu schnell"
    assert (only(inbox).state, only(inbox).answered_at) == ("open", None)
    number = answer(inbox)
    send(inbox, number)
    with pytest.raises(Conflict), inbox.process.writing() as session:
        actions.withdraw(session, session.scalars(select(Conversation)).one(), session.get_one(Message, number), now=inbox.process.clock())


def test_an_answer_to_what_one_has_not_read_is_held_back(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    seen = said(inbox)[-1].id
    inbox.take(inbox.written_by("gmail", number="2"))
    with pytest.raises(Conflict):
        answer(inbox, seen=seen)
    with pytest.raises(Refused):
        answer(inbox, " \n ")


def test_a_server_that_refuses_an_answer_opens_the_conversation_again(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    number = answer(inbox, close=True)
    inbox.post.faults.plan = {"rcpt": "550 5.1.1 no such user"}
    inbox.process.clock.forward(minutes=1)
    sending.send(inbox.process, number)
    assert [one.kind for one in said(inbox)] == ["in", "out", "failed"]
    assert only(inbox).state == "open"


def test_a_server_that_is_away_gets_the_same_bytes_later(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    number = answer(inbox)
    with inbox.process.reading() as session:
        before = sending.bytes_of(session, session.get_one(Message, number))
    inbox.post.faults.plan = {"mail": "451 4.3.0 later"}
    inbox.process.clock.forward(minutes=1)
    sending.send(inbox.process, number)
    inbox.post.faults.plan = {}
    inbox.process.clock.forward(hours=1)
    sending.send(inbox.process, number)
    assert inbox.post.faults.accepted[-1] == before
    assert said(inbox)[1].state == "accepted"


def test_how_long_people_wait(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    since = only(inbox).waiting_since
    inbox.process.clock.forward(hours=9)
    with inbox.process.reading() as session:
        found = queries.waiting(session, inbox.post.publication_id)
        assert (found.people, found.longest.waiting_since, found.usually) == (1, since, None)
    answer(inbox)
    with inbox.process.reading() as session:
        found = queries.waiting(session, inbox.post.publication_id)
        assert (found.people, found.longest) == (0, None)
        assert found.usually.total_seconds() == pytest.approx((inbox.process.clock() - since).total_seconds(), abs=1)


@pytest.mark.parametrize(
    ("subject", "text", "leave"),
    [
        ("Re: Die erste Bohne", "Bitte austragen!", True),
        ("Abmelden", "Danke", True),
        ("Re: Bohne", "Bitte keine Mails mehr schicken.", True),
        ("Re: Bohne", "please take me off your list, unsubscribe", True),
        ("Re: Bohne", "Ich möchte nicht mehr jeden Tag Bohnen essen.", False),
        ("Re: Bohne", "Die Bohne ist lecker.", False),
        ("Re: Bohne", "Ich bekomme nur noch selten Post. " + "Aber dein Brief ist eine Freude. " * 20, False),
    ],
)
def test_u8_who_seems_to_want_no_more_letters_is_shown_to_a_person(inbox: Inbox, subject: str, text: str, leave: bool) -> None:
    inbox.take(f"From: leser0@example.org\r\nTo: mira@saatgarten.example\r\nSubject: {subject}\r\nMessage-ID: <7@x>\r\n\r\n{text}\r\n".encode())
    assert only(inbox).suggestion == ("leave" if leave else "")
    with inbox.process.reading() as session:
        assert session.get_one(Subscription, inbox.post.subscriptions[0]).state == "active"


def test_words_are_found_from_their_beginning_in_any_spelling(inbox: Inbox) -> None:
    inbox.take(inbox.written_by("gmail"))
    with inbox.process.writing() as session:
        actions.label(session, session.scalars(select(Conversation)).one(), "Rezept, Vor bestellung")
    for query, number in (
        ("rezept", 1),
        ("Rez", 1),
        ("koenntest KRUMM", 1),
        ("könntest", 1),
        ("leser0", 1),
        ("#rezept", 1),
        ("#vor-bestellung", 1),
        ("#rez", 0),
        ("Gurke", 0),
        ("rezept gurke", 0),
    ):
        with inbox.process.reading() as session:
            assert len(queries.shelf(session, inbox.post.publication_id, place="readers", query=query).rows) == number, query


def test_a_conversation_is_on_both_databases_the_same(any_process: object) -> None:
    from newsletter.conversations.receiving import receive
    from newsletter.mail.incoming.letter import written
    from newsletter.mail.incoming.mime import read

    process = any_process
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    raw = b"From: Ada <ada@example.org>\r\nSubject: Frost\r\nMessage-ID: <1@x>\r\n\r\nLiebe Mira,\r\nbei mir war Frost.\r\n"
    with process.writing() as session:
        receive(session, get(session, publication_id), written(read(raw)), arrival_id=1, at=process.clock(), now=process.clock())
        assert receive(session, get(session, publication_id), written(read(raw)), arrival_id=1, at=process.clock(), now=process.clock()) is None
    with process.reading() as session:
        shelf = queries.shelf(session, publication_id, place="readers", state="open")
        assert [row.conversation.preview for row in shelf.rows] == ["bei mir war Frost."]
        assert len(queries.shelf(session, publication_id, place="readers", query="fros").rows) == 1
        assert queries.counts(session, publication_id) == {("readers", "open"): 1}
        assert queries.story(session, shelf.rows[0].conversation).answers == 1


def test_an_answer_to_words_from_a_page_stands_below_the_letter_that_led_there(inbox: Inbox) -> None:
    with inbox.process.writing() as session:
        subscription = session.get_one(Subscription, inbox.post.subscriptions[0])
        subscriber = session.get_one(Subscriber, subscription.subscriber_id)
        issue = session.get_one(Issue, inbox.post.issue_id)
        speak_up(session, get(session, inbox.post.publication_id), subscriber, subscription, issue, words="Mehr über Kohl!", now=inbox.process.clock())
    mail = send(inbox, answer(inbox, "Gern."))
    assert mail["In-Reply-To"] == inbox.message_id
    assert "> Mehr über Kohl!" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("wished", "to"),
    [("ada@buchbinderei.example", "ada@buchbinderei.example"), ("mira@saatgarten.example", "leser0@example.org"), ("kaputt@", "leser0@example.org")],
)
def test_an_answer_goes_where_she_wants_it(inbox: Inbox, wished: str, to: str) -> None:
    inbox.take(inbox.written_by("gmail").replace(b"MIME-Version: 1.0", f"Reply-To: Ada <{wished}>\r\nMIME-Version: 1.0".encode(), 1))
    assert send(inbox, answer(inbox))["To"] == to
