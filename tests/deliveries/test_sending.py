"""Sending through a server with planned faults: the state after each is known (RULES §5.2, §5.3)."""

from collections.abc import Callable
from email import policy
from email.parser import BytesParser

import pytest

from newsletter.deliveries import actions, ledger
from newsletter.deliveries.models import Attempt, Claiming, Mailing
from newsletter.subscriptions.actions import leave, suppress
from newsletter.subscriptions.models import Suppression
from newsletter.transports.actions import choose
from tests.deliveries.conftest import Post
from tests.support import cast
from tests.support.clock import Clock
from tests.support.services import free_port

NewPost = Callable[..., Post]


def wish(held: ledger.Claim) -> ledger.Wish:
    return ledger.Wish(held, (), f"digest for {held.claim_id}", 0)


def test_everybody_gets_one_letter_of_her_own(new_post: NewPost) -> None:
    post = new_post(readers=45)
    post.send()
    assert post.counts == {"accepted": 45}
    assert post.mailing.state == "finished"
    assert len(set(post.faults.message_ids)) == 45
    assert sorted(post.faults.recipients) == sorted(f"leser{number}@example.org" for number in range(45))
    message = BytesParser(policy=policy.default).parsebytes(post.faults.accepted[0])
    assert "Hallo Leser," in message.get_body(("plain",)).get_content()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_i7_all_letters_are_the_same_but_for_what_is_personal(new_post: NewPost) -> None:
    import re

    post = new_post(readers=3)
    post.send()
    bodies = [BytesParser(policy=policy.default).parsebytes(raw).get_body(("html",)).get_content() for raw in post.faults.accepted]
    assert len({re.sub(r"/[um]/[\w.-]+", "", body) for body in bodies}) == 1
    assert len(set(bodies)) == 3


@pytest.mark.parametrize(
    ("plan", "state", "mailing"),
    [
        ({"rcpt": "550 5.1.1 nobody"}, "refused", "finished"),
        ({"rcpt": "450 4.2.0 later"}, "deferred", "sending"),
        ({"rcpt": "452 4.2.2 full"}, "deferred", "sending"),
        ({"rcpt": "421 4.7.0 busy"}, "deferred", "sending"),
        ({"rcpt": "552 too many"}, "deferred", "sending"),
        ({"rcpt": "close"}, "planned", "sending"),
        ({"rcpt": "silent"}, "planned", "sending"),
        ({"rcpt": "garbage"}, "planned", "sending"),
        ({"data": "451 later"}, "deferred", "sending"),
        ({"data": "554 no"}, "refused", "finished"),
        ({"data": "close"}, "planned", "sending"),
        ({"dot": "451 later"}, "deferred", "sending"),
        ({"dot": "421 later"}, "deferred", "sending"),
        ({"dot": "552 5.3.4 too big"}, "refused", "finished"),
        ({"dot": "554 5.6.0 no"}, "refused", "finished"),
        ({"dot": "close"}, "uncertain", "finished"),
        ({"dot": "silent"}, "uncertain", "finished"),
        ({"dot": "garbage"}, "uncertain", "finished"),
        ({"after": "close"}, "accepted", "finished"),
        ({"after": "reset"}, "accepted", "finished"),
        ({"dot": "reset"}, "uncertain", "finished"),
        ({"dot": "long"}, "accepted", "finished"),
        ({"dot": "lines"}, "accepted", "finished"),
        ({"dot": "latin"}, "accepted", "finished"),
        ({"dot": "wait 0.3"}, "accepted", "finished"),
        ({"dot": "wait 3"}, "uncertain", "finished"),
        ({"greeting": "silent"}, "planned", "sending"),
        ({"greeting": "garbage"}, "planned", "sending"),
        ({"ehlo": "silent"}, "planned", "sending"),
        ({"ehlo": "502 what"}, "planned", "paused"),
        ({"mail": "silent"}, "planned", "sending"),
        ({"mail": "451 later"}, "planned", "sending"),
        ({"mail": "long"}, "accepted", "finished"),
        ({"rcpt": "lines"}, "accepted", "finished"),
        ({"rcpt": "reset"}, "planned", "sending"),
        ({"data": "silent"}, "planned", "sending"),
        ({"body": "close"}, ("planned", "uncertain", "deferred"), ("sending", "finished")),
        ({"greeting": "421 later"}, "planned", "sending"),
        ({"greeting": "close"}, "planned", "sending"),
        ({"greeting": "554 5.7.1 bad reputation"}, "planned", "paused"),
        ({"mail": "550 5.7.1 not you"}, "planned", "paused"),
        ({"mail": "421 busy"}, "planned", "sending"),
    ],
)
@pytest.mark.parametrize("offers", [("8BITMIME",), ("8BITMIME", "PIPELINING")], ids=["one by one", "pipelining"])
def test_s4_the_state_after_each_fault_is_true(new_post: NewPost, offers: tuple[str, ...], plan: dict[str, str], state: str, mailing: str) -> None:
    post = new_post(plan, offers=offers)
    post.send()
    ((found, number),) = post.counts.items()
    assert found in (state if isinstance(state, tuple) else (state,))
    assert number == 1
    assert post.mailing.state in (mailing if isinstance(mailing, tuple) else (mailing,))
    # „wait 3“ is longer than the sender waits: the mail is there and nobody can know (S15).
    assert len(post.faults.accepted) == (1 if state == "accepted" or plan == {"dot": "wait 3"} else 0)


