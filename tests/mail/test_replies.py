"""What replies mean (S1, S5, B2)."""

import pytest

from newsletter.mail.replies import Reply, classify


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
        (554, "IP=1.2.3.4 None/bad reputation", "sender"),
        (552, "5.3.4 message too big", "content"),
        (550, "no", "unclear"),
    ],
)
def test_replies_are_told_apart(code: int, text: str, kind: str) -> None:
    assert classify(Reply(code, text)) == kind


def test_s1_an_enhanced_code_that_contradicts_the_basic_one_is_not_believed() -> None:
    assert Reply(550, "2.1.5 ok").enhanced == ""
    assert Reply(550, "5.1.1 no").enhanced == "5.1.1"
