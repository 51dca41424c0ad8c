"""Our recorder for the eventsourcing library: head-row lock, appends in commit order, tails, notifications.

One recorder speaks over one connection. The committer owns one and groups commands into its transactions;
each projection runner owns one to read.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)

from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.answers import StoredCommand
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.literals import bytes_array, moment_array, plain_array, text_array
from infrastructure.eventstore.rows import (
    SELECT_COLUMNS,
    EventRow,
    row_from_columns,
    stream_of,
)
from infrastructure.eventstore.snapshots import SnapshotRow
from infrastructure.eventstore.subject_keys import SELECT_LIVE_KEYS, STORE_KEYS

SESSION = (
    "SET lock_timeout = '2s'",
    "SET idle_in_transaction_session_timeout = '1200ms'",
    "SET statement_timeout = '20s'",
)
"""A stopped process must not hold the ledger: what it holds is taken from it within two seconds."""

TRANSACTION_TIMEOUT = "SET transaction_timeout = '5s'"
"""Also where it stops halfway through sending, which is not idle to the server; from PostgreSQL 17 on."""

POLL_SECONDS = 0.004

TAIL_EVENTS = 100
"""What is read of a stream under the head lock; where there is more, it is loaded outside."""

_LOCK_HEAD = "SELECT last_position, last_recorded_at FROM ledger.lock_head()"

# One index range a stream: the lateral join keeps the planner from scanning where a stream is long.
_TAILS = f"""
SELECT {", ".join("e." + column for column in SELECT_COLUMNS.split(", "))}
FROM unnest(%s::text[], %s::text[], %s::integer[]) AS s(stream_type, stream_id, version)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.event
    WHERE event.stream_type = s.stream_type AND event.stream_id = s.stream_id AND event.version > s.version
    ORDER BY event.version LIMIT {TAIL_EVENTS}
) AS e
"""  # noqa: S608 - own names only

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

# The same over streams of which nothing is known yet, from behind their snapshots.
_HISTORIES = f"""
SELECT {", ".join("e." + column for column in SELECT_COLUMNS.split(", "))}
FROM unnest(%s::text[], %s::text[], %s::text[]) AS s(stream_type, stream_id, tag)
LEFT JOIN ledger.snapshot AS n USING (stream_type, stream_id, tag)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.event
    WHERE event.stream_type = s.stream_type AND event.stream_id = s.stream_id
        AND event.version > coalesce(n.version, 0)
    ORDER BY event.version
) AS e
"""  # noqa: S608 - own names only

_SNAPSHOTS = """
SELECT stream_type, stream_id, version, tag, state FROM ledger.snapshot
JOIN unnest(%s::text[], %s::text[], %s::text[]) AS s(stream_type, stream_id, tag)
USING (stream_type, stream_id, tag)
"""

# An expired key counts as free, also while its row is there.
SELECT_STORED_COMMANDS = """
SELECT key_hash, request_hash, answer, position FROM ledger.command
WHERE key_hash = ANY(%s::bytea[]) AND expires_at > %s::timestamptz
"""

_APPEND = """
SELECT ledger.append(%s::bigint, %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::integer[],
    %s::text[], %s::smallint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::text[], %s::bytea[], %s::bytea[], %s::smallint[])
"""

_STORE_COMMANDS = """
INSERT INTO ledger.command (key_hash, request_hash, answer, position, recorded_at, expires_at)
SELECT * FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[], %s::bigint[], %s::timestamptz[],
    %s::timestamptz[])
"""

_STORE_ANNOUNCEMENTS = """
INSERT INTO ledger.outbox (position, event_id, type)
SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::text[])
"""


class CommandRow(NamedTuple):
    """A row of `ledger.command`."""

    key_hash: bytes
    request_hash: bytes
    answer: bytes
    position: int
    recorded_at: datetime
    expires_at: datetime


class AnnouncementRow(NamedTuple):
    """A row of `ledger.outbox`."""

    position: int
    event_id: UUID
    fact_type: str


@dataclass(frozen=True)
class Locked:
    """What the head lock's holder learns: where the ledger stands and what is new in the streams named."""

    position: int
    recorded_at: datetime
    tails: list[EventRow]
    commands: dict[bytes, StoredCommand]
    subject_keys: list[tuple[Any, ...]]


