"""Rebuilds a projection from position 0 beside the live one, compares row by row, and swaps them.

The live tables go on being read and written meanwhile; they are held still only to compare and to rename.
No side effect hangs on a projection, so that folding it again repeats none.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.readstore.runner import catch_up_once, table_identifier, tracking_of
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
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (projection.name + SUFFIX,))
        _make_side_tables(connection, projection)
        try:
            while catch_up_once(connection, projection, mapper, SUFFIX):
                pass
            with connection.transaction():
                return _compare_and_swap(connection, projection, mapper, swap=swap)
        finally:
            _drop_side_tables(connection, projection)


def _compare_and_swap(
    connection: psycopg.Connection[Any], projection: Projection, mapper: LedgerMapper, *, swap: bool
) -> list[Difference]:
    mode = sql.SQL("ACCESS EXCLUSIVE" if swap else "SHARE")
    for row_fold in projection.row_folds:
        connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(table_identifier(row_fold), mode))
    live = tracking_of(connection, projection.name).notification_id
    if tracking_of(connection, projection.name + SUFFIX).notification_id > live:
        # The live one was behind when the rebuild passed it: fold again, exactly as far as it is.
        _empty_side_tables(connection, projection)
    while catch_up_once(connection, projection, mapper, SUFFIX, stop=live):
        pass
    differences = [_difference(connection, projection, row_fold, live) for row_fold in projection.row_folds]
    if swap:
        for row_fold in projection.row_folds:
            _swap(connection, row_fold)
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
    connection.execute(sql.SQL("DROP TABLE {}").format(live))
    connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(rebuilt, sql.Identifier(name)))


def _make_side_tables(connection: psycopg.Connection[Any], projection: Projection) -> None:
    _drop_side_tables(connection, projection)
    for row_fold in projection.row_folds:
        statement = sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)")
        connection.execute(statement.format(table_identifier(row_fold, SUFFIX), table_identifier(row_fold)))


def _empty_side_tables(connection: psycopg.Connection[Any], projection: Projection) -> None:
    for row_fold in projection.row_folds:
        connection.execute(sql.SQL("TRUNCATE {}").format(table_identifier(row_fold, SUFFIX)))
    _forget(connection, projection)


def _drop_side_tables(connection: psycopg.Connection[Any], projection: Projection) -> None:
    for row_fold in projection.row_folds:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table_identifier(row_fold, SUFFIX)))
    _forget(connection, projection)


def _forget(connection: psycopg.Connection[Any], projection: Projection) -> None:
    connection.execute("DELETE FROM readmodel.tracking WHERE projection = %s", (projection.name + SUFFIX,))
