"""A gateway that tells nothing is asked again less and less often, until somebody is told of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.gateway_deferrals import DeferralReason, GatewayDeferral, deferral

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def in_a_row(times: int, *reasons: DeferralReason) -> list[GatewayDeferral]:
    """A gateway is asked whenever it is due, and tells nothing for these reasons by turns."""
    told: list[GatewayDeferral] = []
    at = NOON
    for number in range(times):
        told += deferral(GatewayDeferral, told[-1] if told else None, reasons[number % len(reasons)], at)
        at = told[-1].retry_at
    return told


@pytest.mark.parametrize(
    ("reason", "longest"), [("UNAVAILABLE", 60), ("UNCONFIRMED", 60), ("PENDING", 3_600)]
)
def test_a_gateway_is_asked_again_less_and_less_often(reason: DeferralReason, longest: int) -> None:
    moments = [NOON, *(each.retry_at for each in in_a_row(12, reason))]
    waits = [round((after - before).total_seconds()) for before, after in pairwise(moments)]
    assert waits == [min(4**attempt, longest) for attempt in range(12)]


def test_who_asks_before_it_is_due_changes_nothing() -> None:
    (last,) = deferral(GatewayDeferral, None, "PENDING", NOON)
    assert deferral(GatewayDeferral, last, "PENDING", NOON) == ()


def test_a_gateway_is_not_asked_before_it_could_tell() -> None:
    certain = NOON + timedelta(minutes=1)
    (first,) = deferral(GatewayDeferral, None, "UNCONFIRMED", NOON, certain)
    assert (first.attempt, first.retry_at) == (1, certain)
    (later,) = deferral(GatewayDeferral, None, "UNCONFIRMED", certain, NOON)
    assert later.retry_at == certain + timedelta(seconds=1)


def test_a_gateway_that_is_away_and_silent_by_turns_is_asked_less_often_all_the_same() -> None:
    assert [each.attempt for each in in_a_row(4, "UNAVAILABLE", "UNCONFIRMED")] == [1, 2, 3, 4]
    assert [each.attempt for each in in_a_row(3, "UNAVAILABLE", "PENDING")] == [1, 1, 1]


def test_somebody_is_told_of_a_gateway_that_keeps_us_waiting() -> None:
    unnoticed: dict[DeferralReason, int] = {"UNAVAILABLE": 3, "UNCONFIRMED": 3, "PENDING": 7}
    for reason, most in unnoticed.items():
        overdue = [each.is_overdue for each in in_a_row(9, reason)]
        assert overdue == [attempt > most for attempt in range(1, 10)]