class LedgerRecorder(ApplicationRecorder):
    """The ledger over one connection in autocommit mode; not for several threads at once."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    @classmethod
    def for_committing(cls, database_url: str) -> "LedgerRecorder":
        """A recorder with the time-outs that keep a stopped process from holding the ledger."""
        connection = psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS)
        for statement in SESSION:
            connection.execute(statement)
        if connection.info.server_version >= 170_000:
            connection.execute(TRANSACTION_TIMEOUT)
        return cls(connection)

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._connection.closed

    def close(self) -> None:
        """Closes the connection; an open transaction is undone by the server."""
        self._connection.close()

    def begin_and_lock(
        self,
        known_versions: Iterable[tuple[StreamId, int]],
        key_hashes: Sequence[bytes],
        subjects: Collection[str],
        at: datetime,
    ) -> Locked:
        """Begins a transaction, takes the head lock and reads what is new, in two round trips.

        Of the keys, those that have not expired at that time (UTC) are read.
        The last one is not pipelined: a pipeline ends with a message that disarms the server's idle time-out,
        and a process stopped now would hold the ledger for as long as it likes.
        """
        connection = self._connection
        with connection.pipeline():
            # Each statement must see what was committed before it: the tails, while the lock was waited for.
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            head_cursor = connection.execute(_LOCK_HEAD)
            commands_cursor = keys_cursor = None
            if key_hashes:
                commands_cursor = connection.execute(SELECT_STORED_COMMANDS, (bytes_array(key_hashes), at))
            if subjects:
                keys_cursor = connection.execute(SELECT_LIVE_KEYS, (text_array(subjects),))
        tails = self.select_tails(known_versions)
        head = head_cursor.fetchone()
        if head is None:
            raise psycopg.errors.ObjectNotInPrerequisiteState("the ledger has no head row")
        position, recorded_at = head
        commands = [stored_command(columns) for columns in commands_cursor or ()]
        return Locked(
            position=position,
            recorded_at=recorded_at,
            tails=tails,
            commands={stored.key_hash: stored for stored in commands},
            subject_keys=list(keys_cursor or ()),
        )

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Appends complete rows behind the head that `begin_and_lock` holds, and commits, in one round trip.

        `commands`, `announcements` and `subject_keys` (sequences of `CommandRow`, `AnnouncementRow` and
        `SubjectKeyRow`) go into the same transaction. Raises `ProgrammingError` for events that are not
        complete rows.
        """
        rows = [row for row in stored_events if isinstance(row, EventRow)]
        if len(rows) != len(stored_events):
            raise ProgrammingError("the ledger takes complete rows only; commands go through the committer")
        commands: Sequence[CommandRow] = kwargs.get("commands", ())
        others: tuple[tuple[str, Sequence[tuple[Any, ...]]], ...] = (
            (_STORE_ANNOUNCEMENTS, kwargs.get("announcements", ())),
            (STORE_KEYS, kwargs.get("subject_keys", ())),
        )
        connection = self._connection
        with connection.pipeline():
            if rows:
                connection.execute(_APPEND, _append_parameters(rows))
            if commands:
                connection.execute(_STORE_COMMANDS, _command_parameters(commands))
            for statement, new_rows in others:
                if new_rows:
                    columns = zip(*new_rows, strict=True)
                    connection.execute(statement.encode(), [list(column) for column in columns])
            connection.execute("COMMIT")
        return [row.id for row in rows]

    def rollback(self) -> None:
        """Gives the head lock back with nothing changed."""
        self._connection.execute("ROLLBACK")

    def transaction_at(self, position: int) -> UUID | None:
        """Which transaction wrote the event at a position, once no other transaction holds the head."""
        with self._connection.transaction():
            self._connection.execute(_LOCK_HEAD)
            row = self._connection.execute(
                "SELECT transaction_id FROM ledger.event WHERE position = %s", (position,)
            ).fetchone()
        return None if row is None else row[0]

    def select_tails(self, known_versions: Iterable[tuple[StreamId, int]]) -> list[EventRow]:
        """Up to `TAIL_EVENTS` events of each stream behind the version already known, in order."""
        cursor = self._connection.execute(_TAILS, _tail_parameters(known_versions), binary=True)
        return [row_from_columns(columns) for columns in cursor.fetchall()]

    def select_histories(
        self, streams: Iterable[tuple[StreamId, str]]
    ) -> tuple[list[SnapshotRow], list[EventRow]]:
        """Snapshots of streams under their tags, and all events behind them, in one round trip."""
        names = [(stream.type, stream.id, tag) for stream, tag in streams]
        parameters = [list(column) for column in zip(*names, strict=True)]
        with self._connection.pipeline():
            # A snapshot written between the two statements would leave a hole between their answers.
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            snapshots = self._connection.execute(_SNAPSHOTS, parameters, binary=True)
            tails = self._connection.execute(_HISTORIES, parameters, binary=True)
            self._connection.execute("COMMIT")
        return (
            [SnapshotRow(*row) for row in snapshots.fetchall()],
            [row_from_columns(columns) for columns in tails.fetchall()],
        )

    def read(self, reader: EventReader, rows: Sequence[EventRow]) -> list[RecordedEvent]:
        """Rows as recorded events, with the keys that reading them takes."""
        return reader.read(self._connection, rows)

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


