"""Folds the whole ledger anew, stream after stream, with one state in memory at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from domain.kernel.recorded import RecordedEvent
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.rows import SELECT_COLUMNS, EventRow, row_from_columns

BATCH_EVENTS = 1_000

_BY_STREAM = f"""
SELECT {SELECT_COLUMNS} FROM ledger.event WHERE position <= %s ORDER BY stream_type, stream_id, version
"""  # noqa: S608 - own names only


@dataclass
class LedgerReplay:
    """How many events and streams were folded, and what could not be read or does not fold."""

    events: int = 0
    streams: int = 0
    problems: list[str] = field(default_factory=list)


def replay_ledger(
    connection: psycopg.Connection[tuple[Any, ...]], registry: Registry, reader: EventReader, head: int
) -> LedgerReplay:
    """Folds every stream up to a position. `connection` is in autocommit mode."""
    replay = LedgerReplay()
    current: StreamId | None = None
    state: Any = None
    for row, event in _read(connection, reader, head):
        replay.events += 1
        if row.stream != current:
            replay.streams += 1
            current, state = row.stream, None
        if isinstance(event, RecordedEvent):
            try:
                state = registry.evolve(row.stream, state, event.fact)
                continue
            except Exception as error:  # Whatever an altered event breaks is a finding.
                event = error
        replay.problems.append(f"position {row.id}: {type(event).__name__}")
    return replay


def _read(
    connection: psycopg.Connection[tuple[Any, ...]], reader: EventReader, head: int
) -> Iterator[tuple[EventRow, RecordedEvent | Exception]]:
    with connection.transaction(), connection.cursor(name="replay") as cursor:
        cursor.execute(_BY_STREAM, (head,))
        while columns := cursor.fetchmany(BATCH_EVENTS):
            rows = [row_from_columns(each) for each in columns]
            yield from zip(rows, _events(connection, reader, rows), strict=True)


def _events(
    connection: psycopg.Connection[tuple[Any, ...]], reader: EventReader, rows: Sequence[EventRow]
) -> list[RecordedEvent | Exception]:
    """The rows read together; where one of them cannot be, each alone."""
    try:
        return list(reader.read(connection, rows))
    except psycopg.OperationalError:
        raise
    except Exception as error:
        if len(rows) == 1:
            return [error]
        return [event for row in rows for event in _events(connection, reader, [row])]
