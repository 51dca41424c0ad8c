"""What a batch is decided on, read from the ledger under the head lock, or ahead of it in one snapshot."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from domain.kernel.streams import StreamId
from infrastructure.eventstore.answers import StoredCommand
from infrastructure.eventstore.literals import bytes_array, plain_array, text_array
from infrastructure.eventstore.rows import SELECT_COLUMNS, EventRow, row_from_columns
from infrastructure.eventstore.snapshots import SnapshotRow
from infrastructure.eventstore.subject_keys import SELECT_LIVE_KEYS

TAIL_EVENTS = 100
"""What is read of a stream for deciding; where there is more, it is loaded outside."""

_HEAD = "SELECT position, revision, recorded_at FROM ledger.event_head"
_LOCK_HEAD = "SELECT last_position, last_revision, last_recorded_at FROM ledger.lock_head()"

# One index range a stream: the lateral join keeps the planner from scanning where a stream is long.
TAILS = f"""
SELECT {", ".join("e." + column for column in SELECT_COLUMNS.split(", "))}
FROM unnest(%s::text[], %s::text[], %s::integer[]) AS s(stream_type, stream_id, version)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.event
    WHERE event.stream_type = s.stream_type AND event.stream_id = s.stream_id AND event.version > s.version
    ORDER BY event.version LIMIT {TAIL_EVENTS}
) AS e
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


@dataclass(frozen=True)
class Wanted:
    """What a batch takes: streams from behind the versions known, stored answers as of a time (UTC), keys."""

    versions: Sequence[tuple[StreamId, int]]
    key_hashes: Sequence[bytes]
    subjects: Collection[str]
    at: datetime


@dataclass(frozen=True)
class Basis:
    """Where the ledger stands, and what is new of the streams, answers and keys that were wanted."""

    position: int
    revision: int
    recorded_at: datetime
    tails: list[EventRow]
    commands: dict[bytes, StoredCommand]
    subject_keys: list[tuple[Any, ...]]


def lock_and_read(connection: psycopg.Connection[Any], wanted: Wanted) -> Basis:
    """Begins a transaction, takes the head lock and reads what is new, in two round trips.

    The last one is not pipelined: a pipeline ends with a message that disarms the server's idle time-out, and
    a process stopped now would hold the ledger for as long as it likes.
    """
    with connection.pipeline():
        # Each statement must see what was committed before it: the tails, while the lock was waited for.
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        head = connection.execute(_LOCK_HEAD)
        commands, keys = _send_wanted(connection, wanted)
    tails = _send_tails(connection, wanted)
    return _basis(head, commands, keys, tails)


def read(connection: psycopg.Connection[Any], wanted: Wanted) -> Basis:
    """The same as of one moment, without any lock, in one round trip of a `connect_to_read` connection."""
    with connection.pipeline():
        head = connection.execute(_HEAD)
        commands, keys = _send_wanted(connection, wanted)
        tails = _send_tails(connection, wanted)
    return _basis(head, commands, keys, tails)


def read_histories(
    connection: psycopg.Connection[Any], streams: Iterable[tuple[StreamId, str]]
) -> tuple[list[SnapshotRow], list[EventRow]]:
    """Snapshots of streams under their tags and all events behind them, as of one moment."""
    names = [(stream.type, stream.id, tag) for stream, tag in streams]
    parameters = [list(column) for column in zip(*names, strict=True)]
    with connection.pipeline():
        # A snapshot written between the two statements would leave a hole between their answers.
        snapshots = connection.execute(_SNAPSHOTS, parameters, binary=True)
        tails = connection.execute(_HISTORIES, parameters, binary=True)
    return (
        [SnapshotRow(*row) for row in snapshots.fetchall()],
        [row_from_columns(columns) for columns in tails.fetchall()],
    )


def transaction_at(connection: psycopg.Connection[Any], position: int) -> UUID | None:
    """Which transaction wrote the event at a position, once no other transaction holds the head."""
    with connection.transaction():
        connection.execute(_LOCK_HEAD)
        statement = "SELECT transaction_id FROM ledger.event WHERE position = %s"
        row = connection.execute(statement, (position,)).fetchone()
    return None if row is None else row[0]


def stored_command(columns: tuple[Any, ...]) -> StoredCommand:
    """Reads a row selected with `SELECT_STORED_COMMANDS`."""
    key_hash, request_hash, answer, position = columns
    return StoredCommand(bytes(key_hash), bytes(request_hash), bytes(answer), position)


_Cursor = psycopg.Cursor[tuple[Any, ...]]


def _send_wanted(
    connection: psycopg.Connection[Any], wanted: Wanted
) -> tuple[_Cursor | None, _Cursor | None]:
    commands = keys = None
    if wanted.key_hashes:
        parameters = (bytes_array(wanted.key_hashes), wanted.at)
        commands = connection.execute(SELECT_STORED_COMMANDS, parameters, binary=True)
    if wanted.subjects:
        keys = connection.execute(SELECT_LIVE_KEYS, (text_array(wanted.subjects),))
    return commands, keys


def _send_tails(connection: psycopg.Connection[Any], wanted: Wanted) -> _Cursor:
    parameters = [
        text_array([stream.type for stream, _ in wanted.versions]),
        text_array([stream.id for stream, _ in wanted.versions]),
        plain_array([version for _, version in wanted.versions]),
    ]
    return connection.execute(TAILS, parameters, binary=True)


def _basis(head: _Cursor, commands: _Cursor | None, keys: _Cursor | None, tails: _Cursor) -> Basis:
    row = head.fetchone()
    if row is None:
        raise psycopg.errors.ObjectNotInPrerequisiteState("the ledger has no head row")
    position, revision, recorded_at = row
    stored = [stored_command(columns) for columns in commands or ()]
    return Basis(
        position=position,
        revision=revision,
        recorded_at=recorded_at,
        tails=[row_from_columns(columns) for columns in tails],
        commands={command.key_hash: command for command in stored},
        subject_keys=list(keys or ()),
    )
