"""The house that these tests share."""

from collections.abc import Iterator

import pytest

from tests.support.garage import Garage
from tests.support.house import House, shared_house


@pytest.fixture(scope="session")
def house() -> House:
    """A running house that every test must leave whole."""
    return shared_house()


@pytest.fixture(scope="session")
def garage(house: House) -> Iterator[Garage]:
    """A garage's front desk in that house."""
    with Garage(house) as garage:
        yield garage
