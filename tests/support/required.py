"""What a machine has. In CI a missing thing is a failure, elsewhere a skip that says why."""

import os

import pytest


def missing(what: str, why: str) -> None:
    """Skip, or fail where ``BRIEFTAUBE_TEST_REQUIRE`` demands it."""
    if what in os.environ.get("BRIEFTAUBE_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{what} is required here: {why}")
    pytest.skip(f"no {what}: {why}")
