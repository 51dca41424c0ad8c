"""Turns the projections' statements into SQL text, once for each statement object."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from psycopg import sql
from sqlalchemy import Select, Table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.util import find_tables

from infrastructure.readstore.tracking import position_expression

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

_STATEMENTS = 1024
"""So many are remembered. Most are constants; those of searches come in many shapes."""

_AT_POSITION = sql.SQL(
    "SELECT {position} AS shown_position, found.*"
    " FROM (VALUES (1)) AS once LEFT JOIN (SELECT true AS is_row, q.* FROM ({query}) AS q) AS found ON true"
)

_AT_POSITION_TOGETHER = sql.SQL(
    "SELECT {position} AS shown_position, asked.place, found.*"
    " FROM unnest({values}) WITH ORDINALITY AS asked({names}, place)"
    # The offset keeps the planner from reading the whole table once for all of them.
    " LEFT JOIN LATERAL (SELECT true AS is_row, q.* FROM ({query}) AS q OFFSET 0) AS found ON true"
)


@dataclass(frozen=True)
class Compiled:
    """A statement as psycopg takes it: its text, the parameters that are constants of it, and its columns."""

    text: bytes
    constants: Mapping[str, Any]
    names: tuple[str, ...]


@lru_cache(_STATEMENTS)
def compiled(statement: Select[Any]) -> Compiled:
    """The statement alone."""
    result = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    constants = {name: value for name, value in result.params.items() if value is not None}
    names = tuple(column.name for column in statement.selected_columns)
    return Compiled(str(result).encode(), constants, names)


@lru_cache(_STATEMENTS)
def compiled_at_position(statement: Select[Any], projections: tuple[str, ...]) -> Compiled:
    """The statement with the projections' position before its columns, and whether there is a row.

    One statement sees one moment, so that it needs no transaction; and it locks its tables before it takes
    its snapshot, so that a table that a rebuild swaps in is seen whole. The one row that is joined to the
    statement's keeps them in their order, and answers for them where there are none.
    """
    alone = compiled(statement)
    text = _AT_POSITION.format(position=position_expression(projections), query=sql.SQL(alone.text.decode()))
    return replace(alone, text=text.as_bytes())


@lru_cache(_STATEMENTS)
def compiled_together(
    statement: Select[Any], projections: tuple[str, ...], parameters: tuple[str, ...]
) -> Compiled:
    """The same for several values of its parameters, given as arrays: each row tells the place of its values.

    All of them are answered as of one moment, each by a look-up of its own. The statement has no constants.
    """
    alone = compiled(statement)
    binds = statement.compile(dialect=DIALECT).binds
    types = {name: binds[name].type.compile(dialect=DIALECT) for name in parameters}
    columns = {name: sql.SQL("asked.{}").format(sql.Identifier(name)).as_string() for name in parameters}
    text = _AT_POSITION_TOGETHER.format(
        position=position_expression(projections),
        values=sql.SQL(", ").join(
            sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(of)) for name, of in types.items()
        ),
        names=sql.SQL(", ").join(map(sql.Identifier, parameters)),
        query=sql.SQL(alone.text.decode() % columns),
    )
    return replace(alone, text=text.as_bytes())


@lru_cache(_STATEMENTS)
def tables_of(statement: Select[Any]) -> tuple[Table, ...]:
    """The tables that the statement reads, subqueries included."""
    found = find_tables(statement, check_columns=True)
    return tuple(table for table in found if isinstance(table, Table))
