"""What a person sees, decides and is told: evidence, a second try, the table, the mail, the frozen house (P9, C8, I4, F5)."""

import shutil
from collections.abc import Callable

import pytest
from sqlalchemy import select

from newsletter.archive.actions import request_build
from newsletter.archive.models import Target
from newsletter.deliveries import actions, queries, tide
from newsletter.deliveries.forms import missed_as_csv
from newsletter.deliveries.models import Attempt, Delivery, Mailing
from newsletter.federation.models import Ping
from newsletter.i18n import Speech
from newsletter.notices.actions import bytes_of
from newsletter.notices.models import Notice
from newsletter.notices.sending import send as send_notice
from newsletter.spreadsheets import safe
from newsletter.subscriptions.actions import leave
from newsletter.worker import due
from tests.deliveries.conftest import Post
from tests.support import cast
from tests.support.clock import Clock

NewPost = Callable[..., Post]


def uncertain(new_post: NewPost, readers: int = 3) -> Post:
    """A mailing in which the server took everything and answered nothing."""
    post = new_post({"dot": "taken close"}, readers=readers)
    post.send()
    assert post.counts == {"uncertain": readers}
    return post


def test_the_mail_servers_log_settles_who_got_it(new_post: NewPost, clock: Clock) -> None:
    post = uncertain(new_post)
    taken = {name.strip("<>") for name in post.faults.message_ids[:2]}
    with post.process.writing() as session:
        found = actions.settle_by_evidence(session, post.mailing_id, taken=taken, complete=False, now=clock())
    assert found == {"accepted": 2, "planned": 0, "uncertain": 1}
    assert post.counts == {"accepted": 2, "uncertain": 1}


def test_a_complete_log_also_settles_who_got_it_not_and_they_get_the_same_message(new_post: NewPost, clock: Clock) -> None:
    post = uncertain(new_post, readers=2)
    before = {row.id: row.reference for row in post.rows()}
    with post.process.writing() as session:
        actions.settle_by_evidence(session, post.mailing_id, taken=set(), complete=True, now=clock())
    post.faults.plan = {}
    post.send()
    assert post.counts == {"accepted": 2}
    assert {row.id: row.reference for row in post.rows()} == before
    with post.process.reading() as session:
        assert {row.phase for row in session.scalars(select(Attempt))} >= {"dot", "evidence"}


def test_a_reader_who_uses_the_link_proves_that_the_letter_came(new_post: NewPost, clock: Clock) -> None:
    import re

    post = uncertain(new_post, readers=2)
    secret = re.search(rb"List-Unsubscribe: <http://localhost/u/([^>]+)>", post.faults.accepted[0]).group(1).decode()
    with post.process.writing() as session:
        assert actions.settle_by_readers(session, now=clock()) == 0
        assert leave(session, secret=secret, how="test", now=clock())
        assert actions.settle_by_readers(session, now=clock()) == 1
    assert post.counts == {"accepted": 1, "uncertain": 1}


def test_u6_the_links_of_every_attempt_go_on_working(new_post: NewPost, clock: Clock) -> None:
    import re

    post = uncertain(new_post, readers=1)
    with post.process.writing() as session:
        actions.settle_uncertain(session, session.get_one(Mailing, post.mailing_id), again=True, now=clock())
    post.faults.plan = {}
    post.send()
    found = [re.search(rb"List-Unsubscribe: <http://localhost/u/([^>]+)>", raw).group(1).decode() for raw in post.faults.accepted]
    assert len(set(found)) == 2
    for secret in found:
        with post.process.writing() as session:
            assert leave(session, secret=secret, how="test", now=clock()) is not None


def test_those_who_failed_are_tried_once_more_but_not_dead_addresses(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"rcpt": ["550 5.1.1 nobody here", "552 5.2.2 mailbox full", "554 5.6.0 no", ""]}, readers=4, settings={"smtp_connections": 1})
    post.faults.plan["rcpt"] = ["550 5.1.1 nobody here", "554 5.2.2 mailbox full", "554 5.6.0 no", ""]
    post.send()
    assert post.counts == {"accepted": 1, "refused": 3}
    with post.process.writing() as session:
        assert actions.resend(session, session.get_one(Mailing, post.mailing_id), now=clock()) == 2
    assert post.mailing.state == "sending"
    post.send()
    assert post.counts == {"accepted": 3, "refused": 1}
    assert len(set(post.faults.message_ids)) == 3
    clock.forward(hours=100)
    with post.process.writing() as session:
        assert actions.resend(session, session.get_one(Mailing, post.mailing_id), now=clock()) == 0


def test_a_second_try_has_two_days_of_its_own(new_post: NewPost, clock: Clock) -> None:
    from newsletter.deliveries import ledger

    post = new_post({"rcpt": "554 5.2.2 full"})
    post.send()
    clock.forward(days=5)
    with post.process.writing() as session:
        actions.resend(session, session.get_one(Mailing, post.mailing_id), now=clock())
    post.faults.plan = {"rcpt": "450 4.2.1 later"}
    post.send()
    with post.process.writing() as session:
        assert ledger.expire(session, now=clock()) == 0
    clock.forward(hours=49)
    with post.process.writing() as session:
        assert ledger.expire(session, now=clock()) == 1


