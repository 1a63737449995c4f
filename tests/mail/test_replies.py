"""What replies mean (S1, S5, B2)."""

import pytest

from newsletter.mail.replies import Reply, about_us, classify


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (550, "5.1.1 User unknown", "dead"),
        (550, "5.1.10 null MX", "dead"),
        (550, "No such user here", "dead"),
        (553, "5.1.3 bad address", "dead"),
        (552, "5.2.2 mailbox full", "full"),
        (452, "4.2.2 over quota", "full"),
        (450, "4.7.1 greylisted", "temporary"),
        (421, "4.7.0 too many connections", "temporary"),
        (550, "5.7.26 unauthenticated mail", "sender"),
        (550, "5.7.515 Access denied, sending domain does not meet the required level", "sender"),
        (554, "5.7.1 message looks like spam", "content"),
        (554, "IP=1.2.3.4 None/bad reputation", "content"),
        (552, "5.3.4 message too big", "content"),
        (550, "no", "unclear"),
    ],
)
def test_replies_are_told_apart(code: int, text: str, kind: str) -> None:
    assert classify(Reply(code, text)) == kind


@pytest.mark.parametrize(
    ("code", "text", "ours"),
    [
        (550, "5.7.26 unauthenticated mail", True),
        (554, "IP=1.2.3.4 None/bad reputation", True),
        (535, "5.7.8 wrong password", True),
        (550, "5.7.1 blocked", True),
        (554, "5.7.1 message looks like spam", False),
        (550, "5.1.1 User unknown", False),
        (451, "4.7.1 SPF could not be looked up", False),
    ],
)
def test_d4_what_is_our_own_fault_is_known(code: int, text: str, ours: bool) -> None:
    assert about_us(Reply(code, text)) is ours


def test_s1_an_enhanced_code_that_contradicts_the_basic_one_is_not_believed() -> None:
    assert Reply(550, "2.1.5 ok").enhanced == ""
    assert Reply(550, "5.1.1 no").enhanced == "5.1.1"
