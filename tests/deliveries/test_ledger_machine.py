"""A machine that does what senders, people and clocks do in any order, and a model that knows what must hold (RULES §5.2)."""

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from newsletter import process as processes
from newsletter import schema
from newsletter.deliveries import actions, ledger, queries
from newsletter.deliveries.models import Delivery, Mailing
from newsletter.errors import Conflict
from newsletter.issues.models import Issue
from newsletter.publications.queries import get
from newsletter.settings import load
from newsletter.subscriptions.models import Subscription
from tests.support import cast
from tests.support.clock import Clock

READERS = 6


class LedgerMachine(RuleBasedStateMachine):
    """Several senders at once. ``dots`` are what went out after a permission; ``decided`` what a person sent again."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.process = processes.new_process(load({"BRIEFTAUBE_CONFIG": "/nowhere"}, data_dir=self.folder.name, base_url="http://localhost"), self.clock)
        schema.upgrade(self.process.engine)
        publication_id = cast.publication(self.process)
        self.subscriptions = [cast.reader(self.process, publication_id, f"leser{number}@example.org") for number in range(READERS)]
        issue_id = cast.issue(self.process, publication_id)
        with self.process.writing() as session:
            publication, issue = get(session, publication_id), session.get_one(Issue, issue_id)
            self.mailing_id = actions.start(session, cast.links(self.process), publication=publication, issue=issue, undo=timedelta(0), now=self.clock())
        with self.process.writing() as session:
            actions.begin(session, self.mailing_id, now=self.clock())
        self.claimed: list[ledger.Claim] = []
        self.on_the_wire: list[ledger.Claim] = []
        self.dots: dict[int, int] = {}
        self.decided: dict[int, int] = {}
        self.gone: set[int] = set()

    def teardown(self) -> None:
        if hasattr(self, "process"):
            self.process.engine.dispose()
            self.folder.cleanup()

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        with self.process.writing() as session:
            self.claimed += ledger.claim(session, self.mailing_id, limit=limit, now=self.clock())

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def ask_for_the_dot(self, data: st.DataObject) -> None:
        held = self.claimed.pop(data.draw(st.integers(0, len(self.claimed) - 1)))
        wish = ledger.Wish(held, (f"print{held.id}",), f"{held.claim_id}-{held.id}", 0)
        with self.process.writing() as session:
            granted = ledger.hand_over_singly(session, [wish], now=self.clock())
        if granted:
            assert held.subscription_id not in self.gone
            self.dots[held.id] = self.dots.get(held.id, 0) + 1
            self.on_the_wire.append(held)

    @precondition(lambda self: self.on_the_wire)
    @rule(data=st.data(), state=st.sampled_from(["accepted", "deferred", "refused", "uncertain"]))
    def hear_the_answer(self, data: st.DataObject, state: str) -> None:
        held = self.on_the_wire.pop(data.draw(st.integers(0, len(self.on_the_wire) - 1)))
        if state in ("deferred", "refused"):
            self.dots[held.id] -= 1  # the server said that it has not taken it
        again = self.clock() + timedelta(minutes=1) if state == "deferred" else None
        with self.process.writing() as session:
            ledger.settle(session, [ledger.Result(held, state, "dot", 250, "", "", again)], now=self.clock())

    @precondition(lambda self: self.claimed)
    @rule()
    def give_back(self) -> None:
        held, self.claimed = self.claimed, []
        with self.process.writing() as session:
            ledger.release(session, held, now=self.clock())

    @rule(minutes=st.integers(1, 9))
    def time_passes(self, minutes: int) -> None:
        self.clock.forward(minutes=minutes)

    @rule(everything=st.booleans())
    def recover(self, everything: bool) -> None:
        if everything:
            self.claimed, self.on_the_wire = [], []  # only said when no sender is alive
        with self.process.writing() as session:
            ledger.recover(session, now=self.clock(), everything=everything)

    @rule(number=st.integers(0, READERS - 1))
    def leave(self, number: int) -> None:
        with self.process.writing() as session:
            session.get_one(Subscription, self.subscriptions[number]).state = "unsubscribed"
        self.gone.add(self.subscriptions[number])

    @rule(deed=st.sampled_from(["pause", "resume"]))
    def stop_and_go(self, deed: str) -> None:
        with self.process.writing() as session:
            mailing = session.get_one(Mailing, self.mailing_id)
            try:
                actions.pause(session, mailing) if deed == "pause" else actions.resume(session, mailing, now=self.clock())
            except Conflict:
                session.rollback()

    @rule(again=st.booleans())
    def decide(self, again: bool) -> None:
        with self.process.writing() as session:
            doubtful = list(session.scalars(select(Delivery.id).where(Delivery.mailing_id == self.mailing_id, Delivery.state == "uncertain")))
            actions.settle_uncertain(session, session.get_one(Mailing, self.mailing_id), again=again, now=self.clock())
        if again:
            for number in doubtful:
                self.decided[number] = self.decided.get(number, 0) + 1

    @invariant()
    def everybody_stands_in_one_row(self) -> None:
        if not hasattr(self, "process"):
            return
        with self.process.reading() as session:
            assert sum(queries.counts(session, self.mailing_id).values()) == READERS
            rows = {row.id: row for row in session.scalars(select(Delivery))}
        for number, row in rows.items():
            # I3, I4: a second dot for the same letter needs a person who wanted it.
            assert self.dots.get(number, 0) <= 1 + self.decided.get(number, 0)
            if row.state in ("planned", "claimed", "skipped") and not self.decided.get(number):
                assert self.dots.get(number, 0) == 0


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestLedgerMachine = LedgerMachine.TestCase
