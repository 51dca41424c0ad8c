"""Rebuilds a projection from position 0 beside the live one, compares row by row, and swaps them.

The live tables go on being read and written meanwhile: their owner waits only while they are compared, and
readers only while they are renamed. No side effect hangs on a projection, so folding it again repeats none.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.readstore.runner import (
    catch_up_once,
    hold_tracking,
    move_tracking,
    table_identifier,
    tracking_of,
)
from projections.projection import Projection, RowFold

SUFFIX = "__rebuild"


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
    database_url: str, projection: Projection, mapper: LedgerMapper, *, swap: bool
) -> list[Difference]:
    """Folds a projection anew, compares it with the live one and, if `swap`, puts it in its place."""
    with psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (projection.name + SUFFIX,))
        _make_side_tables(connection, projection)
        try:
            _fold_to(connection, projection, mapper, tracking_of(connection, projection.name).notification_id)
            for row_fold in projection.row_folds:
                connection.execute(sql.SQL("ANALYZE {}").format(table_identifier(row_fold, SUFFIX)))
            with connection.transaction():
                return _compare_and_swap(connection, projection, mapper, swap=swap)
        finally:
            _drop_side_tables(connection, projection)


def _fold_to(
    connection: psycopg.Connection[Any], projection: Projection, mapper: LedgerMapper, position: int
) -> None:
    while catch_up_once(connection, projection, mapper, SUFFIX, stop=position):
        pass


def _compare_and_swap(
    connection: psycopg.Connection[Any], projection: Projection, mapper: LedgerMapper, *, swap: bool
) -> list[Difference]:
    position = hold_tracking(connection, projection.name).notification_id
    _fold_to(connection, projection, mapper, position)
    differences = [
        _difference(connection, projection, row_fold, position) for row_fold in projection.row_folds
    ]
    if swap:
        # In the order in which readers lock them, so that nobody waits in a circle.
        for row_fold in sorted(projection.row_folds, key=lambda row_fold: row_fold.table.name):
            connection.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_identifier(row_fold))
            )
        for row_fold in projection.row_folds:
            _swap(connection, row_fold)
        rebuilt = tracking_of(connection, projection.name + SUFFIX)
        move_tracking(connection, projection.name, rebuilt.notification_id)
    return differences


def _difference(
    connection: psycopg.Connection[Any], projection: Projection, row_fold: RowFold, position: int
) -> Difference:
    live, rebuilt = table_identifier(row_fold), table_identifier(row_fold, SUFFIX)
    statement = sql.SQL(
        "SELECT (SELECT count(*) FROM {live}),"
        " (SELECT count(*) FROM (SELECT * FROM {live} EXCEPT SELECT * FROM {rebuilt}) AS a),"
        " (SELECT count(*) FROM (SELECT * FROM {rebuilt} EXCEPT SELECT * FROM {live}) AS b)"
    ).format(live=live, rebuilt=rebuilt)
    row = connection.execute(statement).fetchone()
    assert row is not None, "an aggregate always answers"
    return Difference(projection.name, row_fold.table.name, position, *row)


def _swap(connection: psycopg.Connection[Any], row_fold: RowFold) -> None:
    name = row_fold.table.name
    live, rebuilt = table_identifier(row_fold), table_identifier(row_fold, SUFFIX)
    _copy_grants(connection, live, rebuilt)
    connection.execute(sql.SQL("DROP TABLE {}").format(live))
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(rebuilt, sql.Identifier(name)))


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
    _drop_side_tables(connection, projection)
    for row_fold in projection.row_folds:
        statement = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
        connection.execute(statement.format(table_identifier(row_fold, SUFFIX), table_identifier(row_fold)))


def _drop_side_tables(connection: psycopg.Connection[Any], projection: Projection) -> None:
    for row_fold in projection.row_folds:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table_identifier(row_fold, SUFFIX)))
    connection.execute("DELETE FROM readmodel.tracking WHERE projection = %s", (projection.name + SUFFIX,))
