"""What follows from trouble with an address (B6, D4)."""

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.bounces.policy import Trouble, consequence, is_strong, too_many_complaints

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)


def history(*steps: tuple[int, str], strong: bool = False) -> list[Trouble]:
    """Bounces by day and kind, each of another letter."""
    return [Trouble(BEGIN + timedelta(days=day), kind, strong, number) for number, (day, kind) in enumerate(steps)]


@pytest.mark.parametrize(
    ("steps", "follows"),
    [
        ([], ""),
        ([(0, "dead")], ""),
        ([(0, "dead"), (1, "dead")], ""),
        ([(0, "dead"), (1, "dead"), (2, "dead")], ""),
        ([(0, "dead"), (1, "dead"), (7, "dead")], "dead"),
        ([(0, "dead"), (40, "dead")], ""),
        ([(0, "full"), (7, "full"), (14, "full"), (21, "full")], ""),
        ([(0, "full"), (7, "full"), (14, "full"), (21, "full"), (28, "full")], ""),
        ([(0, "full"), (7, "full"), (14, "full"), (21, "full"), (30, "full")], "full"),
        ([(0, "full"), (7, "unclear"), (14, "full"), (21, "unclear"), (35, "full")], "full"),
        ([(day, "content") for day in range(0, 400, 7)], ""),
        ([(day, "sender") for day in range(0, 400, 7)], ""),
        ([(day, "temporary") for day in range(0, 400, 7)], ""),
        ([(0, "content"), (7, "dead"), (8, "sender"), (14, "dead")], ""),
    ],
)
def test_b6_the_table_of_consequences(steps: list[tuple[int, str]], follows: str) -> None:
    assert consequence(history(*steps)) == follows


def test_b6_one_clear_answer_is_enough() -> None:
    assert consequence(history((0, "dead"), strong=True)) == "dead"


def test_b6_a_letter_that_was_refused_thrice_counts_once() -> None:
    same = [Trouble(BEGIN + timedelta(days=day), "dead", False, 1) for day in (0, 4, 9)]
    assert consequence(same) == ""


@pytest.mark.parametrize(
    ("kind", "status", "looked", "strong"),
    [
        ("dead", "5.1.1", None, True),
        ("dead", "5.1.10", None, True),
        ("dead", "5.1.2", None, False),
        ("dead", "5.1.2", False, False),
        ("dead", "5.1.2", True, True),
        ("dead", "", None, False),
        ("dead", "5.2.1", None, False),
        ("content", "5.1.1", None, False),
    ],
)
def test_b6_which_answers_are_clear(kind: str, status: str, looked: bool | None, strong: bool) -> None:
    assert is_strong(kind, status, no_such_domain=looked) is strong


@pytest.mark.parametrize(
    ("complaints", "accepted", "says"),
    [(0, 1000, ""), (2, 100, ""), (3, 3001, ""), (3, 2000, "warn"), (3, 999, "stop"), (30, 10_000, "warn"), (31, 10_000, "stop"), (1, 0, "")],
)
def test_d4_the_share_of_complaints(complaints: int, accepted: int, says: str) -> None:
    assert too_many_complaints(complaints, accepted) == says
