"""What a read model is: tables, the events it folds, and for each table a key and a fold of one row.

A fold is pure: `fold(row, event) -> row`, with {} or None for a row that is not there. The runner reads rows,
folds a batch in memory, writes what changed and the tracking position in one transaction. The same fold
over a stream's history gives the row as of any moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import MetaData, Table

from domain.kernel.recorded import RecordedEvent

Row = dict[str, Any]
"""A row by column name; times are aware datetimes, JSON columns are JSON-ready values."""

Key = tuple[Any, ...]
"""The values of a row's primary key columns, in their order."""

METADATA = MetaData(schema="readmodel")


@dataclass(frozen=True)
class RowFold:
    """How events become rows of one table.

    `key` gives None for an event that does not concern it; `fold` gives None where there is no row to keep.
    """

    table: Table
    key: Callable[[RecordedEvent], Key | None]
    fold: Callable[[Row | None, RecordedEvent], Row | None]


@dataclass(frozen=True)
class Projection:
    """A read model with one owner and one tracking position. Its tables' names carry its version."""

    name: str
    event_names: frozenset[str]
    row_folds: tuple[RowFold, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the projection owns."""
        return tuple(row_fold.table for row_fold in self.row_folds)


FoldByName = Mapping[str, Callable[[Row, RecordedEvent], Row | None]]


def fold_by_name(folds: FoldByName) -> Callable[[Row | None, RecordedEvent], Row | None]:
    """A row fold that dispatches on the event's name; every name folded must be in the table."""

    def fold(row: Row | None, event: RecordedEvent) -> Row | None:
        return folds[event.name](dict(row) if row is not None else {}, event)

    return fold
