"""Houses for tests that break things."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, shared_house


@pytest.fixture(scope="session")
def house() -> House:
    """A running house that every test must leave whole."""
    return shared_house()


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose processes may be killed: the tests that share it wait until it has recovered.

    It ends with its module, for its processes keep looking for work as long as it stands.
    """
    folder: Path = tmp_path_factory.mktemp("fragile")
    with House(folder / "data", {"BILLING_ISSUERS": "2"}) as house:
        yield house
