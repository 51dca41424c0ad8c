"""The house that these tests share."""

from collections.abc import Iterator

import pytest

from tests.support.house import House, shared_house
from tests.support.shop import Shop


@pytest.fixture(scope="session")
def house() -> House:
    """A running house that every test must leave whole."""
    return shared_house()


@pytest.fixture(scope="module")
def shop(house: House) -> Iterator[Shop]:
    """The back office of a shop in the house."""
    with Shop(house) as shop:
        yield shop
