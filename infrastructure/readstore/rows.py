"""Reads and writes rows of a read model by the batch, in PostgreSQL's binary form: nothing is escaped."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

from infrastructure.readstore.compiling import DIALECT
from projections.projection import Key, Row


class _Sql(NamedTuple):
    """The statements for one table, and the types of its columns."""

    read: sql.Composed
    insert: sql.Composed
    update: sql.Composed
    delete: sql.Composed
    types: list[str]
    json_columns: frozenset[str]


def table_identifier(table: Table, suffix: str = "") -> sql.Identifier:
    """A read model's table, or its namesake with a suffix."""
    return sql.Identifier(table.schema or "", table.name + suffix)


def key_columns(table: Table) -> list[str]:
    """The names of the primary key's columns, in their order."""
    return [column.name for column in table.primary_key.columns]


def read_rows(
    connection: psycopg.Connection[Any], table: Table, keys: Collection[Key], suffix: str = ""
) -> dict[Key, Row]:
    """The rows that there are with these keys."""
    names = key_columns(table)
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        cursor.execute(_sql(table, suffix).read, [list(column) for column in zip(*keys, strict=True)])
        return {tuple(row[name] for name in names): row for row in cursor.fetchall()}


def write_rows(
    connection: psycopg.Connection[Any],
    table: Table,
    before: Mapping[Key, Row],
    after: Mapping[Key, Row],
    suffix: str = "",
) -> None:
    """Makes the rows of `before`, as they were read, those of `after`: adds, changes and deletes."""
    statements = _sql(table, suffix)
    new = [row for key, row in after.items() if key not in before]
    changed = [row for key, row in after.items() if key in before and row is not before[key]]
    gone = [key for key in before if key not in after]
    with connection.cursor() as cursor:
        if gone:
            cursor.execute(statements.delete, [list(column) for column in zip(*gone, strict=True)])
        if changed:
            cursor.executemany(statements.update, [_parameters(row, statements) for row in changed])
        if new:
            _copy(cursor, table, statements, new)


def _copy(cursor: psycopg.Cursor[Any], table: Table, statements: _Sql, rows: Iterable[Row]) -> None:
    names = [column.name for column in table.columns]
    json_places = [place for place, name in enumerate(names) if name in statements.json_columns]
    values_of = itemgetter(*names)
    with cursor.copy(statements.insert) as copy:
        copy.set_types(statements.types)
        for row in rows:
            values = list(values_of(row))
            for place in json_places:
                values[place] = _wrapped(values[place])
            copy.write_row(values)


def _parameters(row: Row, statements: _Sql) -> Row:
    return row | {name: _wrapped(row[name]) for name in statements.json_columns}


def _wrapped(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value)


@cache
def _sql(table: Table, suffix: str) -> _Sql:
    types = {column.name: column.type.compile(dialect=DIALECT).lower() for column in table.columns}
    columns = sql.SQL(", ").join(map(sql.Identifier, types))
    name = table_identifier(table, suffix)
    keys = key_columns(table)
    key_names = sql.SQL(", ").join(map(sql.Identifier, keys))
    # An array for each column of the key, their elements side by side.
    wanted = sql.SQL("unnest({}) AS k({})").format(
        sql.SQL(", ").join(sql.SQL("%b::{}[]").format(sql.SQL(types[key])) for key in keys), key_names
    )
    matches = sql.SQL(" AND ").join(sql.SQL("t.{0} = k.{0}").format(sql.Identifier(key)) for key in keys)
    return _Sql(
        read=sql.SQL("SELECT {} FROM {} AS t JOIN {} USING ({})").format(columns, name, wanted, key_names),
        insert=sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(name, columns),
        update=sql.SQL("UPDATE {} SET {} WHERE {}").format(
            name,
            sql.SQL(", ").join(_assigned(column) for column in types if column not in keys),
            sql.SQL(" AND ").join(map(_assigned, keys)),
        ),
        delete=sql.SQL("DELETE FROM {} AS t USING {} WHERE {}").format(name, wanted, matches),
        types=list(types.values()),
        json_columns=frozenset(column.name for column in table.columns if isinstance(column.type, JSONB)),
    )


def _assigned(column: str) -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column))
