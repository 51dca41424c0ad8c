"""Read models' tables are made when they miss; a projection with a new table starts again from zero."""

import psycopg
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, create_engine, pool

from infrastructure.readstore.tables import create_missing_tables
from projections.number_series import SERIES as PROJECTION
from projections.projection import Projection, RowFold
from projections.tasks import TASKS
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
    """The number series' projection with a second version of its tables, the first of them wider."""
    first, second = PROJECTION.row_folds
    numbers = second.table.to_metadata(MetaData(), name="number_v2")
    for index in numbers.indexes:
        index.name = f"{index.name}_v2"
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
        first.keys,
        lambda row, event, key: (
            {"first_position": event.position, "note": None}
            | (row or {})
            | (first.fold(row, event, key) or {})
        ),
    )
    renamed = RowFold(numbers, second.keys, second.fold)
    return Projection(PROJECTION.name, PROJECTION.event_names, (bumped, renamed), version=2)


def test_a_new_version_is_folded_from_zero_beside_the_old_one(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 10)
    catch_up(database_urls.service)
    assert tracking(database_urls.admin) == 11
    bumped = next_version()
    make_tables(database_urls, bumped)
    assert tracking(database_urls.admin, bumped) is None
    assert live_rows(database_urls.admin, bumped) == {"number_series_v2": [], "number_v2": []}
    catch_up(database_urls.service, bumped)
    assert caught_up(database_urls.service, bumped)
    assert live_rows(database_urls.admin, bumped) == fresh_rows(database_urls.service, bumped)
    assert live_rows(database_urls.admin, bumped)["number_series_v2"][0]["first_position"] == 1
    give_numbers(database_urls.service, 1, "for the old workers")
    catch_up(database_urls.service)
    assert (tracking(database_urls.admin), tracking(database_urls.admin, bumped)) == (12, 11)
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


def test_a_table_that_went_missing_lets_its_projection_start_again_from_zero(
    database_urls: LedgerUrls,
) -> None:
    give_numbers(database_urls.service, 10)
    catch_up(database_urls.service)
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute("DROP TABLE readmodel.number_v1")
    make_tables(database_urls, PROJECTION)
    assert tracking(database_urls.admin) is None
    catch_up(database_urls.service)
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


def test_an_index_that_misses_is_made(database_urls: LedgerUrls) -> None:
    """A change of indexes alone needs no new version."""
    with psycopg.connect(database_urls.admin, autocommit=True) as connection:
        connection.execute("DROP INDEX readmodel.task_v3_open")
        make_tables(database_urls, TASKS)
        connection.execute("SELECT 'readmodel.task_v3_open'::regclass")


def test_positions_kept_before_there_were_versions_are_those_of_the_first(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 10)
    catch_up(database_urls.service)
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute(
            "ALTER TABLE readmodel.tracking DROP CONSTRAINT tracking_pkey, DROP version,"
            " ADD PRIMARY KEY (projection)"
        )
    make_tables(database_urls, PROJECTION)
    assert tracking(database_urls.admin) == 11
    give_numbers(database_urls.service, 1, "later")
    catch_up(database_urls.service)
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


def test_tables_that_are_there_are_left_alone(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 10)
    catch_up(database_urls.service)
    before = live_rows(database_urls.admin)
    make_tables(database_urls, PROJECTION)
    assert (live_rows(database_urls.admin), tracking(database_urls.admin)) == (before, 11)
