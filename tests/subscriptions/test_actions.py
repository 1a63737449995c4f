"""Asking, confirming, leaving (L1, L2, L4, A1, T1-T7, U6)."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from newsletter.errors import Refused
from newsletter.forms.queries import first_form
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.subscriptions import actions, queries
from newsletter.subscriptions.consents import intact
from newsletter.subscriptions.models import Confirmation, Consent, Subscriber, Subscription
from newsletter.tokens import digest, new_secret
from tests.support import cast
from tests.support.clock import Clock


def ask(process: Process, publication_id: int, email: str = "ada@example.org", **more: str) -> int | None:
    with process.writing() as session:
        publication, form = get(session, publication_id), first_form(session, publication_id)
        request = actions.Request(email, **more)
        return actions.ask(session, process.tokens, cast.links(process), publication=publication, form=form, request=request, now=process.clock())


def confirm(process: Process, publication_id: int, secret: str) -> bool:
    with process.writing() as session:
        publication, form = get(session, publication_id), first_form(session, publication_id)
        return actions.confirm(session, process.tokens, cast.links(process), publication=publication, form=form, secret=secret, now=process.clock()) is not None


def known_secret(process: Process) -> str:
    """A secret for the latest question, since the real one is only in the mail."""
    secret = new_secret()
    with process.writing() as session:
        session.scalars(select(Confirmation).order_by(Confirmation.id.desc())).first().digest = digest(secret)
    return secret


def state(process: Process, email: str = "ada@example.org") -> str:
    with process.reading() as session:
        return session.scalar(select(Subscription.state).join(Subscriber, Subscriber.id == Subscription.subscriber_id).where(Subscriber.email == email))


def test_l1_a_reader_becomes_active_by_asking_and_confirming(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    assert ask(process, publication_id, via="instagram")
    assert state(process) == "pending"
    assert confirm(process, publication_id, known_secret(process))
    assert state(process) == "active"
    with process.reading() as session:
        reader = queries.reader_by_email(session, publication_id, "ada@example.org")
        chain = queries.consents_of(session, reader.subscription.id)
        assert [row.kind for row in chain] == ["asked", "confirmed"]
        assert reader.channel.name == "Instagram"
        assert chain[0].channel == "Instagram"
        assert chain[0].wording_id == chain[1].wording_id
        assert chain[0].message_id
        assert intact(chain, queries.wordings_of(session, chain))


def test_l1_the_database_refuses_an_active_reader_without_consent(any_process: Process) -> None:
    publication_id = cast.publication(any_process)
    ask(any_process, publication_id)
    with pytest.raises(DatabaseError), any_process.writing() as session:
        session.execute(text("UPDATE subscriptions SET state = 'active'"))


def test_l2_a_consent_is_never_changed_and_not_deleted(any_process: Process) -> None:
    process = any_process
    publication_id = cast.publication(process)
    ask(process, publication_id)
    confirm(process, publication_id, known_secret(process))
    for statement in ("UPDATE consents SET how = 'x'", "UPDATE wordings SET text = 'x'", "DELETE FROM wordings", "DELETE FROM consents"):
        with pytest.raises(DatabaseError, match="never"), process.writing() as session:
            session.execute(text(statement))


def test_l2_a_chain_that_was_changed_from_outside_shows(process: Process) -> None:
    publication_id = cast.publication(process)
    ask(process, publication_id)
    with process.reading() as session:
        chain = list(session.scalars(select(Consent)))
        assert intact(chain, queries.wordings_of(session, chain))
        wordings = queries.wordings_of(session, chain)
        session.expunge_all()
        chain[0].how = "etwas anderes"
        assert not intact(chain, wordings)


def test_l4_sign_ups_that_nobody_confirms_are_forgotten(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    ask(process, publication_id)
    cast.reader(process, publication_id, "ben@example.org")
    clock.forward(days=6)
    with process.writing() as session:
        assert actions.forget_unconfirmed(session, now=clock()) == 0
    clock.forward(days=1.1)
    with process.writing() as session:
        assert actions.forget_unconfirmed(session, now=clock()) == 1
    with process.reading() as session:
        assert list(session.scalars(select(Subscriber.email))) == ["ben@example.org"]
        assert not list(session.scalars(select(Consent).where(Consent.kind == "asked")))


def test_t3_a_question_is_answered_once(process: Process) -> None:
    publication_id = cast.publication(process)
    ask(process, publication_id)
    secret = known_secret(process)
    assert confirm(process, publication_id, secret)
    assert not confirm(process, publication_id, secret)
    assert not confirm(process, publication_id, "something else")


def test_t7_no_token_lies_in_the_database(process: Process) -> None:
    publication_id = cast.publication(process)
    notice_id = ask(process, publication_id)
    with process.writing() as session:
        notice = session.get(Notice, notice_id)
        from newsletter.mail.replies import Reply
        from newsletter.notices.actions import accept

        accept(session, notice_id, reply=Reply(250, "ok"), raw=b"as it was sent", now=process.clock())
        session.flush()
        assert notice.raw is None
        assert len(notice.sha256) == 64


def test_asking_again_never_unconfirms(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id)
    clock.forward(days=1)
    notice_id = ask(process, publication_id)
    assert state(process) == "active"
    with process.reading() as session:
        assert session.get(Notice, notice_id).kind == "already"
    assert ask(process, publication_id) is None


def test_a1_one_mailbox_gets_few_mails_however_it_is_spelled(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    spellings = ["ada@gmail.com", "a.da@gmail.com", "ad.a@gmail.com", "ada+1@gmail.com", "ada+2@googlemail.com"]
    for _ in range(10):
        for spelling in spellings:
            ask(process, publication_id, spelling)
        clock.forward(minutes=11)
    with process.reading() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 2


def test_a1_ten_thousand_requests_for_nine_addresses_send_at_most_eighteen_mails(process: Process) -> None:
    publication_id = cast.publication(process)
    with process.writing() as session:
        publication, form = get(session, publication_id), first_form(session, publication_id)
        for number in range(10_000):
            request = actions.Request(f"opfer{number % 9}@example.org", network=f"10.{number % 500 // 250}.{number % 250}.0/24")
            actions.ask(session, process.tokens, cast.links(process), publication=publication, form=form, request=request, now=process.clock())
        assert session.scalar(select(func.count()).select_from(Notice)) <= 9


def test_b7_a_fresh_double_opt_in_lifts_a_suppression(process: Process) -> None:
    from newsletter.subscriptions.models import Suppression

    publication_id = cast.publication(process)
    with process.writing() as session:
        actions.suppress(session, process.tokens, canonical="ada@example.org", reason="dead", now=process.clock())
        stored = session.scalars(select(Suppression)).one()
        assert "ada" not in stored.fingerprint
    ask(process, publication_id)
    confirm(process, publication_id, known_secret(process))
    with process.reading() as session:
        assert not list(session.scalars(select(Suppression)))


def test_u6_leaving_twice_is_leaving_once_and_a_strange_link_does_nothing(process: Process) -> None:
    publication_id = cast.publication(process)
    subscription_id = cast.reader(process, publication_id)
    with process.writing() as session:
        secret = cast.leave_link(session, subscription_id=subscription_id, now=process.clock())
    for _ in range(2):
        with process.writing() as session:
            assert actions.leave(session, secret=secret, how="test", now=process.clock()).state == "unsubscribed"
    with process.writing() as session:
        assert actions.leave(session, secret="unknown", how="test", now=process.clock()) is None
        assert [row.kind for row in queries.consents_of(session, subscription_id)] == ["confirmed", "withdrawn"]


def test_who_left_may_come_back_by_a_new_double_opt_in(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id, state="unsubscribed")
    clock.forward(days=1)
    assert ask(process, publication_id)
    assert state(process) == "unsubscribed"
    assert confirm(process, publication_id, known_secret(process))
    assert state(process) == "active"


def test_a_stranger_cannot_rename_a_reader(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    cast.reader(process, publication_id, state="unsubscribed")
    clock.forward(days=1)
    ask(process, publication_id, name="Böser Name")
    with process.reading() as session:
        assert session.scalars(select(Subscriber.name)).one() == "Ada Lorenzen"


@pytest.mark.parametrize("name", ["Ada\r\nBcc: x@evil.example", "=?utf-8?q?x?="])
def test_f12_a_name_cannot_inject_headers(process: Process, name: str) -> None:
    publication_id = cast.publication(process)
    with pytest.raises(Refused):
        ask(process, publication_id, name=name)


def test_counts_and_pages_say_who_is_there(process: Process, clock: Clock) -> None:
    publication_id = cast.publication(process)
    for number in range(60):
        cast.reader(process, publication_id, f"leser{number}@example.org", f"Leser {number}")
    with process.reading() as session:
        assert queries.counts(session, publication_id)["active"] == 60
        asked = queries.Wanted(publication_id)
        first, more = queries.page_of(session, asked)
        assert len(first) == queries.PAGE
        second, end = queries.page_of(session, asked, **more)
        assert (len(second), end) == (10, {})
        assert not {row.subscription.id for row in first} & {row.subscription.id for row in second}
        found, _ = queries.page_of(session, queries.Wanted(publication_id, text="Leser 7"))
        assert [row.subscriber.name for row in found] == ["Leser 7"]
        assert not queries.page_of(session, queries.Wanted(publication_id, text="100%"))[0]
        as_they_came, more = queries.page_of(session, queries.Wanted(publication_id, text="leser"))
        assert [row.subscriber.id for row in as_they_came] == sorted(row.subscriber.id for row in as_they_came)
        by_address, _ = queries.page_of(session, queries.Wanted(publication_id, text="leser1@"))
        assert [row.subscriber.canonical for row in by_address] == ["leser1@example.org"]
        assert len(queries.page_of(session, queries.Wanted(publication_id, text="leser"), **more)[0]) == 10
        assert len(queries.page_of(session, queries.Wanted(publication_id, text="leser59@ex"))[0]) == 1
