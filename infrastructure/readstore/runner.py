"""Keeps one projection up to date: reads events in batches, folds them, writes rows and position together.

A projection has one owner in the whole system, by advisory lock; another runner stands by and takes over.
The head is polled every few milliseconds, for a NOTIFY inside the append would serialise all commits.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import psycopg
import structlog
from eventsourcing.persistence import Tracking
from psycopg import sql

from domain.kernel.recorded import RecordedEvent
from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.reading import recorded
from infrastructure.eventstore.recorder import POLL_SECONDS, LedgerRecorder
from infrastructure.readstore.ownership import try_to_own
from infrastructure.telemetry import PROJECTION_LAG_EVENTS
from projections.projection import Key, Projection, Row, RowFold

log = structlog.get_logger(__name__)

BATCH_EVENTS = 500
STANDBY_SECONDS = 0.5
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

_NEWS = """
SELECT head.position, coalesce(tracking.position, 0)
FROM ledger.event_head AS head LEFT JOIN readmodel.tracking ON tracking.projection = %s
"""


class ProjectionRunner:
    """Runs one projection in a thread until it is stopped; survives lost connections."""

    def __init__(self, database_url: str, projection: Projection, mapper: LedgerMapper) -> None:
        self._database_url = database_url
        self._projection = projection
        self._mapper = mapper
        self._pause_seconds = SHORTEST_PAUSE_SECONDS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"projection-{projection.name}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the batch under way."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._database_url, autocommit=True, **CONNECTION_OPTIONS) as connection:
                    self._own(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning(
                    "projection-connection-lost", projection=self._projection.name, error=type(error).__name__
                )
            except Exception:
                # The read model stands still and says so (lag, readiness) until the defect is mended.
                log.exception("projection-failed", projection=self._projection.name)
            self._stopping.wait(self._pause_seconds)
            self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _own(self, connection: psycopg.Connection[Any]) -> None:
        while not self._stopping.is_set():
            if try_to_own(connection, f"projection:{self._projection.name}"):
                while not self._stopping.is_set():
                    moved = catch_up_once(connection, self._projection, self._mapper)
                    self._pause_seconds = SHORTEST_PAUSE_SECONDS
                    if moved == 0:
                        self._stopping.wait(POLL_SECONDS)
                return
            self._stopping.wait(STANDBY_SECONDS)


def tracking_of(connection: psycopg.Connection[Any], name: str) -> Tracking:
    """How far a projection has come; position 0 at the beginning."""
    row = connection.execute(
        "SELECT position FROM readmodel.tracking WHERE projection = %s", (name,)
    ).fetchone()
    return Tracking(name, 0 if row is None else row[0])


def hold_tracking(connection: psycopg.Connection[Any], name: str) -> Tracking:
    """The same, held until the end of the transaction: nobody else folds the projection meanwhile."""
    connection.execute("INSERT INTO readmodel.tracking VALUES (%s, 0) ON CONFLICT DO NOTHING", (name,))
    connection.execute("SELECT FROM readmodel.tracking WHERE projection = %s FOR UPDATE", (name,))
    return tracking_of(connection, name)


def move_tracking(connection: psycopg.Connection[Any], name: str, position: int) -> None:
    """Says, in the transaction that holds it, how far a projection has come."""
    connection.execute("UPDATE readmodel.tracking SET position = %s WHERE projection = %s", (position, name))


def catch_up_once(
    connection: psycopg.Connection[Any],
    projection: Projection,
    mapper: LedgerMapper,
    suffix: str = "",
    stop: int | None = None,
) -> int:
    """Folds the next batch, up to position `stop`; returns by how many positions the projection moved.

    `suffix` names a second set of tables and a second tracking row, for rebuilding beside the live ones.
    """
    name = projection.name + suffix
    news = connection.execute(_NEWS, (name,)).fetchone()
    assert news is not None, "the ledger has a head"
    head, seen = news
    if stop is not None:
        head = min(head, stop)
    if head <= seen:
        return 0
    with connection.transaction():
        before = hold_tracking(connection, name).notification_id
        rows = LedgerRecorder(connection).select_notifications(
            before,
            BATCH_EVENTS,
            stop=head,
            topics=sorted(projection.event_names),
            inclusive_of_start=False,
        )
        events = [recorded(mapper, row) for row in rows]
        reached = events[-1].position if len(events) == BATCH_EVENTS else max(head, before)
        for row_fold in projection.row_folds:
            _apply(connection, row_fold, events, suffix)
        move_tracking(connection, name, reached)
    if not suffix:
        PROJECTION_LAG_EVENTS.labels(projection.name).set(head - reached)
    return reached - before


def _apply(
    connection: psycopg.Connection[Any], row_fold: RowFold, events: Sequence[RecordedEvent], suffix: str
) -> None:
    keyed = [(key, event) for event in events if (key := row_fold.key(event)) is not None]
    if not keyed:
        return
    rows = _read_rows(connection, row_fold, {key for key, _ in keyed}, suffix)
    changed: dict[Key, Row] = {}
    for key, event in keyed:
        row = row_fold.fold(rows.get(key), event)
        if row is not None:
            rows[key] = changed[key] = row
    if changed:
        _write_rows(connection, row_fold, changed.values(), suffix)


def table_identifier(row_fold: RowFold, suffix: str = "") -> sql.Identifier:
    """The table of a row fold, or its namesake with a suffix."""
    return sql.Identifier("readmodel", row_fold.table.name + suffix)


def _primary_key(row_fold: RowFold) -> list[str]:
    return [column.name for column in row_fold.table.primary_key.columns]


def _read_rows(
    connection: psycopg.Connection[Any], row_fold: RowFold, keys: Iterable[Key], suffix: str
) -> dict[Key, Row]:
    names = _primary_key(row_fold)
    table = table_identifier(row_fold, suffix)
    statement = sql.SQL(
        "SELECT t.* FROM {table} AS t"
        " JOIN jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS k USING ({names})"
    ).format(table=table, names=sql.SQL(", ").join(map(sql.Identifier, names)))
    wanted = json.dumps([dict(zip(names, key, strict=True)) for key in keys])
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        found = cursor.execute(statement, (wanted,)).fetchall()
    return {tuple(row[name] for name in names): row for row in found}


def _write_rows(
    connection: psycopg.Connection[Any], row_fold: RowFold, rows: Iterable[Row], suffix: str
) -> None:
    names = _primary_key(row_fold)
    others = [column.name for column in row_fold.table.columns if column.name not in names]
    statement = sql.SQL(
        "INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
        " ON CONFLICT ({names}) DO UPDATE SET {updates}"
    ).format(
        table=table_identifier(row_fold, suffix),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        updates=sql.SQL(", ").join(
            sql.SQL("{name} = excluded.{name}").format(name=sql.Identifier(name)) for name in others
        ),
    )
    connection.execute(statement, (json.dumps(list(rows), default=_json_ready),))


def _json_ready(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not a column value")
