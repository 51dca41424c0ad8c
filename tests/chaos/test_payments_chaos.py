"""A short run of the payments' chaos; `make chaos-payments` runs it for long."""

import random
from pathlib import Path

import pytest
import structlog

from tests.chaos.payments.run import run

PAYMENTS, CLIENTS = 60, 4

log = structlog.get_logger(__name__)


@pytest.mark.slow
def test_whatever_is_killed_what_moved_is_what_the_ledger_says(tmp_path: Path) -> None:
    outcome = run(tmp_path, PAYMENTS, CLIENTS, random.SystemRandom().randrange(10**9))
    log.info("chaos-payments", **outcome.as_json())
    assert outcome.findings == [], outcome
    assert sum(outcome.answers.values()) >= PAYMENTS and sum(outcome.kills.values()) > 2
