"""What tests of tokens share: an issuer, an audience and a time that tests set."""

from datetime import UTC, datetime, timedelta

ISSUER, AUDIENCE = "https://issuer.example", "billing"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class CallableClock:
    """The time that tests set, as a function of no arguments."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        """The present moment."""
        return self.at

    def forward(self, seconds: float) -> None:
        """Lets time pass."""
        self.at += timedelta(seconds=seconds)