def test_d2_i8_a_refusal_of_the_sender_stops_the_mailing_and_blames_nobody(new_post: NewPost) -> None:
    post = new_post({"rcpt": "550 5.7.26 unauthenticated"}, readers=100)
    post.send()
    assert post.mailing.state == "paused"
    assert "5.7.26" in post.mailing.trouble
    assert post.counts == {"planned": 100}
    assert post.number_of(Attempt) <= 20
    assert post.number_of(Suppression) == 0


def test_a_server_that_is_down_is_waited_for_and_everybody_stays_planned(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=3)
    with post.process.writing() as session:
        choose(session, post.process.tokens, address=f"smtp://127.0.0.1:{free_port()}", now=clock())
    post.send()
    assert post.counts == {"planned": 3}
    assert "Nobody listens" in post.mailing.trouble
    assert post.mailing.next_attempt_at > clock()


def test_a_deferred_letter_goes_out_later_with_the_same_message_id(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"dot": ["451 later", ""]})
    post.send()
    post.send()
    assert post.counts == {"deferred": 1}
    clock.forward(minutes=16)
    post.send()
    assert post.counts == {"accepted": 1}
    assert post.faults.message_ids == [f"<{post.rows()[0].reference}@saatgarten.example>"]
    assert post.rows()[0].attempts == 2


def test_a_letter_that_is_put_off_for_two_days_expires(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"rcpt": "450 later"})
    post.send()
    clock.forward(hours=49)
    with post.process.writing() as session:
        assert ledger.expire(session, now=clock()) == 1
    assert post.counts == {"expired": 1}


def test_i4_nothing_leaves_uncertain_by_itself(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"dot": ["close", ""]})
    post.send()
    for _ in range(5):
        clock.forward(hours=5)
        with post.process.writing() as session:
            ledger.recover(session, now=clock(), everything=True)
        post.send()
    assert post.counts == {"uncertain": 1}
    with post.process.writing() as session:
        assert actions.settle_uncertain(session, session.get_one(Mailing, post.mailing_id), again=True, now=clock()) == 1
    post.send()
    assert post.counts == {"accepted": 1}
    assert len(post.faults.accepted) == 1


def test_a_person_may_count_an_uncertain_one_as_arrived(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"dot": "close"})
    post.send()
    with post.process.writing() as session:
        actions.settle_uncertain(session, session.get_one(Mailing, post.mailing_id), again=False, now=clock())
    assert post.counts == {"accepted": 1}
    assert post.rows()[0].reply == "Counted as arrived by decision."


def test_u7_i6_who_leaves_in_the_middle_is_skipped(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=2)

    def last_reader_leaves() -> None:
        with post.process.writing() as session:
            secret = cast.leave_link(session, subscription_id=post.subscriptions[1], now=clock())
            leave(session, secret=secret, how="test", now=clock())

    post.faults.on_dot = last_reader_leaves
    post.send()
    assert post.counts == {"accepted": 1, "skipped": 1}
    assert post.faults.recipients == ["leser0@example.org"]


def test_i6_a_suppressed_address_is_skipped(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=2)
    with post.process.writing() as session:
        suppress(session, post.process.tokens, canonical="leser1@example.org", reason="dead", now=clock())
    post.send()
    assert post.counts == {"accepted": 1, "skipped": 1}


def test_i6_a_pause_holds_at_the_next_letter(new_post: NewPost) -> None:
    post = new_post(readers=5)

    def pause() -> None:
        with post.process.writing() as session:
            mailing = session.get_one(Mailing, post.mailing_id)
            if mailing.state == "sending":
                actions.pause(session, mailing)

    post.faults.on_dot = pause
    post.send()
    assert post.counts == {"accepted": 1, "planned": 4}
    assert post.mailing.state == "paused"
    post.faults.on_dot = None
    with post.process.writing() as session:
        actions.resume(session, session.get_one(Mailing, post.mailing_id), now=post.process.clock())
    post.send()
    assert post.counts == {"accepted": 5}
    assert len(set(post.faults.message_ids)) == 5


def test_cancelling_stops_at_once_and_says_who_did_not_get_it(new_post: NewPost) -> None:
    post = new_post(readers=5)

    def cancel() -> None:
        with post.process.writing() as session:
            mailing = session.get_one(Mailing, post.mailing_id)
            if mailing.state == "sending":
                actions.cancel(session, mailing, now=post.process.clock())

    post.faults.on_dot = cancel
    post.send()
    assert post.counts == {"accepted": 1, "cancelled": 4}
    assert post.mailing.state == "cancelled"


