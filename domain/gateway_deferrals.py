"""When a gateway that told nothing of a payment is asked again, and when that is somebody's task (S2)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeVar

from domain.kernel.facts import Fact, Utc

DeferralReason = Literal["UNAVAILABLE", "UNCONFIRMED", "PENDING"]
"""The gateway took nothing, or nobody knows whether it did, or it does not know yet itself."""

_FIRST_RETRY: Final = timedelta(seconds=1)
_LONGEST_RETRY: Final[Mapping[DeferralReason, timedelta]] = MappingProxyType(
    {
        "UNAVAILABLE": timedelta(minutes=1),
        "UNCONFIRMED": timedelta(minutes=1),
        "PENDING": timedelta(hours=1),
    }
)
"""What waits for the gateway to be well goes on soon after; what waits for a bank is the bank's to tell."""

_ATTEMPTS_UNNOTICED: Final[Mapping[DeferralReason, int]] = MappingProxyType(
    {"UNAVAILABLE": 3, "UNCONFIRMED": 3, "PENDING": 7}
)
"""How many attempts in a row are nobody's task: the next one is made after half a minute, or an hour."""


class GatewayDeferral(Fact):
    """The gateway did not tell how the payment goes on; it is asked again at `retry_at`.

    `attempt` counts from 1 how often in a row it did not answer, or did not know itself.
    """

    reason: DeferralReason
    attempt: int
    retry_at: Utc

    @property
    def is_overdue(self) -> bool:
        """Whether the gateway has kept us waiting for so long that somebody should know."""
        return self.attempt > _ATTEMPTS_UNNOTICED[self.reason]


DeferralT = TypeVar("DeferralT", bound=GatewayDeferral)


def deferral(
    kind: type[DeferralT],
    last: DeferralT | None,
    reason: DeferralReason,
    at: datetime,
    not_before: datetime | None = None,
) -> tuple[DeferralT] | tuple[()]:
    """The one after `last`, which is the last since the payment got anywhere; `at` is now.

    Where somebody asked before it was due: (). Asking earlier than `not_before` would tell nothing.
    """
    if last is not None and at < last.retry_at:
        return ()
    goes_on = last is not None and (last.reason == "PENDING") == (reason == "PENDING")
    attempt = last.attempt + 1 if last is not None and goes_on else 1
    retry_at = at + retry_delay(attempt, reason)
    return (kind(reason=reason, attempt=attempt, retry_at=max(retry_at, not_before or retry_at)),)


def retry_delay(attempt: int, reason: DeferralReason) -> timedelta:
    """How long to wait after the attempt of that number (from 1): 1, 4, 16 … seconds, up to the longest."""
    longer: int = 4 ** min(attempt - 1, 6)
    return min(_FIRST_RETRY * longer, _LONGEST_RETRY[reason])
