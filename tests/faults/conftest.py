"""The house that these tests share."""

import pytest

from tests.support.house import House, shared_house


@pytest.fixture(scope="session")
def house() -> House:
    """A running house that every test must leave whole."""
    return shared_house()