def stored_command(columns: tuple[Any, ...]) -> StoredCommand:
    """Reads a row selected with `SELECT_STORED_COMMANDS`."""
    key_hash, request_hash, answer, position = columns
    return StoredCommand(bytes(key_hash), bytes(request_hash), bytes(answer), position)


def may_pass(error: Exception) -> bool:
    """Whether trying again may help: the server is away, or took a lock or transaction from us."""
    sqlstate = error.sqlstate or "" if isinstance(error, psycopg.Error) else ""
    if isinstance(error, psycopg.InternalError):
        return sqlstate.startswith("25")
    # Class 54 is a value too long for an index.
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and sqlstate[:2] != "54"


def _tail_parameters(known_versions: Iterable[tuple[StreamId, int]]) -> list[str]:
    known = list(known_versions)
    return [
        text_array([stream.type for stream, _ in known]),
        text_array([stream.id for stream, _ in known]),
        plain_array([version for _, version in known]),
    ]


def _append_parameters(events: Sequence[EventRow]) -> list[Any]:
    streams = [row.stream for row in events]
    return [
        events[0].id,
        moment_array([row.recorded_at for row in events]),
        text_array([row.tenant_id for row in events]),
        text_array([stream.type for stream in streams]),
        text_array([stream.id for stream in streams]),
        plain_array([row.originator_version for row in events]),
        text_array([row.topic for row in events]),
        plain_array([row.schema_version for row in events]),
        plain_array([row.transaction_id for row in events]),
        text_array([row.actor for row in events]),
        text_array([row.role for row in events]),
        text_array([row.on_behalf_of for row in events]),
        text_array([row.operation for row in events]),
        text_array([row.correlation_id for row in events]),
        text_array([row.causation_id for row in events]),
        bytes_array([row.state for row in events]),
        bytes_array([row.leaf_hash for row in events]),
        plain_array([row.hash_version for row in events]),
    ]


def _command_parameters(commands: Sequence[CommandRow]) -> list[str]:
    return [
        bytes_array([row.key_hash for row in commands]),
        bytes_array([row.request_hash for row in commands]),
        bytes_array([row.answer for row in commands]),
        plain_array([row.position for row in commands]),
        moment_array([row.recorded_at for row in commands]),
        moment_array([row.expires_at for row in commands]),
    ]
