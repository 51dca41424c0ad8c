"""Pages of a series' numbers: in order, with what is missing between them, and cheap in any series."""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from infrastructure.readstore.compiling import compiled
from infrastructure.readstore.rows import Change, write_rows
from projections.documents import DOCUMENT_TABLE
from projections.invoices import INVOICE_TABLE
from projections.number_series import select_numbers
from tests.support.ledger_fixtures import SERIES, LedgerUrls, one

PAGE = 50

_SERIES = """
INSERT INTO readmodel.number_series_v1 VALUES
    (%s, 'GB', 'platform-gb', 'RECEIPT', jsonb_build_object('yearlyReset', %s::boolean), 'UTC', 1, 1)
"""

_NUMBERS = """
INSERT INTO readmodel.number_v1
SELECT %s, %s, n, 'R-' || n, 'DOCUMENT', gen_random_uuid()::text, now(), n
FROM generate_series(%s::bigint, %s::bigint) AS n
"""

_FILLED: dict[type[Any], Any] = {Text: "any", Integer: 1, BigInteger: 1, JSONB: {}}
"""By the type of a column, what is in it where only the others matter."""

_READ = """
SELECT pg_stat_get_xact_tuples_returned('readmodel.number_v1'::regclass)
    + pg_stat_get_xact_tuples_returned('readmodel.number_v1_pkey'::regclass)
"""


@pytest.fixture
def connection(database_urls: LedgerUrls) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(database_urls.service, autocommit=True) as connection:
        yield connection


def fill(
    connection: psycopg.Connection[Any], ranges: Iterable[tuple[int, int, int]], *, yearly: bool
) -> None:
    """A series whose numbers are these: year, first and last sequence."""
    connection.execute(_SERIES, (SERIES.id, yearly))
    for year, first, last in ranges:
        connection.execute(_NUMBERS, (SERIES.id, year, first, last))
    connection.execute("ANALYZE readmodel.number_v1")


def read_page(
    connection: psycopg.Connection[Any],
    from_sequence: int | None = None,
    to_sequence: int | None = None,
    after: tuple[int, int] | None = None,
) -> list[dict[str, Any]]:
    """The rows of a page."""
    query = select_numbers(SERIES.id, from_sequence, to_sequence, after, PAGE)
    statement = compiled(query.statement)
    cursor = connection.cursor(row_factory=dict_row, binary=True)
    cursor.execute(statement.text, {**statement.constants, **query.parameters}, prepare=True)
    return cursor.fetchall()


def all_pages(connection: psycopg.Connection[Any], **bounds: int) -> list[dict[str, Any]]:
    """The rows of all pages, one behind the other."""
    rows: list[dict[str, Any]] = []
    while page := read_page(connection, after=_last(rows), **bounds):
        rows += page
    return rows


def _last(rows: list[dict[str, Any]]) -> tuple[int, int] | None:
    return (rows[-1]["year"], rows[-1]["sequence"]) if rows else None


def gaps(rows: Iterable[dict[str, Any]]) -> list[tuple[int, int, int]]:
    """What is missing before numbers: year, first and last sequence."""
    return [
        (row["year"], row["due_sequence"], row["sequence"] - 1)
        for row in rows
        if row["due_sequence"] != row["sequence"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(
    "page",
    [{}, {"after": (2025, 39_000)}, {"from_sequence": 39_000}, {"to_sequence": 20}],
    ids=["the first", "one behind a cursor", "one from a sequence", "one to a sequence"],
)
def test_a_page_of_a_long_series_reads_what_it_shows(
    connection: psycopg.Connection[Any], page: dict[str, Any], plans: str
) -> None:
    years = range(2024, 2027)
    fill(connection, [(year, 1, 40_000) for year in years], yearly=True)
    connection.execute(f"SET plan_cache_mode = {plans}".encode())
    with connection.transaction():
        before = one(connection, _READ)
        rows = read_page(connection, **page)
        read = one(connection, _READ) - before
    assert len(rows) == PAGE
    # Each number in each year at most, the one before each, and where the years begin and end.
    assert read <= PAGE * len(years) + PAGE + 2


def test_pages_follow_each_other_through_the_years(connection: psycopg.Connection[Any]) -> None:
    fill(connection, [(2025, 1, 120), (2026, 1, 70)], yearly=True)
    rows = all_pages(connection)
    expected = [(2025, n) for n in range(1, 121)] + [(2026, n) for n in range(1, 71)]
    assert [(row["year"], row["sequence"]) for row in rows] == expected
    assert gaps(rows) == []
    some = all_pages(connection, from_sequence=60, to_sequence=115)
    assert [(row["year"], row["sequence"]) for row in some] == [
        (year, n) for year, n in expected if 60 <= n <= 115
    ]
    assert gaps(some) == []


@pytest.mark.parametrize(
    ("yearly", "ranges", "missing"),
    [
        (True, [(2025, 3, 60), (2025, 62, 70), (2026, 5, 6)], [(2025, 1, 2), (2025, 61, 61), (2026, 1, 4)]),
        (False, [(2025, 1, 60), (2026, 61, 70), (2027, 75, 80)], [(2027, 71, 74)]),
    ],
    ids=["counting anew each year", "counting on"],
)
def test_what_is_missing_is_told_with_the_number_behind_it(
    connection: psycopg.Connection[Any],
    yearly: bool,
    ranges: list[tuple[int, int, int]],
    missing: list[tuple[int, int, int]],
) -> None:
    fill(connection, ranges, yearly=yearly)
    assert gaps(all_pages(connection)) == missing
    assert gaps(all_pages(connection, from_sequence=60)) == [gap for gap in missing if gap[2] >= 60]


def test_a_series_without_numbers_has_none(connection: psycopg.Connection[Any]) -> None:
    fill(connection, [], yearly=True)
    assert read_page(connection) == []


@pytest.mark.parametrize(
    ("holder", "status", "shown"),
    [
        ("DOCUMENT", None, "DRAFT"),
        ("DOCUMENT", "VOIDED", "VOIDED"),
        ("INVOICE", None, "ISSUED"),
        ("INVOICE", "PAID", "ISSUED"),
        ("INVOICE", "VOID", "VOIDED"),
    ],
)
def test_each_number_tells_how_its_holder_stands(
    connection: psycopg.Connection[Any], holder: str, status: str | None, shown: str
) -> None:
    fill(connection, [(2026, 1, 1)], yearly=True)
    connection.execute("UPDATE readmodel.number_v1 SET holder_type = %s, holder_id = 'one'", (holder,))
    if status is not None:
        table = DOCUMENT_TABLE if holder == "DOCUMENT" else INVOICE_TABLE
        values = {column.name: _FILLED.get(type(column.type)) for column in table.columns}
        row = {**values, "document_id": "one", "invoice_id": "one", "status": status}
        by_key = {("one",): {column.name: row[column.name] for column in table.columns}}
        write_rows(connection, [Change(table, {}, by_key)])
    assert [row["status"] for row in read_page(connection)] == [shown]
