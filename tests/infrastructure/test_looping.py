"""What workers do again and again goes on through failures, and ends when it is told to."""

import asyncio
import time

import psycopg
import pytest
import structlog

from infrastructure.looping import repeat, rest


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (psycopg.OperationalError("of ana@example.org"), ("warning", "sweeping-interrupted")),
        (ValueError("of ana@example.org"), ("error", "sweeping-failed")),
    ],
    ids=["a database that is away", "a defect"],
)
async def test_a_step_that_fails_is_told_of_and_taken_again(error: Exception, said: tuple[str, str]) -> None:
    stopping, taken = asyncio.Event(), 0

    async def step() -> float:
        nonlocal taken
        taken += 1
        if taken == 1:
            raise error
        stopping.set()
        return 0

    with structlog.testing.capture_logs() as logs:
        await asyncio.wait_for(repeat("sweeping", step, stopping, again_seconds=0.01), 10)
    assert taken == 2
    assert [(line["log_level"], line["event"]) for line in logs] == [said]
    assert "ana" not in repr([{**line, "exc_info": None} for line in logs])


async def test_it_rests_as_long_as_a_step_answers_and_no_longer_than_until_it_shall_stop() -> None:
    stopping, resting, taken = asyncio.Event(), asyncio.Event(), []

    async def step() -> float:
        taken.append(time.monotonic())
        if len(taken) < 3:
            return 0.05
        resting.set()
        return 3600

    loop = asyncio.create_task(repeat("sweeping", step, stopping, again_seconds=3600))
    await asyncio.wait_for(resting.wait(), 10)
    assert taken[2] - taken[0] >= 0.1
    stopping.set()
    await asyncio.wait_for(loop, 10)
    assert len(taken) == 3


async def test_a_rest_is_over_at_once_when_it_shall_stop() -> None:
    stopping = asyncio.Event()
    stopping.set()
    await asyncio.wait_for(rest(stopping, 3600), 10)