def test_i5_a_sender_that_lost_its_row_sends_no_dot(new_post: NewPost, clock: Clock) -> None:
    """A worker that slept through its lease must not hand over what another one took."""
    post = new_post()
    with post.process.writing() as session:
        (held,) = ledger.claim(session, post.mailing_id, now=clock())
    clock.forward(minutes=6)
    with post.process.writing() as session, pytest.raises(ledger.NotEverybody):
        ledger.hand_over(session, [wish(held)], now=clock())
    with post.process.writing() as session:
        assert ledger.recover(session, now=clock()) == (1, 0)
        (other,) = ledger.claim(session, post.mailing_id, now=clock())
        assert ledger.hand_over(session, [wish(other)], now=clock()) == {other.id}
        with pytest.raises(ledger.NotEverybody):
            ledger.hand_over(session, [wish(held)], now=clock())


def test_a_late_answer_settles_what_became_uncertain_meanwhile(new_post: NewPost, clock: Clock) -> None:
    post = new_post()
    with post.process.writing() as session:
        (held,) = ledger.claim(session, post.mailing_id, now=clock())
        assert ledger.hand_over(session, [wish(held)], now=clock()) == {held.id}
    clock.forward(minutes=13)
    with post.process.writing() as session:
        assert ledger.recover(session, now=clock()) == (0, 1)
    assert post.counts == {"uncertain": 1}
    with post.process.writing() as session:
        ledger.settle(session, [ledger.Result(held, "accepted", "dot", 250, "2.0.0", "ok")], now=clock())
    assert post.counts == {"accepted": 1}


def test_n3_the_same_bell_rung_five_times_in_parallel_sends_once(new_post: NewPost) -> None:
    import threading

    post = new_post(readers=60)
    threads = [threading.Thread(target=post.send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert post.counts == {"accepted": 60}
    assert len(post.faults.message_ids) == len(set(post.faults.message_ids)) == 60


def test_s2_a_connection_carries_a_hundred_letters_and_is_renewed(new_post: NewPost) -> None:
    post = new_post(readers=120, settings={"smtp_connections": 1})
    post.send()
    assert post.counts == {"accepted": 120}
    assert post.faults.connections == 2


def test_f9_the_envelope_sender_names_the_delivery_and_cannot_be_made_up(new_post: NewPost) -> None:
    import re

    post = new_post()
    post.send()
    number, mac = re.search(r"<b\+(\d+)-(\w+)@localhost>", post.faults.senders[0]).groups()
    assert int(number) == post.rows()[0].id
    assert mac == post.process.tokens.short_mac("bounce", number)


def test_f10_somebody_whose_address_the_server_cannot_take_is_refused_and_nobody_else(new_post: NewPost) -> None:
    post = new_post(readers=1)
    cast.reader(post.process, post.publication_id, "jürgen@example.org")
    post.issue_id = cast.issue(post.process, post.publication_id, "Zweiter Brief")
    post.mailing_id = post.start()
    post.send()
    assert post.counts == {"accepted": 1, "refused": 1}


def test_an_unforeseen_error_is_waited_out_and_loses_nobody(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=2)
    with post.process.writing() as session:
        mailing = session.get_one(Mailing, post.mailing_id)
        mailing.content = {key: value for key, value in mailing.content.items() if key != "list_id"}
    with pytest.raises(KeyError):
        post.send()
    post.check()
    assert post.counts == {"planned": 2}
    assert "list_id" in post.mailing.trouble
    assert post.mailing.next_attempt_at > clock()


def test_a_process_that_stops_gives_back_what_it_claimed(new_post: NewPost) -> None:
    post = new_post(readers=30)
    post.faults.on_dot = post.process.stopping.set
    post.send()
    assert post.counts == {"accepted": 1, "planned": 29}
    assert not any(row.claim_id for row in post.rows())
    assert post.number_of(Claiming) == 0


def test_every_attempt_is_written_down(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"rcpt": ["450 4.2.0 later", ""]})
    post.send()
    clock.forward(hours=1)
    post.send()
    with post.process.reading() as session:
        from sqlalchemy import select

        rows = list(session.scalars(select(Attempt).order_by(Attempt.id)))
    assert [(row.number, row.phase, row.outcome, row.code) for row in rows] == [(1, "rcpt", "deferred", 450), (2, "dot", "accepted", 250)]
    assert post.rows()[0].attempts == 2


def test_each_refusal_for_the_moment_waits_longer(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"rcpt": "450 4.2.0 later"})
    waits = []
    for _ in range(6):
        post.send()
        waits.append((post.rows()[0].next_attempt_at - clock()).total_seconds() / 60)
        clock.forward(minutes=waits[-1])
    assert waits == [15, 30, 60, 120, 240, 240]


def test_nothing_stays_open_in_a_mailing_that_was_cancelled_at_the_dot(new_post: NewPost) -> None:
    post = new_post({"dot": "451 later"})

    def cancel() -> None:
        with post.process.writing() as session:
            actions.cancel(session, session.get_one(Mailing, post.mailing_id), now=post.process.clock())

    post.faults.on_dot = cancel
    post.send()
    assert post.counts == {"cancelled": 1}
