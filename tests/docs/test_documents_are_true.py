"""The documents say what is: generated parts are current, and whatever they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from click import Command, Group
from typer.main import get_command

from application.operations import OPERATIONS
from domain.documents.order import RefundData, pay, refund
from domain.documents.order_snapshot import OrderData
from domain.streams import REGISTRY
from infrastructure.settings import Settings
from interfaces.cli.main import app
from interfaces.http.problems import STATUS_OF_CODE
from projections.registry import PROJECTIONS_BY_NAME
from tests.docs.generated_documents import PROJECT, SECTIONS, replaced
from tests.support.examples import example_event

DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")], key=lambda path: path.relative_to(PROJECT)
)
FOLDERS = "application|benchmarks|docs|domain|infrastructure|interfaces|projections|scripts|tests|.ci"
OTHER_VARIABLES = {"BILLING_TEST_DATABASE_URL"}
"""Read by the tests' own server, so no setting of the service."""

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT))
)
