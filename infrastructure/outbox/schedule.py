"""When to try again what could not be delivered, and when to give it up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=15)
_LONGEST_SHIFT = 20


@dataclass(frozen=True)
class Schedule:
    """Waits that double from a second to a quarter of an hour, half of each left to chance, until it is time
    to give up.

    `chance` gives numbers from 0 to 1, so that receivers that came back are not met by everybody at once.
    """

    give_up_after: timedelta
    chance: Callable[[], float]

    def next_attempt(
        self, attempts: int, failed_since: datetime, now: datetime, asked_for: datetime | None
    ) -> datetime | None:
        """When to try again after so many attempts; None where it is time to give up.

        What the receiver asked for counts if it is later, but a last attempt is made before giving up.
        """
        give_up_at = failed_since + self.give_up_after
        if now >= give_up_at:
            return None
        wait: timedelta = min(FIRST_WAIT * 2 ** min(attempts - 1, _LONGEST_SHIFT), LONGEST_WAIT)
        planned = now + wait * (0.5 + self.chance() / 2)
        return min(max(planned, asked_for or planned), give_up_at)
