"""Rebuilds a projection from position 0 beside the live one, compares row by row, and swaps them.

The live tables go on being read and written meanwhile: their owner waits only until the new ones have come to
where it stands, and readers only while they are renamed. No side effect hangs on a projection, so folding it
again repeats none.

The side tables hold names too. Those of a rebuild that was killed, whose lock nobody has any more, are
dropped by the worker, or by an erasure at once (`infrastructure/readstore/old_versions.py`).
"""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import quoted_name

from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.readstore.compiling import DIALECT
from infrastructure.readstore.ownership import lock_number, lock_of_rebuild
from infrastructure.readstore.rows import key_columns, table_identifier
from infrastructure.readstore.runner import catch_up_once
from infrastructure.readstore.tracking import hold_tracking, start_tracking, tracking_of
from projections.projection import Projection

SUFFIX = "__rebuild"
BATCH_EVENTS = 5_000

HOLDING_LEASE = "SET idle_in_transaction_session_timeout = '5s'"
"""So long the live projection waits at most for a rebuild that was stopped while it held it."""


@dataclass(frozen=True)
class Difference:
    """How a table as live differs from the same folded anew: rows that only one of them has."""

    projection: str
    table: str
    position: int
    rows: int
    only_live: int
    only_rebuilt: int

    @property
    def found(self) -> bool:
        """Whether there is any."""
        return bool(self.only_live or self.only_rebuilt)


def rebuild_projection(
    database_url: str, projection: Projection, reader: EventReader, *, swap: bool
) -> list[Difference]:
    """Folds a projection anew, compares it with the live one and, if `swap`, puts it in its place."""
    with ExitStack() as stack:
        ours, holder = (
            stack.enter_context(psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS))
            for _ in range(2)
        )
        lock = lock_number(lock_of_rebuild(projection.name, projection.version))
        ours.execute("SELECT pg_advisory_lock(%s)", (lock,))
        holder.execute(HOLDING_LEASE)
        # What a crash takes of the side tables, the next rebuild makes anew; the swap waits for the disk.
        ours.execute("SET synchronous_commit = off")
        start_tracking(ours, projection)
        _make_side_tables(ours, projection)
        try:
            _fold_to(ours, projection, reader, tracking_of(ours, projection).notification_id)
            for table in projection.tables:
                _make_indexes(ours, table)
                ours.execute(sql.SQL("ANALYZE {}").format(table_identifier(table, SUFFIX)))
            differences = _compare(ours, holder, projection, reader)
            if swap:
                _swap(ours, holder, projection, reader)
            return differences
        finally:
            _drop_side_tables(ours, projection)


def _fold_to(
    connection: psycopg.Connection[Any], projection: Projection, reader: EventReader, position: int
) -> None:
    while catch_up_once(
        connection, projection, reader, suffix=SUFFIX, stop=position, batch_events=BATCH_EVENTS
    ):
        pass


def _meet(
    ours: psycopg.Connection[Any],
    holder: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
) -> int:
    """Brings the new rows to where the live ones stand, and stay until the holder's transaction ends."""
    # What has come meanwhile is folded before the owner has to wait for it.
    _fold_to(ours, projection, reader, tracking_of(ours, projection).notification_id)
    row = hold_tracking(holder, projection).fetchone()
    assert row is not None, "tracking was started"
    position: int = row[0]
    _fold_to(ours, projection, reader, position)
    return position


def _compare(
    ours: psycopg.Connection[Any],
    holder: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
) -> list[Difference]:
    """Compares both at one position. The owner is held up until a snapshot is taken there, not longer."""
    with ExitStack() as snapshot:
        with holder.transaction():
            position = _meet(ours, holder, projection, reader)
            snapshot.enter_context(ours.transaction())
            ours.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            ours.execute("SELECT FROM readmodel.tracking LIMIT 1")
        return [_difference(ours, projection, table, position) for table in projection.tables]


