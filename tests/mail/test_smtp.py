"""The conversation: which phase failed is always known (S4)."""

import pytest

from newsletter.mail.addresses import parse
from newsletter.mail.conversation import Conversation
from newsletter.mail.smtp import Phase, Server, SmtpError, Timeouts, server
from tests.support.faults import FaultyServer
from tests.support.services import free_port

RAW = b"Subject: x\r\n\r\n.dot\r\nbody\r\n"
QUICK = Timeouts(connect=2, command=1, data=1, dot=1)


def send(faults: FaultyServer, recipient: str = "ada@example.org") -> None:
    with Conversation(server(faults.url), "localhost", QUICK) as conversation:
        conversation.offer("b@example.org", parse(recipient), RAW)
        conversation.dot()


def test_a_mail_arrives_as_it_was_given() -> None:
    with FaultyServer() as faults:
        send(faults)
        assert faults.accepted == [RAW]


@pytest.mark.parametrize(
    ("plan", "phase", "code"),
    [
        ({"greeting": "554 go away"}, Phase.GREETING, 554),
        ({"greeting": "421 later"}, Phase.GREETING, 421),
        ({"greeting": "close"}, Phase.GREETING, None),
        ({"ehlo": "550 no"}, Phase.EHLO, 550),
        ({"mail": "421 busy"}, Phase.MAIL, 421),
        ({"mail": "550 5.7.1 not you"}, Phase.MAIL, 550),
        ({"rcpt": "550 5.1.1 nobody"}, Phase.RCPT, 550),
        ({"rcpt": "450 4.2.0 later"}, Phase.RCPT, 450),
        ({"rcpt": "close"}, Phase.RCPT, None),
        ({"rcpt": "garbage"}, Phase.RCPT, None),
        ({"rcpt": "silent"}, Phase.RCPT, None),
        ({"data": "451 later"}, Phase.DATA, 451),
        ({"data": "close"}, Phase.DATA, None),
        ({"dot": "451 later"}, Phase.DOT, 451),
        ({"dot": "552 too big"}, Phase.DOT, 552),
        ({"dot": "close"}, Phase.DOT, None),
        ({"dot": "silent"}, Phase.DOT, None),
        ({"dot": "garbage"}, Phase.DOT, None),
    ],
)
def test_s4_the_phase_of_a_failure_is_known(plan: dict[str, str], phase: Phase, code: int | None) -> None:
    with FaultyServer(plan) as faults, pytest.raises(SmtpError) as caught:
        send(faults)
    assert caught.value.phase == phase
    assert (caught.value.reply.code if caught.value.reply else None) == code
    assert not faults.accepted


def test_s4_a_connection_lost_within_the_body_is_not_taken_for_one_lost_after_it() -> None:
    with FaultyServer({"body": "close"}) as faults, pytest.raises(SmtpError) as caught:
        send(faults)
    # A small body fits into the socket's buffer, so the loss may show only with the dot; the server has
    # not seen the dot, but we cannot know that. A large one shows it in time.
    assert caught.value.phase in (Phase.BODY, Phase.DOT)


def test_s4_closing_after_250_does_not_turn_success_into_failure() -> None:
    with FaultyServer({"after": "close"}) as faults:
        send(faults)
        assert len(faults.accepted) == 1


def test_without_the_dot_the_server_has_nothing() -> None:
    with FaultyServer() as faults, Conversation(server(faults.url), "localhost", QUICK) as conversation:
        conversation.offer("b@example.org", parse("ada@example.org"), RAW)
        conversation.abandon()
        assert not conversation.alive
    assert not faults.accepted


def test_s2_a_refused_recipient_leaves_the_connection_usable() -> None:
    with FaultyServer({"rcpt": ["550 5.1.1 nobody", ""]}) as faults, Conversation(server(faults.url), "localhost", QUICK) as conversation:
        with pytest.raises(SmtpError):
            conversation.offer("b@example.org", parse("ben@example.org"), RAW)
        conversation.offer("b@example.org", parse("ada@example.org"), RAW)
        conversation.dot()
        assert faults.connections == 1
        assert faults.recipients == ["ada@example.org"]


def test_f10_an_address_beyond_ascii_is_refused_when_the_server_lacks_smtputf8() -> None:
    with FaultyServer() as faults, pytest.raises(SmtpError) as caught:
        send(faults, "jürgen@example.org")
    assert caught.value.phase == Phase.RCPT
    assert caught.value.reply.permanent


def test_f10_an_address_beyond_ascii_goes_out_with_smtputf8() -> None:
    with FaultyServer(offers=("SMTPUTF8", "8BITMIME")) as faults:
        send(faults, "jürgen@example.org")
        assert faults.recipients == ["jürgen@example.org"]


def test_f15_no_password_goes_out_when_the_server_offers_no_encryption() -> None:
    with FaultyServer() as faults, pytest.raises(SmtpError) as caught:
        host, port = faults.url.removeprefix("smtp://").split(":")
        Conversation(Server(host, int(port), "starttls", "user", "geheim"), "localhost", QUICK).__enter__()
    assert caught.value.phase == Phase.STARTTLS


def test_f15_a_certificate_that_is_not_valid_is_not_accepted() -> None:
    with FaultyServer(offers=("STARTTLS",)) as faults, pytest.raises(SmtpError) as caught:
        host, port = faults.url.removeprefix("smtp://").split(":")
        Conversation(Server(host, int(port), "starttls"), "localhost", QUICK).__enter__()
    assert caught.value.phase == Phase.STARTTLS


def test_nobody_listening_is_said_in_a_sentence() -> None:
    with pytest.raises(SmtpError, match="Nobody listens"):
        Conversation(Server("127.0.0.1", free_port()), "localhost", QUICK).__enter__()


def test_p6_a_password_does_not_show_in_a_representation() -> None:
    assert "geheim" not in repr(server("smtps://user:geheim@mail.example.org"))


def test_addresses_of_servers_are_read_with_their_usual_ports() -> None:
    assert server("smtp+starttls://u%40x:p%2Fw@mail.example.org") == Server("mail.example.org", 587, "starttls", "u@x", "p/w")
    assert server("smtps://mail.example.org").port == 465
