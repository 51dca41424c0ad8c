"""Read models' tables are made when they miss; a projection with a new table starts again from zero."""

import psycopg
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, create_engine, pool

from infrastructure.readstore.tables import create_missing_tables
from projections.number_series import SERIES as PROJECTION
from projections.projection import Projection, RowFold
from tests.support.ledger_fixtures import LedgerUrls
from tests.support.projected import catch_up, caught_up, fresh_rows, give_numbers, live_rows, tracking


def make_tables(urls: LedgerUrls, *projections: Projection) -> None:
    """As migrating does."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(urls.service), poolclass=pool.NullPool
    )
    with engine.begin() as connection:
        create_missing_tables(connection, projections)
    engine.dispose()


def next_version() -> Projection:
    """The number series' projection with a second version of its first table."""
    first, second = PROJECTION.row_folds
    table = Table(
        "number_series_v2",
        MetaData(schema="readmodel"),
        *(
            Column(column.name, column.type, primary_key=column.primary_key, nullable=column.nullable)
            for column in first.table.columns
        ),
        Column("first_position", BigInteger),
        Column("note", Text),
    )
    bumped = RowFold(
        table,
        first.key,
        lambda row, event: (
            {"first_position": event.position, "note": None} | (row or {}) | (first.fold(row, event) or {})
        ),
    )
    return Projection(PROJECTION.name, PROJECTION.event_names, (bumped, second))


def test_a_new_version_of_a_table_is_folded_from_zero(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 10)
    catch_up(database_urls.service)
    assert tracking(database_urls.admin) == 11
    bumped = next_version()
    make_tables(database_urls, bumped)
    assert tracking(database_urls.admin) is None
    assert live_rows(database_urls.admin, bumped) == {"number_series_v2": [], "number_v1": []}
    catch_up(database_urls.service, bumped)
    assert caught_up(database_urls.service)
    assert live_rows(database_urls.admin, bumped) == fresh_rows(database_urls.service, bumped)
    assert live_rows(database_urls.admin, bumped)["number_series_v2"][0]["first_position"] == 1


def test_tables_that_are_there_are_left_alone(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 10)
    catch_up(database_urls.service)
    before = live_rows(database_urls.admin)
    make_tables(database_urls, PROJECTION)
    assert (live_rows(database_urls.admin), tracking(database_urls.admin)) == (before, 11)
