"""Fixtures that several folders of tests share."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support.ledger_fixtures import LedgerUrls, migrated_database

# How fast a machine makes examples up says nothing of what is tested with them.
settings.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="session")
def plain_tracebacks() -> None:
    """Left alone, structlog prints every variable of every frame, which takes seconds and tells secrets."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])


@pytest.fixture
def own_logging() -> Iterator[None]:
    """What a test makes of logging ends with it, as the standard error does that is logged to."""
    configuration, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**configuration)
    logging.basicConfig(handlers=handlers, level=level, force=True)


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
