"""Simulated gateways for the tests beside this file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.gateways.simulated_gateways import SimulatedGateways
from tests.support.gateways import simulated_gateways


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedGateways]:
    """Running ones that know nothing."""
    with simulated_gateways(tmp_path / "gateways.sqlite") as gateways:
        yield gateways
