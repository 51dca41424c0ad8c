"""Writes snapshots of streams that have grown long, in the worker, so that nobody ever folds a whole history.

A partial index tells which streams have passed another 256 events; a snapshot is folded on from the one
before, in steps, so that it never holds a long history in memory either.
"""

import threading
from typing import Any

import psycopg
import structlog

from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.recorder import LedgerRecorder
from infrastructure.eventstore.rows import originator_id
from infrastructure.eventstore.snapshots import SnapshotMapper, SnapshotRow
from infrastructure.readstore.ownership import try_to_own

log = structlog.get_logger(__name__)

STEP_EVENTS = 2_000
PAUSE_SECONDS = 0.5
AGAIN_SECONDS = 2.0

_DUE = """
SELECT due.stream_type, due.stream_id, due.version, n.version AS kept, n.state
FROM (
    SELECT stream_type, stream_id, max(version) AS version FROM ledger.event
    WHERE version %% 256 = 0 AND position > %(after)s AND position <= %(head)s
    GROUP BY stream_type, stream_id
) AS due
JOIN unnest(%(types)s::text[], %(tags)s::text[]) AS t(stream_type, tag) USING (stream_type)
LEFT JOIN ledger.snapshot AS n
    ON n.stream_type = due.stream_type AND n.stream_id = due.stream_id AND n.tag = t.tag
WHERE n.version IS NULL OR n.version < due.version
"""

_KEEP = """
INSERT INTO ledger.snapshot (stream_type, stream_id, version, tag, state) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (stream_type, stream_id) DO UPDATE
    SET version = excluded.version, tag = excluded.tag, state = excluded.state
    WHERE snapshot.version < excluded.version OR snapshot.tag <> excluded.tag
"""


class Snapshotter:
    """Keeps snapshots up to date in a thread until it is stopped; one in the whole system is at it."""

    def __init__(self, database_url: str, registry: Registry, reader: EventReader) -> None:
        self._database_url = database_url
        self._registry = registry
        self._reader = reader
        self._mapper = SnapshotMapper(registry)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshotter", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the step under way."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def keep(self, connection: psycopg.Connection[tuple[Any, ...]], after: int = 0) -> int:
        """Brings the snapshots of all streams up to date that grew behind a position; returns the head."""
        head = LedgerRecorder(connection).max_notification_id() or 0
        wanted = {
            "after": after,
            "head": head,
            "types": list(self._mapper.tags),
            "tags": list(self._mapper.tags.values()),
        }
        for stream_type, stream_id, version, kept, state in connection.execute(_DUE, wanted).fetchall():
            stream = StreamId(stream_type, stream_id)
            known = None
            if kept is not None:
                row = SnapshotRow(stream_type, stream_id, kept, self._mapper.tag(stream_type), bytes(state))
                known = self._mapper.decode(row)
            self._fold_on(connection, stream, kept or 0, known, version)
        return head

    def _fold_on(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        stream: StreamId,
        version: int,
        state: Any,
        last_version: int,
    ) -> None:
        recorder = LedgerRecorder(connection)
        while version < last_version and not self._stopping.is_set():
            rows = recorder.select_events(
                originator_id(stream), gt=version, lte=min(version + STEP_EVENTS, last_version)
            )
            facts = [event.fact for event in self._reader.read(connection, rows)]
            state = self._registry.fold(stream, facts, state)
            version += len(facts)
            connection.execute(_KEEP, self._mapper.encode(stream, version, state))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._database_url, autocommit=True, **CONNECTION_OPTIONS) as connection:
                    self._own(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("snapshots-interrupted", error=type(error).__name__)
            except Exception:
                # Loading streams takes longer and longer, but nothing is wrong: say so and go on.
                log.exception("snapshots-failed")
            self._stopping.wait(AGAIN_SECONDS)

    def _own(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        position = 0
        while not self._stopping.is_set():
            if try_to_own(connection, "snapshots"):
                while not self._stopping.is_set():
                    position = self.keep(connection, position)
                    self._stopping.wait(PAUSE_SECONDS)
                return
            self._stopping.wait(PAUSE_SECONDS)
