"""Reads and writes rows of a read model by the batch, in PostgreSQL's binary form: nothing is escaped."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pydantic_core import to_json
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB

from infrastructure.readstore.compiling import DIALECT
from projections.projection import Key, Row

COPIED_FROM = 50
"""From so many new rows on they are copied. Fewer are inserted, for a pipeline saves their round trips."""

Connection = psycopg.Connection[Any]


class Change(NamedTuple):
    """What becomes of some rows of a table: those of `before`, as they were read, become those of `after`."""

    table: Table
    before: Mapping[Key, Row]
    after: Mapping[Key, Row]

    @property
    def new(self) -> list[Row]:
        """The rows to be added."""
        return [row for key, row in self.after.items() if key not in self.before]

    @property
    def changed(self) -> list[Row]:
        """The rows that another one replaces."""
        return [row for key, row in self.after.items() if row is not self.before.get(key, row)]

    @property
    def gone(self) -> list[Key]:
        """The keys of the rows to be deleted."""
        return [key for key in self.before if key not in self.after]


class _Sql(NamedTuple):
    """The statements for one table, and the types of its columns."""

    read: bytes
    copy: bytes
    insert: bytes
    update: bytes
    delete: bytes
    types: list[str]
    json_columns: frozenset[str]


def table_identifier(table: Table, suffix: str = "") -> sql.Identifier:
    """A read model's table, or its namesake with a suffix."""
    return sql.Identifier(table.schema or "", table.name + suffix)


def key_columns(table: Table) -> list[str]:
    """The names of the primary key's columns, in their order."""
    return [column.name for column in table.primary_key.columns]


def read_rows(
    connection: Connection, wanted: Sequence[tuple[Table, Collection[Key]]], suffix: str = ""
) -> list[dict[Key, Row]]:
    """The rows that there are with these keys, for each of the tables; in one round trip."""
    asked = []
    with connection.pipeline():
        for table, keys in wanted:
            cursor = connection.cursor(row_factory=dict_row, binary=True)
            if keys:
                columns = [list(column) for column in zip(*keys, strict=True)]
                cursor.execute(_sql(table, suffix).read, columns)
            asked.append((key_columns(table), cursor if keys else ()))
    return [{tuple(row[name] for name in names): row for row in found} for names, found in asked]


def copy_rows(connection: Connection, changes: Iterable[Change], suffix: str = "") -> None:
    """Adds the new rows of the changes that have many. A pipeline cannot hold this."""
    for change in changes:
        new = change.new
        if len(new) >= COPIED_FROM:
            with connection.cursor() as cursor:
                _copy(cursor, change.table, _sql(change.table, suffix), new)


def write_rows(connection: Connection, changes: Iterable[Change], suffix: str = "") -> None:
    """Makes all the changes that `copy_rows` leaves: few new rows, changed ones, deleted ones."""
    for change in changes:
        statements = _sql(change.table, suffix)
        new, changed, gone = change.new, change.changed, change.gone
        with connection.cursor() as cursor:
            if gone:
                cursor.execute(statements.delete, [list(column) for column in zip(*gone, strict=True)])
            if changed:
                cursor.executemany(statements.update, [_parameters(row, statements) for row in changed])
            if 0 < len(new) < COPIED_FROM:
                cursor.executemany(statements.insert, [_parameters(row, statements) for row in new])


def _copy(cursor: psycopg.Cursor[Any], table: Table, statements: _Sql, rows: Iterable[Row]) -> None:
    names = [column.name for column in table.columns]
    json_places = [place for place, name in enumerate(names) if name in statements.json_columns]
    values_of = itemgetter(*names)
    with cursor.copy(statements.copy) as copy:
        copy.set_types(statements.types)
        for row in rows:
            values = list(values_of(row))
            for place in json_places:
                values[place] = _wrapped(values[place])
            copy.write_row(values)


def _parameters(row: Row, statements: _Sql) -> Row:
    return row | {name: _wrapped(row[name]) for name in statements.json_columns}


def _wrapped(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(value, dumps=to_json)


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
    read = sql.SQL("SELECT {} FROM {} AS t JOIN {} USING ({})").format(columns, name, wanted, key_names)
    copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(name, columns)
    insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        name, columns, sql.SQL(", ").join(map(sql.Placeholder, types))
    )
    update = sql.SQL("UPDATE {} SET {} WHERE {}").format(
        name,
        sql.SQL(", ").join(_assigned(column) for column in types if column not in keys),
        sql.SQL(" AND ").join(map(_assigned, keys)),
    )
    delete = sql.SQL("DELETE FROM {} AS t USING {} WHERE {}").format(name, wanted, matches)
    return _Sql(
        read=read.as_bytes(),
        copy=copy.as_bytes(),
        insert=insert.as_bytes(),
        update=update.as_bytes(),
        delete=delete.as_bytes(),
        types=list(types.values()),
        json_columns=frozenset(column.name for column in table.columns if isinstance(column.type, JSONB)),
    )


def _assigned(column: str) -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(column))
