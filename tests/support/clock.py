"""A clock that only moves when it is told to."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Time as an argument."""

    def __init__(self, now: datetime = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **much: float) -> None:
        self.now += timedelta(**much)
