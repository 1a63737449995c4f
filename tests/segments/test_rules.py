"""Segments: rules are data, every part of them is looked up or bound (P5), and both databases answer alike."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter.errors import NotFound, Refused
from newsletter.process import Process
from newsletter.publications.queries import get
from newsletter.segments import actions, queries
from newsletter.segments.rules import Context, check, condition
from newsletter.subscriptions import actions as subscriptions
from newsletter.subscriptions.models import Subscriber, Subscription
from newsletter.subscriptions.policy import compact
from tests.conftest import Browser
from tests.support import cast


def people(process: Process) -> None:
    """Ada: tag x, Kiel, joined long ago. Ben: Bonn, by Instagram. Cleo: no answers, paused, wrote back."""
    publication_id = cast.publication(process)
    for name in ("ada", "ben", "cleo"):
        cast.reader(process, publication_id, f"{name}@{'gmx.example' if name == 'ada' else 'web.example'}", name.title() if name != "cleo" else "")
    with process.writing() as session:
        ada, ben, cleo = session.scalars(select(Subscription).order_by(Subscription.id))
        x = subscriptions.tag(session, publication_id, "x")
        ada.tags = subscriptions.with_tags("", [x])
        ada.answers, ben.answers = compact({"ort": "Kiel", "geb": "1980-01-01"}), compact({"ort": 'Bonn "Süd"', "geb": "1990-01-01"})
        ada.confirmed_at = process.clock() - timedelta(days=400)
        ben.channel_id = 4
        cleo.answered_at, cleo.state, cleo.rhythm = process.clock() - timedelta(days=3), "paused", "monthly"


RULES = [
    ("tag", "is", "1", "ada"), ("tag", "is not", "1", "ben cleo"), ("channel", "is", "4", "ben"), ("channel", "is not", "4", "ada cleo"),
    ("state", "is", "paused", "cleo"), ("joined", "within", "30", "ben cleo"), ("joined", "longer than", "30", "ada"),
    ("joined", "after", "2020-01-01", "ada ben cleo"), ("joined", "before", "2020-01-01", ""), ("answered", "ever", "", "cleo"),
    ("answered", "never", "", "ada ben"), ("answered", "within", "2", ""), ("rhythm", "is", "monthly", "cleo"), ("language", "is", "en", ""),
    ("name", "known", "", "ada ben"), ("name", "unknown", "", "cleo"), ("domain", "is", "gmx.example", "ada"), ("domain", "is not", "gmx.example", "ben cleo"),
    ("domain", "is", "%", ""), ("field:ort", "is", "Kiel", "ada"), ("field:ort", "is", 'Bonn "Süd"', "ben"), ("field:ort", "is not", "Kiel", "ben cleo"),
    ("field:ort", "contains", "on", "ben"), ("field:ort", "known", "", "ada ben"), ("field:ort", "unknown", "", "cleo"),
    ("field:geb", "after", "1985-01-01", "ben"), ("field:geb", "before", "1985-01-01", "ada"), ("field:ort", "is", "Kie", ""), ("got", "is", "1", ""),
]  # fmt: skip


def test_p5_every_rule_finds_whom_it_means_on_both_databases(any_process: Process) -> None:
    process = any_process
    people(process)
    with process.reading() as session:
        publication = get(session, 1)
        context = queries.context_of(session, publication, process.clock())
        for about, how, value, names in RULES:
            rules = [{"about": about, "how": how, "value": value}]
            query = select(Subscriber.canonical).join(Subscription, Subscription.subscriber_id == Subscriber.id).where(condition(rules, True, context))
            found = {email.partition("@")[0] for email in session.scalars(query)}
            assert found == set(names.split()), (about, how, value)
            assert queries.count(session, publication, rules, True, process.clock())[0] == len(found)
        both = [{"about": "tag", "how": "is", "value": "1"}, {"about": "channel", "how": "is", "value": "4"}]
        assert queries.count(session, publication, both, True, process.clock()) == (0, 0)
        assert queries.count(session, publication, both, False, process.clock()) == (2, 2)


@pytest.mark.parametrize(
    "rule",
    [
        {"about": "1=1 --", "how": "is", "value": "x"}, {"about": "tag", "how": "or 1=1", "value": "1"}, {"about": "tag", "how": "is", "value": "1 or 1=1"},
        {"about": "field", "how": "is", "value": "x"}, {"about": "field:a'b", "how": "is", "value": "x"}, {"about": "tag:x", "how": "is", "value": "1"},
        {"about": "state", "how": "is", "value": "weg"}, {"about": "joined", "how": "within", "value": "-1"}, {"about": "joined", "how": "after", "value": "x"},
        {"about": "joined", "how": "within", "value": "99999"}, {"about": "tag", "how": "is", "value": ""}, {},
    ],
)  # fmt: skip
def test_p5_a_rule_that_no_rule_can_say_is_refused(rule: dict[str, str]) -> None:
    with pytest.raises(Refused):
        check([rule])


@given(st.dictionaries(st.sampled_from(["about", "how", "value"]), st.text(max_size=30)))
def test_p5_whatever_is_sent_is_refused_or_stored_as_it_was_understood(rule: dict[str, str]) -> None:
    try:
        checked = check([rule])
    except Refused:
        return
    condition(checked, True, Context(1, True, "Europe/Berlin", cast_now()))


def cast_now() -> "object":
    from newsletter.clock import utc_now

    return utc_now()


def test_a_segment_is_kept_changed_and_guarded(process: Process) -> None:
    people(process)
    issue_id = cast.issue(process, 1)
    rules = [{"about": "tag", "how": "is", "value": "1"}]
    with process.writing() as session:
        number = actions.save(session, publication_id=1, segment=None, name="VIP", every=True, rules=rules, now=process.clock())
        with pytest.raises(Refused):
            actions.save(session, publication_id=1, segment=None, name="VIP", every=True, rules=rules, now=process.clock())
        from newsletter.issues.models import Issue

        session.get_one(Issue, issue_id).segment_id = number
        session.flush()
        with pytest.raises(Refused, match="not gone out"):
            actions.remove(session, queries.get(session, 1, number))
        with pytest.raises(NotFound):
            queries.get(session, 2, number)


def test_a_letter_goes_to_its_segment_alone_and_never_to_all_when_that_is_gone(process: Process) -> None:
    from newsletter.deliveries import actions as deliveries
    from newsletter.deliveries.models import Delivery
    from newsletter.issues.models import Issue

    people(process)
    first, second = cast.issue(process, 1), cast.issue(process, 1, "Die zweite")
    with process.writing() as session:
        number = actions.save(
            session, publication_id=1, segment=None, name="VIP", every=True, rules=[{"about": "tag", "how": "is", "value": "1"}], now=process.clock()
        )
        issue = session.get_one(Issue, first)
        issue.segment_id = number
        session.get_one(Issue, second).segment_id = 99
        session.flush()
        publication = get(session, 1)
        assert deliveries.number_of_readers(session, publication, issue, process.clock()) == 1
        deliveries.start(session, cast.links(process), publication=publication, issue=issue, undo=timedelta(0), now=process.clock())
        assert [row.canonical for row in session.scalars(select(Delivery))] == ["ada@gmx.example"]
    with pytest.raises(NotFound), process.writing() as session:
        deliveries.start(
            session, cast.links(process), publication=get(session, 1), issue=session.get_one(Issue, second), undo=timedelta(0), now=process.clock()
        )


def test_tags_are_renamed_and_taken_from_everybody(process: Process) -> None:
    people(process)
    with process.writing() as session:
        y = subscriptions.tag(session, 1, "y")
        ada = session.scalars(select(Subscription).order_by(Subscription.id)).first()
        ada.tags = subscriptions.with_tags(ada.tags, [y])
        session.flush()
        with pytest.raises(Refused):
            actions.rename_tag(session, publication_id=1, tag_id=y, name="x")
        actions.rename_tag(session, publication_id=1, tag_id=y, name="z")
        actions.remove_tag(session, publication_id=1, tag_id=1)
        session.expire_all()
        assert ada.tags == f",{y},"
        actions.remove_tag(session, publication_id=1, tag_id=y)
        session.expire_all()
        assert ada.tags == ""


FORM = {"name": "VIP", "every": "yes", "about": ["tag", ""], "how": ["is", "is"], "value": ["1", ""], "deed": "save"}


def test_the_page_counts_keeps_and_says_what_is_wrong(mira: Browser, process: Process) -> None:
    cast.reader(process, 1)
    with process.writing() as session:
        subscriptions.tag(session, 1, "x")
        session.scalars(select(Subscription)).one().tags = ",1,"
    assert "Ein Mensch passt" in mira.post("/admin/saatbrief/segments/count", FORM).get_json()["text"]
    assert mira.post("/admin/saatbrief/segments/count", FORM | {"value": ["weiß niemand", ""]}).status_code == 422
    assert "Ein Mensch passt" in mira.post("/admin/saatbrief/segments/save", FORM | {"deed": "count"}).get_data(as_text=True)
    assert mira.post("/admin/saatbrief/segments/save", FORM | {"deed": "more"}).get_data(as_text=True).count('class="rule"') == 2
    assert mira.post("/admin/saatbrief/segments/save", FORM | {"name": ""}).status_code == 422
    assert mira.post("/admin/saatbrief/segments/save", FORM).status_code == 303
    assert "ada@" in mira.get("/admin/saatbrief/subscribers/?segment=1").get_data(as_text=True)
    assert mira.get("/admin/saatbrief/subscribers/?segment=7").status_code == 404
    assert "VIP" in mira.get("/admin/saatbrief/segments/").get_data(as_text=True)
    assert mira.post("/admin/saatbrief/segments/1/remove").status_code == 303
    assert mira.post("/admin/saatbrief/tags/1", {"deed": "remove"}).status_code == 303