def _difference(
    connection: psycopg.Connection[Any], projection: Projection, table: Table, position: int
) -> Difference:
    """Rows are equal if every byte of them is; such that differ are counted on either side."""
    key = key_columns(table)
    statement = sql.SQL(
        "SELECT count(live), count(live) FILTER (WHERE rebuilt IS NULL OR live *<> rebuilt),"
        " count(rebuilt) FILTER (WHERE live IS NULL OR live *<> rebuilt)"
        " FROM (SELECT {key}, t AS live FROM {live} AS t) AS a"
        " FULL JOIN (SELECT {key}, t AS rebuilt FROM {rebuilt} AS t) AS b USING ({key})"
    ).format(
        live=table_identifier(table),
        rebuilt=table_identifier(table, SUFFIX),
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
    )
    row = connection.execute(statement).fetchone()
    assert row is not None, "an aggregate always answers"
    return Difference(projection.name, table.name, position, *row)


def _swap(
    ours: psycopg.Connection[Any],
    holder: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
) -> None:
    with holder.transaction():
        _meet(ours, holder, projection, reader)
        # In the order in which readers lock them, so that nobody waits in a circle.
        tables = sorted(projection.tables, key=lambda table: table.name)
        for table in tables:
            holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_identifier(table)))
        for table in tables:
            _replace(holder, table)


def _replace(connection: psycopg.Connection[Any], table: Table) -> None:
    live, rebuilt = table_identifier(table), table_identifier(table, SUFFIX)
    _copy_grants(connection, live, rebuilt)
    connection.execute(sql.SQL("DROP TABLE {}").format(live))
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(rebuilt, sql.Identifier(table.name)))
    for name in (f"{table.name}_pkey", *(str(index.name) for index in table.indexes)):
        connection.execute(
            sql.SQL("ALTER INDEX {} RENAME TO {}").format(
                sql.Identifier(table.schema or "", name + SUFFIX), sql.Identifier(name)
            )
        )


def _copy_grants(connection: psycopg.Connection[Any], live: sql.Identifier, rebuilt: sql.Identifier) -> None:
    """Lets those read the new table whom an operator let read the old one."""
    grants = connection.execute(
        "SELECT privilege_type, grantee::regrole::text, is_grantable FROM pg_class, aclexplode(relacl)"
        " WHERE pg_class.oid = %s::regclass AND grantee <> relowner",
        (live.as_string(connection),),
    )
    for privilege, grantee, is_grantable in grants.fetchall():
        statement = sql.SQL("GRANT {} ON {} TO {}{}").format(
            sql.SQL(privilege),
            rebuilt,
            sql.SQL("PUBLIC" if grantee == "-" else grantee),
            sql.SQL(" WITH GRANT OPTION" if is_grantable else ""),
        )
        connection.execute(statement)


def _make_side_tables(connection: psycopg.Connection[Any], projection: Projection) -> None:
    """With their primary keys only: other indexes are made at once when the rows are there."""
    _drop_side_tables(connection, projection)
    for table in projection.tables:
        side = _side_table(table)
        side.primary_key.name = quoted_name(f"{table.name}_pkey{SUFFIX}", None)
        connection.execute(str(CreateTable(side).compile(dialect=DIALECT)).encode())


def _make_indexes(connection: psycopg.Connection[Any], table: Table) -> None:
    for index in sorted(_side_table(table).indexes, key=lambda index: str(index.name)):
        index.name = quoted_name(f"{index.name}{SUFFIX}", None)
        connection.execute(str(CreateIndex(index).compile(dialect=DIALECT)).encode())


def _side_table(table: Table) -> Table:
    return table.to_metadata(MetaData(), name=table.name + SUFFIX)


def _drop_side_tables(connection: psycopg.Connection[Any], projection: Projection) -> None:
    for table in projection.tables:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table_identifier(table, SUFFIX)))
    connection.execute("DELETE FROM readmodel.tracking WHERE projection = %s", (projection.name + SUFFIX,))
