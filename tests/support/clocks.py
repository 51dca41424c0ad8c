"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class SetClock:
    """Satisfies `application.ports.Clock`."""

    def __init__(self, at: datetime = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)) -> None:
        self._now = at

    def now(self) -> datetime:
        """The moment at which it stands, UTC."""
        return self._now

    def move(self, seconds: float) -> datetime:
        """Moves it, back where `seconds` is negative; returns where it stands now."""
        self._now += timedelta(seconds=seconds)
        return self._now
