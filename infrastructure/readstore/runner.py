"""Keeps one projection up to date: reads events in batches, folds them, writes rows and position together.

A projection has one owner in the whole system, by advisory lock; another runner stands by and takes over.
"""

import threading
from collections.abc import Sequence
from typing import Any

import psycopg
import structlog

from domain.kernel.recorded import RecordedEvent
from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.recorder import LedgerRecorder
from infrastructure.readstore.head import HeadWatch
from infrastructure.readstore.ownership import try_to_own
from infrastructure.readstore.rows import read_rows, write_rows
from infrastructure.readstore.tracking import hold_tracking, move_tracking
from infrastructure.telemetry import PROJECTION_LAG_EVENTS
from projections.projection import Projection, RowFold

log = structlog.get_logger(__name__)

BATCH_EVENTS = 1_000
STANDBY_SECONDS = 0.5
LOOK_ANYWAY_SECONDS = 0.5
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

_NEWS = """
SELECT head.position, coalesce(tracking.position, 0)
FROM ledger.event_head AS head
LEFT JOIN readmodel.tracking ON tracking.projection = %s AND tracking.version = %s
"""


class ProjectionRunner:
    """Runs one projection in a thread until it is stopped; survives lost connections.

    Runners of one process share a watch of the ledger's head.
    """

    def __init__(
        self, database_url: str, projection: Projection, reader: EventReader, head: HeadWatch | None = None
    ) -> None:
        self._database_url = database_url
        self._projection = projection
        self._reader = reader
        self._head = head or HeadWatch(database_url)
        self._pause_seconds = SHORTEST_PAUSE_SECONDS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"projection-{projection.name}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._head.join()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the batch under way."""
        self._stopping.set()
        self._thread.join(timeout=10)
        self._head.leave()

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
        # Rows and position are lost together, if at all, and are folded again.
        connection.execute("SET synchronous_commit = off")
        name = f"projection:{self._projection.name}"
        if self._projection.version > 1:
            name += f":{self._projection.version}"
        while not self._stopping.is_set():
            if try_to_own(connection, name):
                self._follow(connection)
                return
            self._stopping.wait(STANDBY_SECONDS)

    def _follow(self, connection: psycopg.Connection[Any]) -> None:
        while not self._stopping.is_set():
            before, reached = fold_next(connection, self._projection, self._reader)
            self._pause_seconds = SHORTEST_PAUSE_SECONDS
            if reached == before:
                self._head.wait_beyond(reached, LOOK_ANYWAY_SECONDS)


def catch_up_once(
    connection: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
    stop: int | None = None,
) -> int:
    """Folds the next batch, up to position `stop`; returns by how many positions the projection moved."""
    before, reached = fold_next(connection, projection, reader, stop=stop)
    return reached - before


def fold_next(
    connection: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
    *,
    suffix: str = "",
    stop: int | None = None,
    batch_events: int = BATCH_EVENTS,
) -> tuple[int, int]:
    """Folds the next batch, up to position `stop`; returns the positions before and after it.

    `suffix` names a second set of tables and a second tracking row, for rebuilding beside the live ones.
    """
    name = projection.name + suffix
    news = connection.execute(_NEWS, (name, projection.version)).fetchone()
    assert news is not None, "the ledger has a head"
    head, seen = news
    if stop is not None:
        head = min(head, stop)
    if head <= seen:
        return seen, seen
    with connection.transaction():
        before = hold_tracking(connection, projection, suffix).notification_id
        events = _events(connection, projection, reader, before, head, batch_events)
        reached = events[-1].position if len(events) == batch_events else max(head, before)
        for row_fold in projection.row_folds:
            _apply(connection, row_fold, events, suffix)
        move_tracking(connection, projection, reached, suffix)
    if not suffix:
        PROJECTION_LAG_EVENTS.labels(projection.name).set(head - reached)
    return before, reached


def _events(
    connection: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
    before: int,
    head: int,
    limit: int,
) -> list[RecordedEvent]:
    """The projection's next events behind a position."""
    rows = LedgerRecorder(connection).select_notifications(
        before, limit, stop=head, topics=sorted(projection.event_names), inclusive_of_start=False
    )
    return reader.read(connection, rows)


def _apply(
    connection: psycopg.Connection[Any], row_fold: RowFold, events: Sequence[RecordedEvent], suffix: str
) -> None:
    keyed = [(key, event) for event in events for key in row_fold.keys(event)]
    if not keyed:
        return
    before = read_rows(connection, row_fold.table, {key for key, _ in keyed}, suffix)
    rows = dict(before)
    for key, event in keyed:
        row = row_fold.fold(rows.get(key), event, key)
        if row is not None:
            rows[key] = row
        else:
            rows.pop(key, None)
    write_rows(connection, row_fold.table, before, rows, suffix)
