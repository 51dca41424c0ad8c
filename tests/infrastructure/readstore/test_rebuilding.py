"""A rebuild finds and mends rows that differ, beside writers and readers who notice nothing."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from infrastructure.eventstore.ledger import Pool
from infrastructure.readstore import rebuilding
from infrastructure.readstore.rebuilding import Difference, rebuild_projection
from infrastructure.readstore.runner import ProjectionRunner
from infrastructure.readstore.store import PostgresReadStore
from projections.documents import DOCUMENTS
from projections.number_series import SERIES as PROJECTION
from projections.number_series import select_numbers, select_one_series
from projections.registry import PROJECTIONS
from tests.support.ledger_fixtures import SERIES, LedgerUrls, eventually, head_of
from tests.support.projected import READER, catch_up, caught_up, fresh_rows, give_numbers, live_rows, tracking

pytestmark = pytest.mark.slow

TABLES = [row_fold.table.name for row_fold in PROJECTION.row_folds]


def rebuild(urls: LedgerUrls, *, swap: bool) -> dict[str, Difference]:
    """What a rebuild finds, by table."""
    return {found.table: found for found in rebuild_projection(urls.service, PROJECTION, READER, swap=swap)}


@pytest.fixture
def urls(database_urls: LedgerUrls) -> LedgerUrls:
    """A ledger of 31 events, projected."""
    give_numbers(database_urls.service, 30)
    catch_up(database_urls.service)
    return database_urls


def alter(urls: LedgerUrls) -> None:
    """Breaks one row, removes one and adds one."""
    with psycopg.connect(urls.admin) as connection:
        connection.execute("UPDATE readmodel.number_v1 SET holder_id = 'thief' WHERE sequence = 3")
        connection.execute("DELETE FROM readmodel.number_v1 WHERE sequence = 4")
        connection.execute(
            "INSERT INTO readmodel.number_v1 SELECT series_id, year, 999, 'R-999', holder_type, holder_id,"
            " issued_at, position FROM readmodel.number_v1 WHERE sequence = 5"
        )


@pytest.mark.parametrize("swap", [False, True])
def test_a_sound_projection_shows_no_difference(urls: LedgerUrls, swap: bool) -> None:
    found = rebuild(urls, swap=swap)
    assert [(found[name].rows, found[name].found) for name in TABLES] == [(1, False), (30, False)]
    assert {difference.position for difference in found.values()} == {31}
    assert live_rows(urls.admin) == fresh_rows(urls.service)


def test_rows_altered_by_hand_are_found_and_left_alone_until_swapped(urls: LedgerUrls) -> None:
    alter(urls)
    altered = live_rows(urls.admin)
    found = rebuild(urls, swap=False)["number_v1"]
    assert (found.only_live, found.only_rebuilt) == (2, 2)
    assert live_rows(urls.admin) == altered
    assert rebuild(urls, swap=True)["number_v1"].found
    assert live_rows(urls.admin) == fresh_rows(urls.service)
    assert tracking(urls.admin) == 31
    assert not any(found.found for found in rebuild(urls, swap=False).values())


def test_values_that_are_only_written_differently_are_found(urls: LedgerUrls) -> None:
    with psycopg.connect(urls.admin) as connection:
        connection.execute(
            "UPDATE readmodel.number_series_v1 SET format = jsonb_set(format, '{padding}', '6.0')"
        )
        same = connection.execute("SELECT format @> '{\"padding\": 6}' FROM readmodel.number_series_v1")
        assert same.fetchone() == (True,)
    found = rebuild(urls, swap=False)["number_series_v1"]
    assert (found.only_live, found.only_rebuilt) == (1, 1)


def test_indexes_have_the_same_names_after_a_swap(urls: LedgerUrls) -> None:
    """By these names `billing migrate` knows which are there."""

    def names() -> list[Any]:
        with psycopg.connect(urls.admin) as connection:
            found = connection.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'readmodel'")
            return sorted(found.fetchall())

    before = names()
    for projection in PROJECTIONS:
        for _ in range(2):
            rebuild_projection(urls.service, projection, READER, swap=True)
    assert names() == before


def left_behind(urls: LedgerUrls) -> list[Any]:
    """Side tables, and positions of them."""
    with psycopg.connect(urls.admin) as connection:
        return connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%rebuild%'"
            " UNION ALL SELECT projection FROM readmodel.tracking WHERE projection LIKE '%rebuild%'"
        ).fetchall()


def test_nothing_of_a_rebuild_is_left_behind(urls: LedgerUrls) -> None:
    for swap in (False, True, True):
        rebuild(urls, swap=swap)
        assert left_behind(urls) == []


def test_nothing_is_left_behind_either_where_tables_cannot_be_compared(urls: LedgerUrls) -> None:
    with psycopg.connect(urls.admin) as connection:
        connection.execute("ALTER TABLE readmodel.number_v1 ADD COLUMN remark text")
    with pytest.raises(psycopg.errors.DatatypeMismatch):
        rebuild(urls, swap=False)
    assert left_behind(urls) == []


def test_a_rebuild_that_was_stopped_while_it_held_the_live_rows_lets_go_of_them(
    urls: LedgerUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "HOLDING_LEASE", "SET idle_in_transaction_session_timeout = '200ms'")
    holding, going_on = threading.Event(), threading.Event()

    def hold(*arguments: Any) -> int:
        position = meet(*arguments)
        holding.set()
        going_on.wait(60)
        return position

    meet = rebuilding._meet
    monkeypatch.setattr(rebuilding, "_meet", hold)
    give_numbers(urls.service, 5, "later")
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(rebuild, urls, swap=False)
        assert holding.wait(60)
        catch_up(urls.service)
        going_on.set()
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            stopped.result(60)
    assert caught_up(urls.service)
    assert left_behind(urls) == []


def test_what_a_killed_rebuild_left_behind_does_not_stop_the_next(urls: LedgerUrls) -> None:
    with psycopg.connect(urls.service) as connection:
        connection.execute("CREATE TABLE readmodel.number_v1__rebuild (leftover int)")
        connection.execute("INSERT INTO readmodel.tracking VALUES ('number-series__rebuild', 17)")
    assert not any(found.found for found in rebuild(urls, swap=True).values())
    assert live_rows(urls.admin) == fresh_rows(urls.service)


def shape(urls: LedgerUrls, name: str) -> dict[str, Any]:
    """All that a table is besides its rows: columns, constraints, indexes without names, owner, grants."""
    with psycopg.connect(urls.admin) as connection:

        def rows(statement: str) -> list[Any]:
            found = connection.execute(statement.encode(), {"name": f"readmodel.{name}"}).fetchall()
            return sorted(map(repr, found))

        return {
            "columns": rows(
                "SELECT attnum, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
                " WHERE attrelid = %(name)s::regclass AND attnum > 0 AND NOT attisdropped"
            ),
            "constraints": rows(
                "SELECT contype, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = %(name)s::regclass"
            ),
            "indexes": rows(
                "SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX .* ON', 'INDEX ON')"
                " FROM pg_index WHERE indrelid = %(name)s::regclass"
            ),
            "owner": rows("SELECT relowner::regrole FROM pg_class WHERE oid = %(name)s::regclass"),
            "grants": rows(
                "SELECT grantee::regrole, privilege_type, is_grantable FROM pg_class,"
                " aclexplode(coalesce(relacl, acldefault('r', relowner)))"
                " WHERE pg_class.oid = %(name)s::regclass"
            ),
        }


@pytest.fixture
def auditor(urls: LedgerUrls) -> Iterator[str]:
    """An operator's own role, which may read the numbers."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute('CREATE ROLE "test Auditor"')
        connection.execute('GRANT SELECT ON readmodel.number_v1 TO "test Auditor" WITH GRANT OPTION')
        connection.execute("GRANT SELECT ON readmodel.number_series_v1 TO PUBLIC")
        yield "test Auditor"
        connection.execute('DROP OWNED BY "test Auditor" CASCADE')
        connection.execute('DROP ROLE "test Auditor"')


