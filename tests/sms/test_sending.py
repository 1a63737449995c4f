"""Numbers proved by a code, notes with their cost shown before, and gateways that fail. Nothing is sent twice."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from sqlalchemy import select

from newsletter.errors import Conflict, Refused
from newsletter.people import queries as people
from newsletter.people.actions import erase
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.sms import actions, queries, sending
from newsletter.sms.models import Gateway, Note, Phone, TextMessage
from newsletter.sms.views import BODY
from newsletter.subscriptions.consents import intact
from newsletter.subscriptions.models import Consent
from newsletter.subscriptions.queries import consents_of, wordings_of
from newsletter.worker import due
from tests.support import cast
from tests.support.clock import Clock
from tests.support.listening import listening

NUMBER = "+491713920001"


@dataclass
class Telephone:
    """A gateway: what it was asked, and what it answers next (a status, or nothing at all)."""

    address: str = ""
    sent: list[dict[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)


@pytest.fixture
def telephone() -> Iterator[Telephone]:
    found = Telephone()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = found.answers.pop(0) if found.answers else 200
            if status is None or status < 300:
                found.sent.append(body)
                found.keys.append(self.headers.get("X-Key", ""))
            if status is None:
                self.connection.close()
                return
            data = json.dumps({"status": "ok" if status < 300 else "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with listening(Handler) as base:
        found.address = f"{base}/send"
        yield found


def describe(process: Process, address: str, **more: object) -> None:
    values = {"address": address, "shape": "json", "body": BODY, "headers": "X-Key: geheim", "sender": "Saat", "success": "ok"}
    with process.writing() as session:
        actions.describe_gateway(session, process.tokens, publication_id=1, values=values, price=75, **{"only_emergencies": False} | more, now=process.clock())


@pytest.fixture
def reader(process: Process, telephone: Telephone) -> int:
    cast.publication(process)
    editor = cast.editor(process)
    assert editor == 1
    describe(process, telephone.address)
    return cast.reader(process, 1)


def ask(process: Process, subscription_id: int, number: str = NUMBER) -> int:
    with process.writing() as session:
        one = people.person(session, subscription_id)
        return actions.ask(session, process.tokens, publication=one.publication, subscription=one.subscription, text=number, language="de", now=process.clock())


def confirm(process: Process, subscription_id: int, code: str) -> bool:
    with process.writing() as session:
        one = people.person(session, subscription_id)
        return actions.confirm(
            session, process.tokens, publication=one.publication, subscription=one.subscription, subscriber=one.subscriber, code=code, language="de",
            now=process.clock(),
        )  # fmt: skip


def prove(process: Process, telephone: Telephone, subscription_id: int, number: str = NUMBER) -> None:
    sending.send(process, ask(process, subscription_id, number))
    assert confirm(process, subscription_id, telephone.sent[-1]["text"][:6])


def note(process: Process, text: str = "Instagram ist weg.", expected: tuple[int, int] = (1, 75), drill_id: int | None = None) -> list[int]:
    with process.writing() as session:
        actions.send_note(
            session, publication=get(session, 1), text=text, ending="Ende: x", drill_id=drill_id, editor_id=1, expected=expected, now=process.clock()
        )
        return queries.due(session, process.clock())


def states(process: Process) -> list[str]:
    with process.reading() as session:
        return list(session.scalars(select(TextMessage.state).where(TextMessage.note_id.is_not(None)).order_by(TextMessage.id)))


def test_l2_a_number_is_proved_by_its_code_and_the_chain_says_so(process: Process, telephone: Telephone, reader: int) -> None:
    message_id = ask(process, reader)
    assert (message_id,) in [ids for actor, ids in due(process) if actor.actor_name == "send_text"]
    sending.send(process, message_id)
    (said,) = telephone.sent
    assert (said["to"], said["from"], telephone.keys) == (NUMBER, "Saat", ["geheim"])
    assert "Der Saatbrief" in said["text"]
    with process.reading() as session:
        assert queries.reachable(session, 1) == 0
    assert confirm(process, reader, f" {said['text'][:3]} {said['text'][3:6]} ")
    with process.reading() as session:
        assert queries.reachable(session, 1) == 1
        chain = consents_of(session, reader)
        words = wordings_of(session, chain)
        assert intact(chain, words)
        assert "+491 … 001" in chain[-1].how
        assert NUMBER not in chain[-1].how
        assert "SMS" in words[chain[-1].wording_id].text
        # T7: what opens a door is not kept.
        assert session.scalars(select(Phone.code)).one() == ""
        assert said["text"] not in [row.body for row in session.scalars(select(TextMessage))]


def test_a_wrong_code_costs_a_try_and_five_are_all(process: Process, telephone: Telephone, reader: int) -> None:
    sending.send(process, ask(process, reader))
    right = telephone.sent[0]["text"][:6]
    wrong = "000000" if right != "000000" else "111111"
    assert [confirm(process, reader, wrong) for _ in range(5)] == [False] * 5
    assert not confirm(process, reader, right)


def test_a_code_is_valid_for_ten_minutes(process: Process, telephone: Telephone, reader: int, clock: Clock) -> None:
    sending.send(process, ask(process, reader))
    clock.forward(minutes=11)
    assert not confirm(process, reader, telephone.sent[0]["text"][:6])


def test_nobody_is_flooded_with_codes(process: Process, telephone: Telephone, reader: int) -> None:
    for _ in range(3):
        ask(process, reader)
    with pytest.raises(Refused, match="Three codes"):
        ask(process, reader)
    other = cast.reader(process, 1, "ben@example.org")
    with pytest.raises(Refused, match="Three codes"):
        ask(process, other)


def test_a_note_goes_to_everybody_who_proved_a_number_once(process: Process, telephone: Telephone, reader: int) -> None:
    prove(process, telephone, reader)
    other = cast.reader(process, 1, "ben@example.org")
    ask(process, other, "+491713920002")  # not proved
    telephone.sent.clear()
    for message_id in note(process):
        sending.send(process, message_id)
        sending.send(process, message_id)
    assert [row["text"] for row in telephone.sent if row["to"] == NUMBER] == ["Instagram ist weg.\nEnde: x"]
    assert states(process) == ["accepted"]


def test_what_it_costs_is_what_was_shown(process: Process, telephone: Telephone, reader: int) -> None:
    prove(process, telephone, reader)
    for expected in ((2, 150), (1, 74), (0, 0)):
        with pytest.raises(Conflict, match="Look at the cost again"):
            note(process, expected=expected)
    note(process, text="x" * 200, expected=(1, 150))
    with process.reading() as session:
        found = session.scalars(select(Note)).one()
    assert (found.recipients, found.parts, found.cost) == (1, 2, 150)


def test_without_an_emergency_nothing_leaves_by_default(process: Process, telephone: Telephone, reader: int) -> None:
    prove(process, telephone, reader)
    describe(process, telephone.address, only_emergencies=True)
    with pytest.raises(Refused, match="emergencies"):
        note(process)
    assert len(note(process, drill_id=1)) == 1


def test_too_long_empty_and_to_nobody_is_refused(process: Process, telephone: Telephone, reader: int) -> None:
    with pytest.raises(Refused, match="Nobody"):
        note(process)
    prove(process, telephone, reader)
    for text in ("", "  \n", "x" * 700):
        with pytest.raises(Refused):
            note(process, text=text)


@pytest.mark.parametrize(
    ("answer", "state", "left"),
    [(200, "accepted", 1), (400, "failed", 0), (401, "failed", 0), (500, "uncertain", 0), (None, "uncertain", 1), (429, "queued", 0), (503, "queued", 0)],
)
def test_what_a_gateway_answers_decides_and_a_doubt_is_never_sent_again(
    process: Process, telephone: Telephone, reader: int, clock: Clock, answer: int | None, state: str, left: int
) -> None:
    prove(process, telephone, reader)
    telephone.sent.clear()
    telephone.answers = [answer]
    (message_id,) = note(process)
    sending.send(process, message_id)
    assert states(process) == [state]
    clock.forward(hours=2)
    sending.send(process, message_id)
    assert len(telephone.sent) == (1 if state == "queued" else left)


def test_a_gateway_that_is_not_there_is_asked_again_and_then_left(process: Process, telephone: Telephone, reader: int, clock: Clock) -> None:
    prove(process, telephone, reader)
    describe(process, "http://127.0.0.1:9/nobody")
    (message_id,) = note(process)
    for _ in range(9):
        sending.send(process, message_id)
        clock.forward(hours=6)
    assert states(process) == ["failed"]


def test_what_a_dead_worker_held_is_uncertain(process: Process, telephone: Telephone, reader: int, clock: Clock) -> None:
    prove(process, telephone, reader)
    (message_id,) = note(process)
    with process.writing() as session:
        assert actions.claim(session, message_id, now=clock())
        assert actions.recover(session, now=clock()) == 0
        assert actions.recover(session, now=clock() + timedelta(minutes=6)) == 1
    assert states(process) == ["uncertain"]


def test_an_answer_without_the_word_for_success_is_a_failure(process: Process, telephone: Telephone, reader: int) -> None:
    prove(process, telephone, reader)
    with process.writing() as session:
        session.get_one(Gateway, 1).success = "DELIVERED"
    (message_id,) = note(process)
    sending.send(process, message_id)
    assert states(process) == ["failed"]


def test_u7_whoever_leaves_in_the_meantime_gets_nothing(process: Process, telephone: Telephone, reader: int) -> None:
    prove(process, telephone, reader)
    telephone.sent.clear()
    (message_id,) = note(process)
    with process.writing() as session:
        one = people.person(session, reader)
        actions.end(session, subscription=one.subscription, subscriber=one.subscriber, now=process.clock())
    sending.send(process, message_id)
    assert telephone.sent == []
    assert states(process) == ["cancelled"]


def test_l5_a_number_goes_with_its_reader(process: Process, telephone: Telephone, reader: int) -> None:
    prove(process, telephone, reader)
    with process.reading() as session:
        told = people.everything(session, people.person(session, reader))
    assert told["phones"][0]["number"] == NUMBER
    assert "code" not in told["phones"][0]
    with process.writing() as session:
        erase(session, process.tokens, people.person(session, reader), years=3, now=process.clock())
    with process.reading() as session:
        assert session.scalars(select(Phone)).all() == []
        assert session.scalars(select(Consent)).all() == []


def test_p6_the_key_of_a_gateway_lies_encrypted_and_an_empty_field_keeps_it(process: Process, telephone: Telephone, reader: int) -> None:
    values = {"address": telephone.address, "shape": "json", "body": BODY, "headers": "", "sender": "", "success": ""}
    with process.writing() as session:
        assert "geheim" not in session.get_one(Gateway, 1).headers
        actions.describe_gateway(session, process.tokens, publication_id=1, values=values, price=75, only_emergencies=True, now=process.clock())
        assert process.tokens.decrypt(session.get_one(Gateway, 1).headers) == "X-Key: geheim"
