"""What came back is written down, and something follows (B5, B6, B7, D4)."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.bounces import queries
from newsletter.bounces.actions import Report, note
from newsletter.bounces.looking import look
from newsletter.bounces.models import Bounce
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.forms.queries import first_form
from newsletter.notices.actions import bytes_of
from newsletter.notices.models import Notice
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.resolver import Unreachable
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.models import Subscription, Suppression
from newsletter.subscriptions.queries import consents_of
from tests.deliveries.conftest import Post, new_post  # noqa: F401 -- a fixture
from tests.support import cast
from tests.support.clock import Clock

NewPost = Callable[..., Post]
DEAD = Report("dead", "unknown-user", "5.1.1", 550, "5.1.1 no such user")
WEAK = Report("dead", "unknown-user", "", 550, "no such user")
ABUSE = Report("complaint", "abuse")


class Names:
    """Name servers that know some mail hosts, or do not answer."""

    def __init__(self, zone: dict[str, list[str]] | None) -> None:
        self.zone = zone

    def mail_hosts(self, name: str) -> list[str]:
        if self.zone is None:
            raise Unreachable("nobody answers")
        return self.zone.get(name, [])

    addresses = texts = names = mail_hosts


def tell(process: Process, delivery_id: int, report: Report, source: str = "mail", **more: object) -> str | None:
    with process.writing() as session:
        return note(session, process.tokens, process.links, delivery_id=delivery_id, report=report, source=source, now=process.clock(), **more)


def reasons(process: Process) -> list[tuple[str, int | None]]:
    with process.reading() as session:
        return [(row.reason, row.publication_id) for row in session.scalars(select(Suppression))]


@pytest.fixture
def post(new_post: NewPost) -> Post:  # noqa: F811
    post = new_post(readers=3)
    post.send()
    return post


def again(post: Post, clock: Clock, days: int) -> int:
    """The next letter, so many days later; gives back the delivery of the first reader."""
    clock.forward(days=days)
    post.issue_id = cast.issue(post.process, post.publication_id, subject=f"Brief {clock():%m%d}")
    post.mailing_id = post.start()
    post.send()
    with post.process.reading() as session:
        return session.scalars(select(Delivery.id).where(Delivery.mailing_id == post.mailing_id, Delivery.canonical == "leser0@example.org")).one()


def test_b6_a_clear_no_such_user_takes_the_address_off_every_list_at_once(post: Post) -> None:
    assert tell(post.process, 1, DEAD) == "dead"
    assert reasons(post.process) == [("dead", None)]


def test_b6_the_same_news_by_three_ways_counts_once(post: Post) -> None:
    assert tell(post.process, 1, WEAK, "reply") == ""
    assert tell(post.process, 1, WEAK, "mail") is None
    assert tell(post.process, 1, WEAK, "event") is None
    assert reasons(post.process) == []


def test_b6_an_unclear_no_is_believed_the_third_time(post: Post, clock: Clock) -> None:
    tell(post.process, 1, WEAK)
    for days in (4, 4):
        number = again(post, clock, days)
        said = tell(post.process, number, WEAK)
    assert said == "dead"
    assert reasons(post.process) == [("dead", None)]


def test_b6_a_letter_that_stayed_there_wipes_the_slate_clean(post: Post, clock: Clock) -> None:
    tell(post.process, 1, WEAK)
    number = again(post, clock, 4)
    tell(post.process, number, WEAK)
    again(post, clock, 4)  # this one came back from nowhere
    number = again(post, clock, 4)
    assert tell(post.process, number, WEAK) == ""
    assert reasons(post.process) == []


@pytest.mark.parametrize("kind", ["content", "sender", "temporary", "unclear"])
def test_b6_what_they_think_of_us_is_never_the_readers_fault(post: Post, kind: str) -> None:
    for number in (1, 2, 3):
        tell(post.process, number, Report(kind, "policy", "5.7.1", 550, "5.7.1 looks like spam"))
    assert reasons(post.process) == []


def test_b6_the_owners_are_told_once_when_a_letter_is_refused_for_what_it_says(post: Post) -> None:
    cast.editor(post.process)
    for number in (1, 2, 3):
        tell(post.process, number, Report("content", "spam", "5.7.1", 554, f"5.7.1 spam {number}"))
    with post.process.reading() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == "filtered")).all()
    assert [one.recipient for one in notices] == ["mira@saatgarten.example"]


def test_b5_a_complaint_ends_the_subscription_at_once_and_without_a_mail(post: Post) -> None:
    assert tell(post.process, 1, ABUSE) == "complaint"
    assert reasons(post.process) == [("complaint", post.publication_id)]
    with post.process.reading() as session:
        row = session.get_one(Subscription, post.subscriptions[0])
        assert row.state == "unsubscribed"
        assert consents_of(session, row.id)[-1].how == "reported a letter as spam"
        assert session.scalars(select(Notice)).all() == []


def test_b5_a_complaint_that_comes_twice_is_one(post: Post) -> None:
    tell(post.process, 1, ABUSE)
    assert tell(post.process, 1, ABUSE, "event") is None


def test_b7_a_fresh_double_opt_in_lifts_what_a_bounce_or_a_complaint_has_done(post: Post, clock: Clock) -> None:
    tell(post.process, 1, DEAD)
    tell(post.process, 2, ABUSE)
    clock.forward(days=1)
    for email in ("leser0@example.org", "leser1@example.org"):
        join(post, email)
    assert reasons(post.process) == []


def join(post: Post, email: str) -> None:
    """Sign up and press the button in the mail."""
    process = post.process
    with process.writing() as session:
        publication, form = get(session, post.publication_id), first_form(session, post.publication_id)
        assert form is not None
        wish = subscriptions.Request(email)
        number = subscriptions.ask(session, process.tokens, process.links, publication=publication, form=form, request=wish, now=process.clock())
        notice = session.get_one(Notice, number)
        token = re.search(r"/confirm/([\w.-]+)", bytes_of(session, notice).replace(b"=\r\n", b"").decode())[1]
        secret = process.tokens.load("confirm", token, timedelta(hours=72))
        assert subscriptions.confirm(session, process.tokens, process.links, publication=publication, form=form, secret=secret, now=process.clock())


def test_s1_what_a_server_refuses_at_the_door_counts_like_a_mail_that_comes_back(new_post: NewPost) -> None:  # noqa: F811
    post = new_post({"rcpt": "550 5.1.1 no such user"}, readers=1)
    post.send()
    assert look(post.process) == 1
    assert look(post.process) == 0
    assert reasons(post.process) == [("dead", None)]
    with post.process.reading() as session:
        row = session.scalars(select(Bounce)).one()
        assert (row.kind, row.source, row.consequence, row.code) == ("dead", "reply", "dead", 550)


def test_d2_a_spam_filter_at_the_door_throws_nobody_off_the_list(new_post: NewPost) -> None:  # noqa: F811
    post = new_post({"dot": "554 5.7.1 message looks like spam"}, readers=2)
    post.send()
    look(post.process)
    assert reasons(post.process) == []


@pytest.mark.parametrize(("zone", "gone"), [({}, True), ({"example.org": ["mx.example.org"]}, False), (None, False)])
def test_b6_a_domain_that_is_said_to_be_missing_is_looked_up(new_post: NewPost, zone: dict[str, list[str]] | None, gone: bool) -> None:  # noqa: F811
    post = new_post({"rcpt": "550 5.1.2 host not found"}, readers=1)
    post.send()
    process = replace(post.process, resolver=Names(zone))
    look(process)
    assert reasons(process) == ([("dead", None)] if gone else [])


def test_d4_too_many_complaints_stop_a_letter_that_is_on_its_way(new_post: NewPost) -> None:  # noqa: F811
    post = new_post(readers=40)
    cast.editor(post.process)
    post.send()
    with post.process.writing() as session:
        session.get_one(Mailing, post.mailing_id).state = "sending"
    for number in (1, 2):
        tell(post.process, number, ABUSE)
        assert post.mailing.state == "sending"
    tell(post.process, 3, ABUSE)
    assert post.mailing.state == "paused"
    assert "report this letter as spam" in post.mailing.trouble
    with post.process.reading() as session:
        assert session.scalars(select(Notice).where(Notice.kind == "stopped")).one()
        assert queries.houses(session, post.publication_id, post.process.clock() - timedelta(days=30))[0].verdict == "stop"
