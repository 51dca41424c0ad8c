"""A short run of the chaos harness; `make chaos` runs it for long."""

import random
from pathlib import Path

import pytest
import structlog

from tests.chaos.chaos import run

SECONDS = 20.0

log = structlog.get_logger(__name__)


@pytest.mark.slow
def test_whatever_is_killed_the_acknowledged_is_stored_once_and_nothing_else_is(tmp_path: Path) -> None:
    outcome = run(tmp_path, SECONDS, random.SystemRandom().randrange(10**9))
    log.info("chaos", **outcome.as_json())
    assert outcome.findings == [], outcome
    assert outcome.orders > 10 and sum(outcome.kills.values()) > 5
