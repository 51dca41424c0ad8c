"""Runs the projections' queries over a psycopg pool: one query in one statement, several in one snapshot."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Select

from application.ports import Found, ReadStoreUnavailable
from infrastructure.eventstore.ledger import Pool, reading_connection
from infrastructure.readstore.compiling import compiled, compiled_at_position, compiled_together, tables_of
from infrastructure.readstore.gathering import Gathering, Parameters
from infrastructure.readstore.progress import Positions, Progress
from infrastructure.readstore.tracking import position_expression
from projections.projection import Query

_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")


class PostgresReadStore:
    """`application.ports.ReadStore` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._progress = Progress(self._positions)
        self._gatherings: dict[tuple[Select[Any], tuple[str, ...]], Gathering] = {}

    async def fetch(self, projections: Sequence[str], *queries: Query) -> Found:
        """Runs queries in one snapshot with the projections' position. Raises `ReadStoreUnavailable`."""
        names = tuple(projections)
        if not queries:
            found = Found([], (await self._positions([names]))[names])
        elif len(queries) == 1 and queries[0].together:
            found = await self._gathering(names, queries[0].statement).found(queries[0].parameters)
        elif len(queries) == 1:
            found = await self._fetch_one(names, queries[0])
        else:
            found = await self._fetch_several(names, queries)
        self._progress.saw(names, found.position)
        return found

    async def wait_for(self, projections: Sequence[str], position: int, timeout_seconds: float) -> bool:
        """Waits until the projections have reached a position; False when time runs out.

        Raises `ReadStoreUnavailable`.
        """
        return await self._progress.reached(tuple(projections), position, timeout_seconds)

    async def position(self, projections: Sequence[str]) -> int:
        """How far the slowest of the projections has come."""
        return (await self.fetch(projections)).position

    def _gathering(self, projections: tuple[str, ...], statement: Select[Any]) -> Gathering:
        kind = (statement, projections)
        if kind not in self._gatherings:
            self._gatherings[kind] = Gathering(partial(self._fetch_together, projections, statement))
        return self._gatherings[kind]

    async def _fetch_together(
        self, projections: tuple[str, ...], statement: Select[Any], asked: Sequence[Parameters]
    ) -> list[Found]:
        names = tuple(asked[0])
        together = compiled_together(statement, projections, names)
        arrays = {name: [parameters[name] for parameters in asked] for name in names}
        async with reading_connection(self._pool, ReadStoreUnavailable) as connection:
            cursor = await connection.execute(together.text, arrays, binary=True)
            rows = await cursor.fetchall()
        position = rows[0][0]
        answers = [Found([[]], position) for _ in asked]
        for _, place, is_row, *values in rows:
            if is_row:
                answers[place - 1].results[0].append(dict(zip(together.names, values, strict=True)))
        return answers

    async def _fetch_one(self, projections: tuple[str, ...], query: Query) -> Found:
        statement = compiled_at_position(query.statement, projections)
        async with reading_connection(self._pool, ReadStoreUnavailable) as connection:
            cursor = await connection.execute(
                statement.text,
                {**statement.constants, **query.parameters},
                prepare=None if query.one_plan else False,
                binary=True,
            )
            rows = await cursor.fetchall()
        position, is_row, *_ = rows[0]
        found = [dict(zip(statement.names, row[2:], strict=True)) for row in rows] if is_row else []
        return Found([found], position)

    async def _fetch_several(self, projections: tuple[str, ...], queries: Sequence[Query]) -> Found:
        async with (
            reading_connection(self._pool, ReadStoreUnavailable) as connection,
            connection.pipeline(),
        ):
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Before the snapshot is taken: a table that a rebuild swaps in later would look empty.
            await connection.execute(_LOCK.format(sql.SQL(", ").join(_table_names(queries))))
            positions = await connection.execute(_select_position(projections))
            cursors = []
            for query in queries:
                statement = compiled(query.statement)
                cursor = connection.cursor(row_factory=dict_row, binary=True)
                await cursor.execute(
                    statement.text,
                    {**statement.constants, **query.parameters},
                    prepare=None if query.one_plan else False,
                )
                cursors.append(cursor)
            await connection.execute("COMMIT")
            position = await positions.fetchone()
            results = [await cursor.fetchall() for cursor in cursors]
        return Found(results, 0 if position is None else int(position[0]))

    async def _positions(self, groups: Sequence[tuple[str, ...]]) -> Positions:
        columns = sql.SQL(", ").join(map(position_expression, groups))
        async with reading_connection(self._pool, ReadStoreUnavailable) as connection:
            cursor = await connection.execute(sql.SQL("SELECT {}").format(columns))
            row: tuple[Any, ...] | None = await cursor.fetchone()
        assert row is not None, "a SELECT without FROM has one row"
        return dict(zip(groups, row, strict=True))


def _select_position(projections: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("SELECT {}").format(position_expression(projections))


def _table_names(queries: Sequence[Query]) -> list[sql.Identifier]:
    """The tables that the queries read, in the order in which all lock them."""
    tables = {table for query in queries for table in tables_of(query.statement)}
    return [
        sql.Identifier(table.schema or "", table.name)
        for table in sorted(tables, key=lambda table: table.name)
    ]
