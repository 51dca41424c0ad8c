"""What tests of the outbox share."""

import contextlib
import io
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from infrastructure.telemetry import configure_logging


@pytest.fixture
def logged_lines() -> Iterator[Callable[[], str]]:
    """What was logged until it is asked for, libraries included, as the service would log it at most."""
    handlers, level, stream = logging.root.handlers[:], logging.root.level, io.StringIO()
    with contextlib.redirect_stderr(stream):
        configure_logging("DEBUG", "json")
    yield stream.getvalue
    structlog.reset_defaults()
    logging.basicConfig(handlers=handlers, level=level, force=True)
