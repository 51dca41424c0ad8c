"""A gateway that tells nothing is asked again less and less often, until somebody is told of it."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.gateway_deferrals import DeferralReason, GatewayDeferral, deferral

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reason", "longest"), [("UNAVAILABLE", 300), ("UNCONFIRMED", 300), ("PENDING", 3_600)]
)
def test_a_gateway_is_asked_again_less_and_less_often(reason: DeferralReason, longest: int) -> None:
    last, waits = None, []
    for _ in range(12):
        last = deferral(GatewayDeferral, last, reason, NOON)
        waits.append(round((last.retry_at - NOON) / timedelta(seconds=1)))
    assert waits == [min(4**attempt, longest) for attempt in range(12)]


def test_attempts_are_counted_anew_for_another_reason() -> None:
    last = GatewayDeferral(reason="UNAVAILABLE", attempt=5, retry_at=NOON)
    assert deferral(GatewayDeferral, last, "UNAVAILABLE", NOON).attempt == 6
    assert deferral(GatewayDeferral, last, "PENDING", NOON).attempt == 1


def test_somebody_is_told_of_a_gateway_that_keeps_us_waiting() -> None:
    unnoticed: dict[DeferralReason, int] = {"UNAVAILABLE": 3, "UNCONFIRMED": 3, "PENDING": 7}
    for reason, most in unnoticed.items():
        last, overdue = None, []
        for _ in range(9):
            last = deferral(GatewayDeferral, last, reason, NOON)
            overdue.append(last.is_overdue)
        assert overdue == [attempt > most for attempt in range(1, 10)]
