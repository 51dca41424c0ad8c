"""Our recorder for the eventsourcing library: appends in commit order, streams, notifications.

One recorder speaks over one connection; each projection runner owns one to read.
"""

import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)

from infrastructure.eventstore.appending import APPENDING, Append, send_append
from infrastructure.eventstore.rows import (
    SELECT_COLUMNS,
    EventRow,
    row_from_columns,
    stream_of,
)
from infrastructure.eventstore.wire import Wire

POLL_SECONDS = 0.004

_SELECT_STREAM = f"""
SELECT {SELECT_COLUMNS} FROM ledger.event
WHERE stream_type = %s AND stream_id = %s AND version > %s AND version <= %s ORDER BY version LIMIT %s
"""  # noqa: S608 - own names only
_SELECT_STREAM_DESCENDING = _SELECT_STREAM.replace("ORDER BY version", "ORDER BY version DESC")

_SELECT_POSITIONS = f"""
SELECT {SELECT_COLUMNS} FROM ledger.event
WHERE position >= %s AND position <= %s AND (%s::text[] = '{{}}' OR name = ANY(%s))
ORDER BY position LIMIT %s
"""  # noqa: S608 - own names only


class LedgerRecorder(ApplicationRecorder):
    """The ledger over one connection in autocommit mode; not for several threads at once."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Appends complete rows right behind the head, which is at `kwargs["revision"]`.

        Where a transaction is open, it commits it. Raises `ProgrammingError` for events that are not complete
        rows, and what `send_append` says.
        """
        rows = [row for row in stored_events if isinstance(row, EventRow)]
        if len(rows) != len(stored_events):
            raise ProgrammingError("the ledger takes complete rows only; commands go through the committer")
        if rows:
            send_append(self._wire, Append(kwargs["revision"], rows[0].id - 1, rows))
            self._wire.receive()
        return [row.id for row in rows]

    @cached_property
    def _wire(self) -> Wire:
        return Wire(self._connection, APPENDING)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[EventRow]:
        """A stream's events, as the library asks for them."""
        stream = stream_of(str(originator_id))
        cursor = self._connection.execute(
            _SELECT_STREAM_DESCENDING if desc else _SELECT_STREAM,
            (stream.type, stream.id, gt or 0, 2**31 - 1 if lte is None else lte, limit),
            binary=True,
        )
        return [row_from_columns(columns) for columns in cursor.fetchall()]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[EventRow]:
        """Events in position order; `topics` are event names, none of them means all."""
        first = (start or 0) + (0 if inclusive_of_start else 1)
        cursor = self._connection.execute(
            _SELECT_POSITIONS,
            (first, 2**63 - 1 if stop is None else stop, list(topics), list(topics), limit),
            binary=True,
        )
        return [row_from_columns(columns) for columns in cursor.fetchall()]

    def max_notification_id(self) -> int | None:
        """The last committed position; None in an empty ledger."""
        row = self._connection.execute("SELECT position FROM ledger.event_head").fetchone()
        return row[0] or None if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> "Subscription[ApplicationRecorder]":
        """Events behind a position as they come, by polling the head."""
        return PollingSubscription(self, gt, topics)


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Yields events in position order for ever, looking for new ones every few milliseconds."""

    def __next__(self) -> Notification:
        """The next event; waits for it."""
        while not self._has_been_stopped:
            found = self._recorder.select_notifications(
                self._last_notification_id, 1, topics=self._topics, inclusive_of_start=False
            )
            if found:
                self._last_notification_id = found[0].id
                return found[0]
            time.sleep(POLL_SECONDS)
        raise StopIteration
