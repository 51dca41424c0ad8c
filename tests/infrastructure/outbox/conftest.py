"""What tests of the outbox share."""

import contextlib
import io
from collections.abc import Callable, Iterator

import pytest

from infrastructure.eventstore.committer import Committer
from infrastructure.telemetry import configure_logging
from tests.support.ledger_fixtures import LedgerUrls, running_committer
from tests.support.receivers import Receiver, a_receiver


@pytest.fixture
def logged_lines(own_logging: None) -> Callable[[], str]:
    """What was logged until it is asked for, libraries included, as the service would log it at most."""
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream):
        configure_logging("DEBUG", "json")
    return stream.getvalue


@pytest.fixture
def committer(database_urls: LedgerUrls) -> Iterator[Committer]:
    with running_committer(database_urls.service) as committer:
        yield committer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as receiver:
        yield receiver
