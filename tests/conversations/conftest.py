"""The inbox of a letter that has arrived."""

from tests.deliveries.conftest import new_post
from tests.inbound.conftest import inbox

__all__ = ["inbox", "new_post"]
