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
from infrastructure.readstore.ownership import lock_of_projection, try_to_own
from infrastructure.readstore.rows import Change, copy_rows, read_rows, write_rows
from infrastructure.readstore.tracking import hold_tracking, move_tracking, start_tracking
from infrastructure.telemetry import PROJECTION_LAG_EVENTS
from projections.projection import Projection, RowFold

log = structlog.get_logger(__name__)

BATCH_EVENTS = 2_000
REGAINED_EVENTS = 50
STANDBY_SECONDS = 0.5
LOOK_ANYWAY_SECONDS = 0.5
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0

_NEWS = """
SELECT head.position, tracking.position
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
        self._batch_events = BATCH_EVENTS
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
        name = lock_of_projection(self._projection.name, self._projection.version)
        while not self._stopping.is_set():
            if try_to_own(connection, name):
                self._follow(connection)
                return
            self._stopping.wait(STANDBY_SECONDS)

    def _follow(self, connection: psycopg.Connection[Any]) -> None:
        head, seen = _news(connection, self._projection, "")
        while not self._stopping.is_set():
            if head > seen:
                seen = self._fold_next(connection, seen, head)
                PROJECTION_LAG_EVENTS.labels(self._projection.name).set(head - seen)
            else:
                # Asked now and then, so that neither a silent watch nor a lost connection stays unnoticed.
                head, seen = _news(connection, self._projection, "")
            self._pause_seconds = SHORTEST_PAUSE_SECONDS
            head = max(head, self._head.wait_beyond(seen, LOOK_ANYWAY_SECONDS))

    def _fold_next(self, connection: psycopg.Connection[Any], seen: int, head: int) -> int:
        """Folds a batch that is done within the lease, whatever its events cost; the position reached."""
        size = self._batch_events
        try:
            reached = fold_batch(connection, self._projection, self._reader, seen, head, batch_events=size)
        except psycopg.Error:
            # The server may have ended the session because the batch took too long: the same one would again.
            self._batch_events = max(size // 2, 1)
            raise
        self._batch_events = min(size + REGAINED_EVENTS, BATCH_EVENTS)
        return reached


def catch_up_once(
    connection: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
    *,
    suffix: str = "",
    stop: int | None = None,
    batch_events: int = BATCH_EVENTS,
) -> int:
    """Folds the next batch, up to position `stop`; returns by how many positions the projection moved."""
    head, seen = _news(connection, projection, suffix)
    if stop is not None:
        head = min(head, stop)
    if head <= seen:
        return 0
    reached = fold_batch(connection, projection, reader, seen, head, suffix=suffix, batch_events=batch_events)
    return reached - seen


def fold_batch(
    connection: psycopg.Connection[Any],
    projection: Projection,
    reader: EventReader,
    seen: int,
    head: int,
    *,
    suffix: str = "",
    batch_events: int = BATCH_EVENTS,
) -> int:
    """Folds the next batch behind `seen`, up to `head`; returns the position reached.

    Where somebody else has moved the projection, that position, and nothing is folded. `suffix` names a
    second set of tables and a second tracking row, for rebuilding beside the live ones.
    """
    topics = sorted(projection.event_names)
    try:
        with connection.pipeline():
            connection.execute("BEGIN")
            held = hold_tracking(connection, projection, suffix)
            rows = LedgerRecorder(connection).select_notifications(
                seen, batch_events, stop=head, topics=topics, inclusive_of_start=False
            )
        (position,) = held.fetchone() or (None,)
        if position != seen:
            connection.rollback()
            return seen if position is None else int(position)
        events = reader.read(connection, rows) if projection.opens else reader.unopened(rows)
        changes = _folded(connection, projection.row_folds, events, suffix)
        reached = events[-1].position if len(events) == batch_events else head
        copy_rows(connection, changes, suffix)
        with connection.pipeline():
            write_rows(connection, changes, suffix)
            move_tracking(connection, projection, reached, suffix)
        # Not in the pipeline: that ends with a message that disarms the server's idle time-out, and an owner
        # that is stopped while it waits for news would keep the projection.
        connection.execute("COMMIT")
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    return reached


def _news(connection: psycopg.Connection[Any], projection: Projection, suffix: str) -> tuple[int, int]:
    """Where the ledger's head is, and how far the projection has come."""
    row = connection.execute(_NEWS, (projection.name + suffix, projection.version)).fetchone()
    assert row is not None, "the ledger has a head"
    head, seen = row
    if seen is None:
        start_tracking(connection, projection, suffix)
    return head, seen or 0


def _folded(
    connection: psycopg.Connection[Any],
    row_folds: Sequence[RowFold],
    events: Sequence[RecordedEvent],
    suffix: str,
) -> list[Change]:
    """What the events make of the rows that they concern."""
    keyed = [[(key, event) for event in events for key in row_fold.keys(event)] for row_fold in row_folds]
    if not any(keyed):
        return []
    wanted = [
        (row_fold.table, {key for key, _ in pairs}) for row_fold, pairs in zip(row_folds, keyed, strict=True)
    ]
    changes = []
    known = read_rows(connection, wanted, suffix)
    for row_fold, pairs, before in zip(row_folds, keyed, known, strict=True):
        rows = dict(before)
        for key, event in pairs:
            row = row_fold.fold(rows.get(key), event, key)
            if row is not None:
                rows[key] = row
            else:
                rows.pop(key, None)
        changes.append(Change(row_fold.table, before, rows))
    return changes
