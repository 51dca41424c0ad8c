"""Read models that nobody folds go when nobody can want them any more, at once when somebody is erased."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from application.ports import ReadStoreUnavailable
from infrastructure.clock import SystemClock
from infrastructure.readstore.old_versions import GIVEN_UP_AFTER, PostgresOldReadModels
from infrastructure.readstore.ownership import (
    lock_of_projection,
    lock_of_rebuild,
    try_to_lock,
    try_to_own,
)
from projections.documents import DOCUMENTS
from projections.registry import PROJECTIONS
from tests.support.clocks import SetClock
from tests.support.ledger_fixtures import LedgerUrls
from tests.support.projected import catch_up, give_numbers, tracking

SERVED = [re.sub(r"_v\d+$", "_v1", table.name) for table in DOCUMENTS.tables]
OLD = [*SERVED, f"{SERVED[0]}__rebuild"]
NEWER = re.sub(r"_v\d+$", "_v99", SERVED[0])
STRANGE = "notes_v1"
LIVE = {"tracking", *(table.name for projection in PROJECTIONS for table in projection.tables)}
SUCCESSOR = f"projection = 'documents' AND version = {DOCUMENTS.version}"
HEAD = 11


@pytest.fixture
def urls(database_urls: LedgerUrls) -> LedgerUrls:
    """A ledger of 11 events, the documents projected, and what a first version of them left at the third."""
    give_numbers(database_urls.service, HEAD - 1)
    catch_up(database_urls.service, DOCUMENTS)
    with psycopg.connect(database_urls.service) as connection:
        for table in (*OLD, NEWER, STRANGE):
            name = sql.Identifier("readmodel", table)
            connection.execute(sql.SQL("CREATE TABLE {} (order_id text, words text)").format(name))
        connection.execute(
            "INSERT INTO readmodel.tracking (projection, version, position)"
            " VALUES ('documents', 1, 3), ('documents__rebuild', 1, 2), ('documents', 99, 5)"
        )
    return database_urls


@pytest.fixture
def clock() -> SetClock:
    """A clock that is ahead by more than it takes to give a version up."""
    return SetClock(SystemClock().now() + GIVEN_UP_AFTER + timedelta(minutes=1))


@pytest.fixture
async def old_read_models(urls: LedgerUrls, clock: SetClock) -> AsyncIterator[PostgresOldReadModels]:
    async with AsyncConnectionPool(urls.service, open=False, kwargs={"autocommit": True}) as pool:
        yield PostgresOldReadModels(pool, PROJECTIONS, clock)


def tables(urls: LedgerUrls) -> set[str]:
    """The read models' tables."""
    with psycopg.connect(urls.service) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'readmodel'")
        return {name for (name,) in rows.fetchall()}


def tracked(urls: LedgerUrls) -> set[tuple[str, int]]:
    """The projections and versions that have a position."""
    with psycopg.connect(urls.service) as connection:
        return set(connection.execute("SELECT projection, version FROM readmodel.tracking").fetchall())


