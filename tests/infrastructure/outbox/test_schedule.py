"""Waits double to a quarter of an hour, chance takes half of them at most, and there is an end."""

from datetime import UTC, datetime, timedelta

import pytest

from infrastructure.outbox.schedule import LONGEST_WAIT, Schedule

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (5, 16), (10, 512), (11, 900), (999, 900)])
@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (1.0, 1.0), (0.5, 0.75)])
def test_a_wait_doubles_up_to_its_longest(attempts: int, seconds: int, chance: float, share: float) -> None:
    schedule = Schedule(DAY, lambda: chance)
    expected = NOON + timedelta(seconds=seconds * share)
    assert schedule.next_attempt(attempts, NOON, NOON, None) == expected


def test_what_the_receiver_asked_for_counts_only_if_it_is_later() -> None:
    schedule = Schedule(DAY, lambda: 1.0)
    later, earlier = NOON + timedelta(hours=5), NOON - timedelta(hours=5)
    assert schedule.next_attempt(1, NOON, NOON, later) == later
    assert schedule.next_attempt(1, NOON, NOON, earlier) == NOON + timedelta(seconds=1)


def test_a_last_attempt_is_made_when_time_is_up_and_none_after_it() -> None:
    schedule = Schedule(DAY, lambda: 1.0)
    end = NOON + DAY
    assert schedule.next_attempt(1, NOON, NOON, NOON + timedelta(days=400)) == end
    assert schedule.next_attempt(50, NOON, end - LONGEST_WAIT / 2, None) == end
    assert schedule.next_attempt(50, NOON, end, None) is None
