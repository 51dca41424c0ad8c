"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import pytest

from tests.support.ledger_fixtures import LedgerUrls, migrated_database


@pytest.fixture
def database_urls() -> Iterator[LedgerUrls]:
    """A migrated database for one test."""
    with migrated_database() as urls:
        yield urls


@pytest.fixture(scope="module")
def module_database_urls() -> Iterator[LedgerUrls]:
    """A migrated database for all tests of a module."""
    with migrated_database() as urls:
        yield urls
