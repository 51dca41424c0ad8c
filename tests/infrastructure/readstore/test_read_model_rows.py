"""Rows are read back as they were written, whatever they hold; only what changed is touched."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateTable

from infrastructure.readstore import rows
from infrastructure.readstore.compiling import DIALECT
from infrastructure.readstore.rows import Change, copy_rows, read_rows, write_rows
from projections.projection import Key, Row
from tests.support.ledger_fixtures import LedgerUrls

pytestmark = pytest.mark.slow

EVERYTHING = Table(
    "everything_v1",
    MetaData(schema="readmodel"),
    Column("name", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text),
    Column("amount", BigInteger),
    Column("count", Integer),
    Column("is_open", Boolean),
    Column("at", DateTime(timezone=True)),
    Column("on", Date),
    Column("content", JSONB),
)

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def connection(module_database_urls: LedgerUrls) -> Iterator[Connection]:
    with psycopg.connect(module_database_urls.service, autocommit=True) as connection:
        connection.execute(str(CreateTable(EVERYTHING).compile(dialect=DIALECT)).encode())
        yield connection


# PostgreSQL's text holds neither NUL nor halves of surrogate pairs, and no fact does.
_text = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30
) | st.sampled_from(
    ("", "\\N", "\\.", "a\tb\nc\rd\\e", "\"{},'", "null", "山内 \U0001f600", "\\\\n", "%s %(x)s", "\x1a\x7f")
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | _text
    | st.floats(-1e9, 1e9).map(lambda x: round(x, 3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)
_keys = st.tuples(_text, st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1))
_values = st.fixed_dictionaries(
    {
        "note": st.none() | _text,
        "amount": st.none() | st.integers(-(2**63), 2**63 - 1),
        "count": st.none() | st.integers(-(2**31), 2**31 - 1),
        "is_open": st.none() | st.booleans(),
        "at": st.none() | st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
        "on": st.none() | st.dates(),
        "content": st.none() | st.lists(_json, max_size=2) | st.dictionaries(_text, _json, max_size=3),
    }
)
_tables = st.dictionaries(_keys, _values, max_size=6)


def rows_of(table: dict[Key, Row]) -> dict[Key, Row]:
    """The rows with the columns of their keys."""
    return {
        key: {**dict(zip(("name", "year", "sequence"), key, strict=True)), **row}
        for key, row in table.items()
    }


def stored(connection: Connection, keys: set[Key]) -> dict[Key, Row]:
    """What the database has under these keys."""
    return read_rows(connection, [(EVERYTHING, keys)])[0]


def write(connection: Connection, before: dict[Key, Row], after: dict[Key, Row]) -> None:
    """As the runner does."""
    changes = [Change(EVERYTHING, before, after)]
    copy_rows(connection, changes)
    write_rows(connection, changes)


@pytest.mark.parametrize("copied_from", [1, 4, 50])
@settings(max_examples=120, deadline=None)
@for_any(first=_tables, second=_tables, kept=st.integers(0, 6))
def test_rows_become_what_they_are_to_become(
    connection: Connection,
    copied_from: int,
    first: dict[Key, Row],
    second: dict[Key, Row],
    kept: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "COPIED_FROM", copied_from)
        change_and_compare(connection, first, second, kept)


def change_and_compare(
    connection: Connection, first: dict[Key, Row], second: dict[Key, Row], kept: int
) -> None:
    """Writes the first rows, then changes them to a mixture of them and the second, and reads both."""
    connection.execute("TRUNCATE readmodel.everything_v1")
    write(connection, {}, rows_of(first))
    before = stored(connection, {*first, *second})
    assert before == rows_of(first)
    # Some rows stay as they were read, some change, some go, some are new.
    after = {**{key: before[key] for key in list(before)[:kept]}, **rows_of(second)}
    changed_keys = list(before)[kept // 2 :]
    after |= {key: before[key] | {"note": "changed", "content": {"n": [1]}} for key in changed_keys[:2]}
    write(connection, before, after)
    assert stored(connection, {*first, *second}) == after
    assert connection.execute("SELECT count(*) FROM readmodel.everything_v1").fetchone() == (len(after),)


def test_a_row_that_stays_is_not_written_again(connection: Connection) -> None:
    connection.execute("TRUNCATE readmodel.everything_v1")
    row = {column.name: None for column in EVERYTHING.columns} | {"name": "a", "year": 1, "sequence": 1}
    keys = {("a", 1, 1), ("b", 1, 1)}
    write(connection, {}, {("a", 1, 1): row, ("b", 1, 1): row | {"name": "b"}})
    written = connection.execute("SELECT name, xmin FROM readmodel.everything_v1 WHERE name = 'a'").fetchall()
    before = stored(connection, keys)
    write(connection, before, before | {("b", 1, 1): before["b", 1, 1] | {"on": date(2026, 3, 1)}})
    assert (
        connection.execute("SELECT name, xmin FROM readmodel.everything_v1 WHERE name = 'a'").fetchall()
        == written
    )
    assert stored(connection, keys)["b", 1, 1]["on"] == date(2026, 3, 1)