def test_the_owner_gets_a_mail_when_a_mailing_stops_by_itself(new_post: NewPost, clock: Clock) -> None:
    post = new_post({"greeting": "554 5.7.1 bad reputation"}, readers=2)
    cast.editor(post.process)
    post.send()
    assert post.mailing.state == "paused"
    with post.process.reading() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "stopped")).one()
        text = bytes_of(session, notice).decode()
    assert notice.recipient == "mira@saatgarten.example"
    assert "bad reputation" in text
    assert f"/admin/saatbrief/mailings/{post.mailing_id}" in text.replace("=\r\n", "")
    post.faults.plan = {}
    send_notice(post.process, notice.id)
    assert post.faults.recipients == ["mira@saatgarten.example"]


def test_nobody_is_told_about_a_pause_that_a_person_wanted(new_post: NewPost) -> None:
    post = new_post(readers=2)
    with post.process.writing() as session:
        actions.pause(session, session.get_one(Mailing, post.mailing_id))
    assert post.number_of(Notice) == 0


def test_c8_the_table_of_those_who_missed_it_is_safe_for_spreadsheets(new_post: NewPost) -> None:
    post = new_post({"rcpt": ["550 5.1.1 =cmd|'/c calc'!A1", ""]}, readers=2, settings={"smtp_connections": 1})
    post.send()
    with post.process.reading() as session:
        lines = list(missed_as_csv(queries.missed(session, post.mailing_id), Speech("de")))
    assert len(lines) == 2
    assert lines[0].startswith("\ufeffAdresse,Name,")
    assert "leser0@example.org,Leser 0,refused,550," in lines[1]


@pytest.mark.parametrize(("cell", "written"), [("=1+1", "'=1+1"), ("+49", "'+49"), ("-x", "'-x"), ("@a", "'@a"), ("\tx", "'\tx"), ("Ada", "Ada"), ("", "")])
def test_c8_a_cell_is_no_formula(cell: str, written: str) -> None:
    assert safe(cell) == written


def test_counts_by_provider_join_the_domains_of_one_house(new_post: NewPost) -> None:
    post = new_post(readers=1)
    for email in ("a@gmx.de", "b@web.de", "c@GMAIL.com", "d@googlemail.com", "e@gmx.net"):
        cast.reader(post.process, post.publication_id, email.lower())
    post.issue_id = cast.issue(post.process, post.publication_id, "Zweiter")
    post.mailing_id = post.start()
    post.send()
    with post.process.reading() as session:
        rows = queries.by_provider(session, post.mailing_id)
    assert [(name, sum(counts.values())) for name, counts in rows] == [("gmx", 3), ("gmail", 2), ("example.org", 1)]


def test_p9_u8_after_an_older_database_was_put_back_nothing_leaves_until_somebody_looked(new_post: NewPost, clock: Clock) -> None:
    post = new_post(readers=3)
    file = post.process.settings.data_dir / "brieftaube.db"
    assert not tide.look(post.process)
    with post.process.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    post.process.engine.dispose()
    shutil.copy(file, file.with_suffix(".backup"))
    post.send()
    assert post.counts == {"accepted": 3}
    post.process.engine.dispose()
    for rest in file.parent.glob("brieftaube.db-*"):
        rest.unlink()
    shutil.copy(file.with_suffix(".backup"), file)
    assert post.counts == {"planned": 3}
    assert tide.look(post.process)
    with post.process.writing() as session:
        request_build(session, publication_id=post.publication_id, now=clock())
        row = {"publication_id": post.publication_id, "created_at": clock(), "next_attempt_at": clock()}
        session.add_all([Target(**row, kind="folder", place="/x"), Ping(**row, kind="websub", place="https://hub.example/")])
    post.send()
    assert post.counts == {"planned": 3}
    # Neither letters, nor an archive that would have lost some, nor what followers were told already.
    away = ("send_mailing", "begin_mailing", "start_scheduled", "build_archive", "serve_target", "send_ping")
    assert not [actor for actor, _ in due(post.process) if actor.actor_name in away]
    assert len(post.faults.accepted) == 3
    tide.confirm(post.process)
    assert not tide.look(post.process)
    assert {"build_archive", "serve_target", "send_ping"} <= {actor.actor_name for actor, _ in due(post.process)}
    with post.process.reading() as session:
        assert session.scalars(select(Delivery)).first() is not None
    post.send()
    assert post.counts == {"accepted": 3}


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "mail", "rcpt", "data", "body", "dot"])
@pytest.mark.parametrize("deed", ["pause", "cancel"])
def test_u4_a_mailing_may_be_stopped_at_every_point(new_post: NewPost, clock: Clock, phase: str, deed: str) -> None:
    post = new_post(readers=12, settings={"smtp_connections": 2}, offers=("PIPELINING", "8BITMIME"))
    done = []

    def stop(found: str) -> None:
        if found == phase and not done:
            done.append(found)
            with post.process.writing() as session:
                mailing = session.get_one(Mailing, post.mailing_id)
                actions.pause(session, mailing) if deed == "pause" else actions.cancel(session, mailing, now=clock())

    post.faults.on_phase = stop
    post.send()
    counts = post.counts
    assert counts.get("uncertain", 0) == counts.get("claimed", 0) == counts.get("handing_over", 0) == 0
    assert counts.get("accepted", 0) == len(post.faults.message_ids)
    if deed == "cancel":
        assert counts["cancelled"] + counts.get("accepted", 0) == 12
        return
    with post.process.writing() as session:
        actions.resume(session, session.get_one(Mailing, post.mailing_id), now=clock())
    post.send()
    assert post.counts == {"accepted": 12}
    assert len(set(post.faults.message_ids)) == 12
