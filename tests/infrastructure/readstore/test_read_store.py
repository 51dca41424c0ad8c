"""Queries show rows and position of one moment, wait for a position, and outlive lost connections."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from application.ledger import LedgerUnavailable
from application.ports import ReadStoreUnavailable
from domain.streams import REGISTRY
from infrastructure.clock import RandomIds, SystemClock
from infrastructure.embedded_postgres import admin_url, service_url
from infrastructure.embedded_postgres.places import places_of
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.committing import BatchCommitter
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.migrations import migrate
from infrastructure.readstore.runner import catch_up_once
from infrastructure.readstore.store import PostgresReadStore
from projections.number_series import SERIES as PROJECTION
from projections.number_series import select_numbers, select_one_series
from projections.tasks import TASKS
from tests.support.ledger_fixtures import ANSWERS, SERIES, LedgerUrls
from tests.support.postgres_processes import postmaster_pid_or_none, supervising_process
from tests.support.projected import READER, catch_up, give_numbers
from tests.support.subject_keys import a_wrap

NAMES = (PROJECTION.name,)


def a_pool(url: str) -> Pool:
    """A pool as the service opens one."""
    return AsyncConnectionPool(
        url, open=False, min_size=4, max_size=4, timeout=10, kwargs={"autocommit": True, "connect_timeout": 5}
    )


@pytest.fixture
async def store(database_urls: LedgerUrls) -> AsyncIterator[PostgresReadStore]:
    async with a_pool(database_urls.service) as pool:
        yield PostgresReadStore(pool)


async def test_it_answers_with_rows_and_the_position_that_they_show(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    give_numbers(database_urls.service, 3)
    catch_up(database_urls.service)
    numbers = select_numbers(SERIES.id, 2, None, None, 10)
    found = await store.fetch(NAMES, select_one_series(SERIES.id), numbers)
    (series,), listed = found.results
    assert (found.position, series["next_number"]) == (4, 4)
    assert [number["sequence"] for number in listed] == [2, 3]


async def test_the_position_is_that_of_the_slowest_projection(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    give_numbers(database_urls.service, 3)
    catch_up(database_urls.service)
    assert await store.position(NAMES) == 4
    assert await store.position((*NAMES, "tasks")) == 0
    assert await store.position(("tasks",)) == 0


async def test_waiting_ends_when_the_position_is_reached(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    give_numbers(database_urls.service, 3)
    waiting = asyncio.create_task(store.wait_for(NAMES, 4, 30))
    await asyncio.sleep(0)
    assert not await store.wait_for(NAMES, 4, 0.05)
    assert not waiting.done()
    await asyncio.to_thread(catch_up, database_urls.service)
    assert await waiting
    assert await store.wait_for(NAMES, 4, 0)
    assert not await store.wait_for(NAMES, 5, 0.05)


async def test_one_who_gives_up_leaves_the_others_waiting(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    give_numbers(database_urls.service, 3)
    waiting = [asyncio.create_task(store.wait_for(NAMES, 4, 30)) for _ in range(20)]
    others = asyncio.create_task(store.wait_for(("tasks",), 4, 30))
    await asyncio.sleep(0.01)
    for task in waiting[:10]:
        task.cancel()
    await asyncio.to_thread(catch_up, database_urls.service)
    assert all(await asyncio.gather(*waiting[10:]))
    assert not others.done()
    await asyncio.to_thread(catch_up, database_urls.service, TASKS)
    assert await others


async def test_a_position_that_was_lost_is_waited_for_anew(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    """After a crash of PostgreSQL a read model may have lost its last moments."""
    give_numbers(database_urls.service, 3)
    catch_up(database_urls.service)
    assert await store.wait_for(NAMES, 4, 30)
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute("UPDATE readmodel.tracking SET position = 2")
    assert (await store.fetch(NAMES, select_one_series(SERIES.id))).position == 2
    assert not await store.wait_for(NAMES, 4, 0.05)


async def test_where_there_are_no_rows_there_is_a_position_still(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    give_numbers(database_urls.service, 3)
    catch_up(database_urls.service)
    found = await store.fetch(NAMES, select_one_series("no such series"))
    assert (found.results, found.position) == ([[]], 4)


async def test_rows_come_in_the_order_of_their_query(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    give_numbers(database_urls.service, 300)
    catch_up(database_urls.service)
    found = await store.fetch(NAMES, select_numbers(SERIES.id, None, None, None, 1000))
    assert [row["sequence"] for row in found.results[0]] == list(range(1, 301))


async def test_one_statement_sees_rows_and_position_of_one_moment(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    await asyncio.to_thread(give_numbers, database_urls.service, 3000)
    folding = asyncio.create_task(asyncio.to_thread(_fold_slowly, database_urls.service))
    positions: set[int] = set()
    while not folding.done() or len(positions) < 2:
        found = await store.fetch(NAMES, select_numbers(SERIES.id, None, None, None, 100_000))
        assert len(found.results[0]) == max(found.position - 1, 0)
        positions.add(found.position)
    await folding


async def test_statements_of_one_fetch_see_one_moment(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    await asyncio.to_thread(give_numbers, database_urls.service, 3000)
    folding = asyncio.create_task(asyncio.to_thread(_fold_slowly, database_urls.service))
    positions: set[int] = set()
    numbers = select_numbers(SERIES.id, None, None, None, 100_000)
    while not folding.done() or len(positions) < 2:
        found = await store.fetch(NAMES, numbers, select_one_series(SERIES.id), numbers)
        first, series, second = found.results
        assert len(first) == len(second) == max(found.position - 1, 0)
        assert [row["next_number"] for row in series] == ([found.position] if found.position else [])
        positions.add(found.position)
    await folding


def _fold_slowly(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for stop in range(0, 3001, 30):
            catch_up_once(connection, PROJECTION, READER, stop=stop)


async def test_a_lost_connection_is_said_and_the_whole_pool_is_mended(database_urls: LedgerUrls) -> None:
    async with a_pool(database_urls.service) as pool:
        await pool.wait()
        store = PostgresReadStore(pool)
        for _ in range(2):
            with psycopg.connect(database_urls.admin, autocommit=True) as admin:
                killed = admin.execute(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                    " WHERE usename = 'billing_service' AND datname = current_database()"
                ).rowcount
            assert killed == 4
            with pytest.raises(ReadStoreUnavailable):
                await store.position(NAMES)
            # One caller met the loss; nobody after it does.
            assert [await store.position(NAMES) for _ in range(12)] == [0] * 12
            await pool.wait()


async def test_a_database_that_is_not_migrated_is_not_available(database_urls: LedgerUrls) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute("DROP SCHEMA readmodel CASCADE")
    async with a_pool(database_urls.service) as pool:
        with pytest.raises(ReadStoreUnavailable):
            await PostgresReadStore(pool).fetch(NAMES, select_one_series("any"))


@pytest.mark.slow
async def test_reading_recovers_by_itself_after_postgresql_was_killed(tmp_path: Path) -> None:
    with supervising_process(tmp_path):
        migrate(admin_url(tmp_path))
        url = service_url(tmp_path)
        committer = Committer(BatchCommitter(url, REGISTRY, ANSWERS, a_wrap(), SystemClock(), RandomIds()))
        async with a_pool(url) as pool:
            store, ledger = (
                PostgresReadStore(pool),
                PostgresLedger(pool, committer, READER, ANSWERS, SystemClock()),
            )
            assert (await store.position(NAMES), await ledger.head_position()) == (0, 0)
            pid = postmaster_pid_or_none(places_of(tmp_path).cluster)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            recovered = 0
            for _ in range(2000):
                try:
                    assert (await store.position(NAMES), await ledger.head_position()) == (0, 0)
                except (ReadStoreUnavailable, LedgerUnavailable):
                    recovered = 0
                    await asyncio.sleep(0.02)
                    continue
                now = await asyncio.to_thread(postmaster_pid_or_none, places_of(tmp_path).cluster)
                recovered += now not in {pid, None}
                if recovered == 10:
                    break
            assert recovered == 10