def test_a_swapped_table_has_the_shape_the_owner_and_the_grants_of_the_old_one(
    urls: LedgerUrls, auditor: str
) -> None:
    before = [shape(urls, name) for name in TABLES]
    assert auditor in str(before)
    for _ in range(3):
        rebuild(urls, swap=True)
        assert [shape(urls, name) for name in TABLES] == before


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_every_projection_keeps_its_shape(urls: LedgerUrls, projection: Any) -> None:
    before = [shape(urls, table.name) for table in projection.tables]
    for _ in range(2):
        rebuild_projection(urls.service, projection, READER, swap=True)
    assert [shape(urls, table.name) for table in projection.tables] == before


def test_a_rebuild_of_a_projection_that_never_ran_starts_it(database_urls: LedgerUrls) -> None:
    give_numbers(database_urls.service, 5)
    assert not any(found.found for found in rebuild(database_urls, swap=True).values())
    catch_up(database_urls.service)
    assert live_rows(database_urls.admin) == fresh_rows(database_urls.service)


async def test_writers_and_readers_notice_nothing_of_rebuilds(urls: LedgerUrls) -> None:
    """Numbers are given, folded and read all the time; every answer shows all up to its position."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            give_numbers(urls.service, 40, "more")

    running = ProjectionRunner(urls.service, PROJECTION, READER)
    writing = threading.Thread(target=write)
    running.start()
    writing.start()
    pool: Pool = AsyncConnectionPool(
        urls.service, open=False, min_size=4, max_size=4, timeout=30, kwargs={"autocommit": True}
    )
    async with pool:
        store = PostgresReadStore(pool)

        async def read() -> int:
            answers = 0
            while not stop.is_set():
                found = await store.fetch(
                    (PROJECTION.name,),
                    select_numbers(SERIES.id, None, None, None, 100_000),
                    select_one_series(SERIES.id),
                )
                numbers, (series,) = found.results
                # One event opens the series, every other one gives a number.
                assert len(numbers) == found.position - 1 == series["next_number"] - 1
                alone = await store.fetch(
                    (PROJECTION.name,), select_numbers(SERIES.id, None, None, None, 100_000)
                )
                assert len(alone.results[0]) == alone.position - 1
                answers += 1
            return answers

        readers = [asyncio.create_task(read()) for _ in range(4)]
        try:
            for _ in range(6):
                found = await asyncio.to_thread(rebuild, urls, swap=True)
                assert not any(difference.found for difference in found.values())
            assert not await asyncio.to_thread(
                lambda: any(found.found for found in rebuild(urls, swap=False).values())
            )
        finally:
            stop.set()
            await asyncio.to_thread(writing.join)
        assert all([await reader > 0 for reader in readers])
    await asyncio.to_thread(eventually, lambda: caught_up(urls.service))
    running.stop()
    assert live_rows(urls.admin) == fresh_rows(urls.service)
    assert head_of(urls.service) > 31


def test_two_projections_that_share_a_reader_swap_one_by_one(urls: LedgerUrls) -> None:
    """`select_numbers` reads tables of both."""
    for projection in (PROJECTION, DOCUMENTS):
        found = rebuild_projection(urls.service, projection, READER, swap=True)
        assert not any(difference.found for difference in found)
