"""Several mail servers, limits and patience, with a real conversation each (I9, D2, D4, S16, S20)."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.deliveries import actions
from newsletter.deliveries.models import Attempt, Delivery, Mailing
from newsletter.process import Process
from newsletter.subscriptions.models import Suppression
from newsletter.transports import throttles
from newsletter.transports.models import Transport
from tests.deliveries.conftest import Post
from tests.support import cast
from tests.support.clock import Clock
from tests.support.faults import FaultyServer
from tests.support.services import free_port

NewPost = Callable[..., Post]
PIPELINING = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")


def add(process: Process, url: str, **more: object) -> int:
    with process.writing() as session:
        row = Transport(name=url, address=process.tokens.encrypt(url), changed_at=process.clock(), **more)
        session.add(row)
        session.flush()
        return row.id


def change(post: Post, **more: object) -> None:
    with post.process.writing() as session:
        row = session.scalars(select(Transport).order_by(Transport.id)).first()
        for name, value in more.items():
            setattr(row, name, value)


def resume(post: Post) -> None:
    with post.process.writing() as session:
        actions.resume(session, session.get_one(Mailing, post.mailing_id), now=post.process.clock())


def test_two_servers_share_by_weight(new_post: NewPost) -> None:
    post = new_post(readers=400, offers=PIPELINING)
    with FaultyServer(offers=PIPELINING) as second:
        add(post.process, second.url, weight=3)
        post.send()
        assert post.counts == {"accepted": 400}
        assert 250 <= len(second.accepted) <= 350
        assert len(post.faults.accepted) + len(second.accepted) == 400
    used = Counter(row.transport_id for row in post.rows())
    assert len(used) == 2


@pytest.mark.parametrize(
    "trouble", [{"greeting": "554 5.7.1 bad reputation"}, {"greeting": "421 later"}, {"mail": "550 5.7.1 not you"}, {"rcpt": "550 5.7.26 no dkim"}]
)
def test_d2_when_one_server_does_not_want_us_the_other_goes_on(new_post: NewPost, clock: Clock, trouble: dict[str, str]) -> None:
    post = new_post(trouble, readers=60)
    with FaultyServer(offers=PIPELINING) as second:
        add(post.process, second.url)
        for _ in range(6):
            post.send()
            clock.forward(minutes=1)
        assert post.counts == {"accepted": 60}
        assert len(second.accepted) == 60
    assert post.number_of(Suppression) == 0


def test_a_server_of_weight_nothing_steps_in_only_when_the_others_cannot(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=30)
    with FaultyServer(offers=PIPELINING) as spare:
        add(post.process, spare.url, weight=0)
        post.send()
        assert len(spare.accepted) == 0
        change(post, address=post.process.tokens.encrypt(f"smtp://127.0.0.1:{free_port()}"))
        post.issue_id = cast.issue(post.process, post.publication_id, "Zweiter")
        post.mailing_id = post.start()
        for _ in range(3):
            post.send()
            clock.forward(minutes=1)
        assert post.counts == {"accepted": 30}
        assert len(spare.accepted) == 30


def test_d4_a_server_that_refuses_us_is_asked_by_few_and_blames_nobody(new_post: NewPost) -> None:
    post = new_post({"rcpt": "550 5.7.26 unauthenticated"}, readers=1000, settings={"smtp_connections": 32}, offers=PIPELINING)
    post.send()
    assert post.mailing.state == "paused"
    assert post.counts == {"planned": 1000}
    assert post.number_of(Attempt) <= 5
    assert post.faults.connections <= 2
    post.faults.plan = {}
    resume(post)
    post.process.clock.forward(minutes=1)
    post.send()
    assert post.counts == {"accepted": 1000}


def test_s3_a_wrong_password_stops_the_mailing_and_marks_nobody(new_post: NewPost) -> None:
    post = new_post(readers=20, offers=("AUTH PLAIN",), login=("mira", "right"))
    change(post, address=post.process.tokens.encrypt(post.faults.url.replace("smtp://", "smtp://mira:wrong@")))
    post.send()
    assert post.counts == {"planned": 20}
    assert post.mailing.state == "paused"
    assert "535" in post.mailing.trouble
    assert post.number_of(Attempt) == 0


def test_i9_the_witness_sees_no_more_than_the_limit_in_any_window(new_process: Callable[..., Process]) -> None:
    """With the real clock, because the witness has it, too."""
    from newsletter.clock import utc_now

    process = new_process(send_rate=40)
    object.__setattr__(process, "clock", utc_now)
    with FaultyServer(offers=PIPELINING) as faults:
        post = Post(process, faults, readers=90)
        post.send()
        assert post.counts == {"accepted": 90}
    for moment in faults.moments:
        # A letter that is let through at the end of a window may reach the witness a little later.
        assert sum(moment <= other < moment + 0.95 for other in faults.moments) <= 40
    assert faults.moments[-1] - faults.moments[0] > 1.9


def test_i9_two_senders_share_one_limit(new_process: Callable[..., Process]) -> None:
    import threading

    from newsletter.clock import utc_now

    process = new_process(send_rate=40)
    object.__setattr__(process, "clock", utc_now)
    with FaultyServer(offers=PIPELINING) as faults:
        post = Post(process, faults, readers=80)
        senders = [threading.Thread(target=post.send) for _ in range(2)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert post.counts == {"accepted": 80}
        assert len(set(faults.message_ids)) == 80
    assert all(sum(moment <= other < moment + 0.95 for other in faults.moments) <= 40 for moment in faults.moments)


def test_s5_a_provider_that_asks_for_patience_holds_up_nobody_else(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=1, offers=PIPELINING)
    for number in range(40):
        cast.reader(post.process, post.publication_id, f"a{number}@gmx.de")
        cast.reader(post.process, post.publication_id, f"b{number}@example.com")
    post.issue_id = cast.issue(post.process, post.publication_id, "Zweiter")
    post.mailing_id = post.start()
    busy = {"on": True}
    usual = post.faults.step

    def step(phase: str) -> str:
        if phase == "rcpt" and busy["on"] and "gmx" in post.faults.commands[-1]:
            return "451 4.7.28 slow down"
        return usual(phase)

    post.faults.step = step
    post.send()
    with post.process.reading() as session:
        of = {
            provider: Counter(session.scalars(select(Delivery.state).where(Delivery.mailing_id == post.mailing_id, Delivery.provider == provider)))
            for provider in ("gmx", "example.com")
        }
    assert of["example.com"] == {"accepted": 40}
    assert of["gmx"]["deferred"] <= 10  # those that were on the wire; the others were not even tried
    assert of["gmx"]["planned"] >= 30
    busy["on"] = False
    with post.process.writing() as session:
        assert throttles.bucket(session, (1, "gmx")).learned
        throttles.bucket(session, (1, "gmx")).count = None  # this clock stands still, so nobody could wait for a token
    clock.forward(minutes=30)
    post.send()
    assert post.counts == {"accepted": 81}


def test_a_warm_up_puts_the_rest_off_to_the_next_day(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=70, offers=PIPELINING)
    change(post, warm_up_from=clock().date())
    post.send()
    assert post.counts == {"accepted": 50, "planned": 20}
    assert post.mailing.state == "sending"
    assert post.mailing.next_attempt_at.date() == clock().date() + timedelta(days=1)
    clock.now = post.mailing.next_attempt_at
    post.send()
    assert post.counts == {"accepted": 70}


def test_s20_greylisting_costs_one_attempt(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"rcpt": ["450 4.2.0 greylisted"] * 3}, readers=3)
    post.send()
    assert post.counts == {"deferred": 3}
    clock.forward(minutes=16)
    post.send()
    assert post.counts == {"accepted": 3}
    assert {row.attempts for row in post.rows()} == {2}


def test_s16_a_server_that_lies_about_pipelining_gets_one_command_at_a_time(new_post: NewPost) -> None:
    post = new_post(readers=4, settings={"smtp_connections": 1}, offers=PIPELINING, deaf=True)
    post.send()
    assert post.counts == {"accepted": 4}


def test_a_recipient_that_no_server_can_take_stops_nobody_else(new_post: NewPost) -> None:
    """65 characters before the @, or what is no address at all, cannot have come in by a form; a restored table may hold it."""
    from newsletter.subscriptions.models import Subscriber

    post = new_post(readers=3)
    with post.process.writing() as session:
        first, second, _ = session.scalars(select(Subscriber).order_by(Subscriber.id)).all()
        first.email = "a" * 65 + "@example.org"
        second.email = "two@example.org, bcc@example.org"
    post.send()
    assert post.counts == {"accepted": 1, "refused": 2}
    assert post.faults.recipients == ["leser2@example.org"]


def test_size_a_letter_that_is_too_large_for_the_server_stops_the_mailing(new_post: NewPost) -> None:
    post = new_post(readers=3, offers=("SIZE 2000",))
    post.send()
    assert post.counts == {"planned": 3}
    assert post.mailing.state == "paused"
    assert "at most 2000 bytes" in post.mailing.trouble


def test_a_signing_key_that_cannot_be_read_stops_the_mailing(new_post: NewPost) -> None:
    from newsletter.publications.keys import add_keys, use_keys
    from newsletter.publications.models import SigningKey

    post = new_post(readers=3)
    with post.process.writing() as session:
        add_keys(session, post.process.tokens, domain="saatgarten.example", now=post.process.clock())
        use_keys(session, domain="saatgarten.example", now=post.process.clock())
        for row in session.scalars(select(SigningKey)):
            row.private = "nonsense"
    post.send()
    assert post.counts == {"planned": 3}
    assert post.mailing.state == "paused"
    assert "signing key" in post.mailing.trouble


def test_n9_a_lease_is_kept_alive_while_the_sender_lives(new_post: NewPost, clock: Clock) -> None:
    from newsletter.deliveries import ledger
    from newsletter.deliveries.models import Claiming

    post = new_post(readers=2)
    with post.process.writing() as session:
        held = ledger.claim(session, post.mailing_id, now=clock())
    for _ in range(5):
        clock.forward(minutes=4)
        with post.process.writing() as session:
            assert ledger.keep(session, [held[0].claim_id], now=clock()) == [held[0].claim_id]
            assert ledger.recover(session, now=clock()) == (0, 0)
            assert session.scalars(select(Claiming)).one().lease_until == clock() + timedelta(minutes=5)
