"""What a read model is: tables, the events it folds, and for each table keys and a fold of one row.

A fold is pure. The runner reads rows, folds a batch in memory, writes what changed and the tracking position
in one transaction. The same fold over a stream's history gives the row as of any moment.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Select, Table

from domain.kernel.recorded import RecordedEvent

Row = dict[str, Any]
"""A row by column name; times are aware datetimes, JSON columns are JSON-ready values."""

Key = tuple[Any, ...]
"""The values of a row's primary key columns, in their order."""

Fold = Callable[[Row | None, RecordedEvent], Row | None]
"""The row after an event, from the one before; None where there is no row, or no longer one."""

METADATA = MetaData(schema="readmodel")


@dataclass(frozen=True)
class RowFold:
    """How events become rows of one table.

    `keys` gives the rows that an event concerns, `fold` what becomes of each: None deletes it. A fold must
    not change the row that it is given.
    """

    table: Table
    keys: Callable[[RecordedEvent], Iterable[Key]]
    fold: Callable[[Row | None, RecordedEvent, Key], Row | None]


def one_row(table: Table, key: Callable[[RecordedEvent], Key | None], fold: Fold) -> RowFold:
    """A row fold for a table of which an event concerns one row, or none where `key` gives None."""

    def keys(event: RecordedEvent) -> Iterable[Key]:
        only = key(event)
        return () if only is None else (only,)

    return RowFold(table, keys, lambda row, event, _: fold(row, event))


@dataclass(frozen=True)
class Projection:
    """A read model with one owner and one tracking position for each version of it.

    Its tables' names end with `_v` and the version, so that workers of two versions can run side by side.
    `opens` says whether it asks events for their facts. Where it does not, it is given them as they are
    stored, with nothing opened and no key fetched, and asking for `fact` raises `LookupError`.
    """

    name: str
    event_names: frozenset[str]
    row_folds: tuple[RowFold, ...]
    version: int = 1
    opens: bool = True

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the projection owns."""
        return tuple(row_fold.table for row_fold in self.row_folds)


@dataclass(frozen=True)
class Query:
    """A statement with the values of its parameters; one statement object serves all calls of its kind.

    `one_plan` says that one plan suits whatever values. A search is planned anew for the values it has.
    `together` says that it looks few rows up by their key, in no order, so that many such may be asked in one
    statement.
    """

    statement: Select[Any]
    parameters: Mapping[str, Any]
    one_plan: bool = True
    together: bool = False


FoldByName = Mapping[str, Callable[[Row, RecordedEvent], Row | None]]


def fold_by_name(folds: FoldByName) -> Fold:
    """A fold that dispatches on the event's name; every name folded must be in the table.

    The folds of single events are given {} for a row that is not there.
    """

    def fold(row: Row | None, event: RecordedEvent) -> Row | None:
        return folds[event.name](row if row is not None else {}, event)

    return fold
