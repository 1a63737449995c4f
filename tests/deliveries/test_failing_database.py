"""Fail the n-th statement, for every n until none fails: the ledger stays true (SQLite's own way of testing)."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from newsletter.deliveries import ledger
from tests.deliveries.conftest import Post


def test_whichever_statement_fails_nobody_gets_a_letter_twice(new_post: Callable[..., Post]) -> None:
    post = new_post(readers=3)
    engine = post.process.engine
    left = 0

    def fail(connection: object, cursor: object, statement: str, *more: object) -> None:
        nonlocal left
        if statement.startswith(("UPDATE", "INSERT", "SELECT")):
            left -= 1
            if left == 0:
                raise OperationalError(statement, {}, Exception("injected"))

    event.listen(engine, "before_cursor_execute", fail)
    try:
        for number in range(1, 200):
            left = number
            try:
                post.send()
            except OperationalError:
                left = 0
                post.process.clock.forward(minutes=11)  # the mailing waits a while after trouble
                with post.process.writing() as session:
                    ledger.recover(session, now=post.process.clock(), everything=True)
                post.check()
            if left > 0:
                break
    finally:
        event.remove(engine, "before_cursor_execute", fail)
    assert number > 5
    assert len(post.faults.message_ids) == len(set(post.faults.message_ids))
    counts = post.counts
    assert counts.get("accepted", 0) + counts.get("uncertain", 0) == 3
    assert counts.get("accepted", 0) <= len(post.faults.accepted) <= 3
    assert post.mailing.state == "finished"
