"""Read models that nobody folds any more, with whatever they once showed: older versions, and dead rebuilds.

An older version goes on beside a newer one for as long as a deployment takes. It has been given up when no
worker owns it, its successor shows more than it does, and it has not folded something for an hour. A rebuild
is dead when nobody has its lock.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg import sql

from application.ports import Clock, ReadStoreUnavailable
from infrastructure.eventstore.ledger import Pool, reading_connection
from infrastructure.readstore.ownership import lock_number, lock_of_projection, lock_of_rebuild
from infrastructure.readstore.rebuilding import SUFFIX
from projections.projection import METADATA, Projection

log = structlog.get_logger(__name__)

GIVEN_UP_AFTER = timedelta(hours=1)

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

_VERSIONED = re.compile(rf"(?P<name>.+)_v(?P<version>[0-9]+)({SUFFIX})?")

_IS_BEHIND = """
SELECT FROM ledger.event
WHERE recorded_at < %(before)s
    AND event.position = 1 + coalesce((
        SELECT position FROM readmodel.tracking WHERE projection = %(projection)s AND version = %(version)s
    ), 0)
    AND event.position <= (
        SELECT position FROM readmodel.tracking WHERE projection = %(projection)s AND version = %(live)s
    )
"""

_FORGET = """
DELETE FROM readmodel.tracking
WHERE projection = ANY(%(projections)s) AND version = %(version)s
"""


@dataclass(frozen=True)
class OldVersion:
    """A version of a projection that is older than `live`, the one of this program; `tables` are sorted."""

    projection: str
    version: int
    live: int
    tables: tuple[str, ...]


class PostgresOldReadModels:
    """`application.erasure.OldReadModels` on PostgreSQL."""

    def __init__(self, pool: Pool, projections: Sequence[Projection], clock: Clock) -> None:
        """`projections` are those of this program: what a newer one made is left alone."""
        self._pool = pool
        self._projections = projections
        self._clock = clock

    async def drop(self) -> None:
        """Drops all of them at once. Raises `ReadStoreUnavailable`, also where a reader is in the way."""
        async with reading_connection(self._pool, ReadStoreUnavailable) as connection:
            tables = await _tables(connection)
            for old in old_versions(tables, self._projections):
                async with connection.transaction():
                    await _drop_version(connection, old)
            await self._drop_dead_rebuilds(connection, tables)

    async def drop_given_up(self) -> None:
        """Drops versions that have been given up, and dead rebuilds. Raises as `drop` does."""
        before = self._clock.now() - GIVEN_UP_AFTER
        async with reading_connection(self._pool, ReadStoreUnavailable) as connection:
            tables = await _tables(connection)
            for old in old_versions(tables, self._projections):
                async with connection.transaction():
                    if await _is_given_up(connection, old, before):
                        await _drop_version(connection, old)
            await self._drop_dead_rebuilds(connection, tables)

    async def _drop_dead_rebuilds(self, connection: Connection, tables: Collection[str]) -> None:
        """Drops what rebuilds of this program's versions left whose process has died."""
        for projection in self._projections:
            left = [table.name + SUFFIX for table in projection.tables if table.name + SUFFIX in tables]
            if not left:
                continue
            async with connection.transaction():
                # Until the transaction ends no other rebuild begins.
                if await _is_free(connection, lock_of_rebuild(projection.name, projection.version)):
                    await _drop(connection, left, [projection.name + SUFFIX], projection.version)
                    log.info("dead-rebuild-dropped", projection=projection.name)


async def _tables(connection: Connection) -> list[str]:
    cursor = await connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY tablename", (METADATA.schema,)
    )
    return [name for (name,) in await cursor.fetchall()]


def old_versions(tables: Sequence[str], projections: Sequence[Projection]) -> list[OldVersion]:
    """The versions to which tables belong that are older than those of these projections.

    Not those whose successor was never made: a database that is not migrated yet is still theirs.
    """
    owners = {
        match["name"]: projection
        for projection in projections
        if {table.name for table in projection.tables} <= set(tables)
        for table in projection.tables
        if (match := _VERSIONED.fullmatch(table.name))
    }
    found: dict[tuple[Projection, int], list[str]] = defaultdict(list)
    for table in tables:
        match = _VERSIONED.fullmatch(table)
        owner = owners.get(match["name"]) if match else None
        if match and owner and int(match["version"]) < owner.version:
            found[owner, int(match["version"])].append(table)
    return [
        OldVersion(owner.name, version, owner.version, tuple(sorted(names)))
        for (owner, version), names in found.items()
    ]


async def _is_given_up(connection: Connection, old: OldVersion, before: datetime) -> bool:
    """Whether nobody folds it any more; until the transaction ends nobody can begin to."""
    if not await _is_free(connection, lock_of_projection(old.projection, old.version)):
        return False
    wanted = {"projection": old.projection, "version": old.version, "live": old.live, "before": before}
    return (await connection.execute(_IS_BEHIND, wanted)).rowcount == 1


async def _is_free(connection: Connection, lock: str) -> bool:
    """Whether nobody has the lock; until the transaction ends nobody can take it then."""
    taken = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (lock_number(lock),))
    return await taken.fetchone() == (True,)


async def _drop_version(connection: Connection, old: OldVersion) -> None:
    await _drop(connection, old.tables, [old.projection, old.projection + SUFFIX], old.version)
    log.info("read-model-dropped", projection=old.projection, version=old.version)


async def _drop(
    connection: Connection, tables: Sequence[str], projections: Sequence[str], version: int
) -> None:
    """Drops tables, and forgets how far they had come by these names."""
    # Who waits for a lock here makes all wait who come to read.
    await connection.execute("SET LOCAL lock_timeout = '1s'")
    names = [sql.Identifier(str(METADATA.schema), table) for table in tables]
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.SQL(", ").join(names)))
    await connection.execute(_FORGET, {"projections": list(projections), "version": version})
