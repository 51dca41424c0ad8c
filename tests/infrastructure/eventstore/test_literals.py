"""Array literals come back from PostgreSQL as the values that went in, whatever characters those hold."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest

from infrastructure.eventstore.literals import bytes_array, moment_array, text_array
from tests.support.ledger_fixtures import LedgerUrls, one

NOON = datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)
AWKWARD = ['"', "\\", '\\"', '","', "{}", "NULL", "null", " ", "", "a,b", "é\U0001f600", "'", "x" * 300]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["plain", "also plain"],
        AWKWARD,
        ['"', ""],
        [None],
        ["plain", None, "NULL"],
        [*AWKWARD, None],
        *([text] for text in AWKWARD),
    ],
)
def test_texts(module_database_urls: LedgerUrls, texts: list[str | None]) -> None:
    assert _back(module_database_urls, "text[]", text_array(texts)) == texts


def test_moments_of_any_offset(module_database_urls: LedgerUrls) -> None:
    moments = [NOON, NOON, NOON.astimezone(timezone(timedelta(hours=-7))), NOON + timedelta(days=9999)]
    assert _back(module_database_urls, "timestamptz[]", moment_array(moments)) == moments


def test_bytes(module_database_urls: LedgerUrls) -> None:
    values = [b"", b"\x00", bytes(range(256)), b'"\\']
    assert _back(module_database_urls, "bytea[]", bytes_array(values)) == values


def _back(urls: LedgerUrls, kind: str, literal: str) -> list[object]:
    with psycopg.connect(urls.service) as connection:
        found: list[object] = one(connection, f"SELECT %s::{kind}", literal)
    return found