def own(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """Owns the documents' first version, as its worker does, while the connection lasts."""
    connection = psycopg.connect(url, autocommit=True)
    assert try_to_own(connection, lock_of_projection("documents", 1))
    connection.execute("SET idle_session_timeout = 0")
    return connection


async def test_a_version_that_nobody_folds_any_more_is_dropped_with_all_that_is_its(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls
) -> None:
    assert tables(urls) == LIVE | {*OLD, NEWER, STRANGE}
    await old_read_models.drop_given_up()
    assert tables(urls) == LIVE | {NEWER, STRANGE}
    assert tracked(urls) == {("documents", DOCUMENTS.version), ("documents", 99)}
    assert tracking(urls.admin, DOCUMENTS) == HEAD
    await old_read_models.drop_given_up()


async def test_a_version_that_a_worker_owns_is_kept(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls
) -> None:
    with own(urls.service):
        await old_read_models.drop_given_up()
        assert set(OLD) <= tables(urls)
    await old_read_models.drop_given_up()
    assert not set(OLD) & tables(urls)


async def test_for_an_hour_a_version_is_kept_for_those_who_still_read_it(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls, clock: SetClock
) -> None:
    clock.move(-timedelta(minutes=2).total_seconds())
    await old_read_models.drop_given_up()
    assert set(OLD) <= tables(urls)


@pytest.mark.parametrize(
    "positions",
    [
        f"UPDATE readmodel.tracking SET position = 3 WHERE {SUCCESSOR}",
        f"DELETE FROM readmodel.tracking WHERE {SUCCESSOR}",
        f"UPDATE readmodel.tracking SET position = {HEAD} WHERE projection = 'documents' AND version = 1",
    ],
    ids=["its successor shows no more", "its successor shows nothing", "it shows everything"],
)
async def test_a_version_that_shows_as_much_as_its_successor_is_kept(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls, positions: str
) -> None:
    with psycopg.connect(urls.service) as connection:
        connection.execute(positions.encode())
    await old_read_models.drop_given_up()
    assert set(OLD) <= tables(urls)


async def test_an_erasure_drops_older_versions_whoever_still_wants_them(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls, clock: SetClock
) -> None:
    clock.move(-timedelta(hours=1).total_seconds())
    with own(urls.service):
        await old_read_models.drop()
    assert tables(urls) == LIVE | {NEWER, STRANGE}
    assert ("documents", 1) not in tracked(urls)


async def test_a_reader_in_the_way_holds_it_up_and_loses_nothing(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls
) -> None:
    with psycopg.connect(urls.service) as reader:
        reader.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier("readmodel", SERVED[0])))
        with pytest.raises(ReadStoreUnavailable):
            await old_read_models.drop()
        assert set(OLD) <= tables(urls)
        assert ("documents", 1) in tracked(urls)
    await old_read_models.drop()
    assert not set(OLD) & tables(urls)


async def test_before_its_successor_was_made_a_version_is_nobodys_past(
    old_read_models: PostgresOldReadModels, urls: LedgerUrls
) -> None:
    with psycopg.connect(urls.service) as connection:
        connection.execute(
            sql.SQL("DROP TABLE {}").format(sql.Identifier("readmodel", DOCUMENTS.tables[0].name))
        )
    await old_read_models.drop()
    assert set(OLD) <= tables(urls)


@pytest.mark.parametrize("way", [PostgresOldReadModels.drop, PostgresOldReadModels.drop_given_up])
async def test_what_a_rebuild_left_goes_when_nobody_has_its_lock(
    old_read_models: PostgresOldReadModels,
    urls: LedgerUrls,
    way: Callable[[PostgresOldReadModels], Awaitable[None]],
) -> None:
    """Of a rebuild of this version, for which the next one would make them anew."""
    side = f"{DOCUMENTS.tables[0].name}__rebuild"
    with psycopg.connect(urls.service) as connection:
        connection.execute(sql.SQL("CREATE TABLE {} (name text)").format(sql.Identifier("readmodel", side)))
        connection.execute(
            "INSERT INTO readmodel.tracking (projection, version, position)"
            " VALUES ('documents__rebuild', %s, 2)",
            (DOCUMENTS.version,),
        )
    with psycopg.connect(urls.service, autocommit=True) as rebuild:
        assert try_to_lock(rebuild, lock_of_rebuild("documents", DOCUMENTS.version))
        await way(old_read_models)
        assert tables(urls) == LIVE | {NEWER, STRANGE, side}
        assert ("documents__rebuild", DOCUMENTS.version) in tracked(urls)
    await way(old_read_models)
    assert tables(urls) == LIVE | {NEWER, STRANGE}
    assert tracked(urls) == {("documents", DOCUMENTS.version), ("documents", 99)}
