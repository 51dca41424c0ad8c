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
from infrastructure.eventstore.rows import COLUMNS, EventRow, row_from_columns
from infrastructure.eventstore.snapshots import SnapshotRow
from infrastructure.eventstore.subject_keys import LIVE_KEYS
from infrastructure.eventstore.wire import Request, Wire

TAIL_EVENTS = 100
"""What is read of a stream for deciding; where there is more, it is loaded outside."""

_COLUMNS_OF_EVENT = ", ".join("e." + column for column in COLUMNS)

# One index range a stream: the lateral join keeps the planner from scanning where a stream is long.
TAILS = f"""
SELECT {_COLUMNS_OF_EVENT}
FROM unnest($1::text[], $2::text[], $3::integer[]) AS s(stream_type, stream_id, version)
CROSS JOIN LATERAL (
    SELECT * FROM ledger.event
    WHERE event.stream_type = s.stream_type AND event.stream_id = s.stream_id AND event.version > s.version
    ORDER BY event.version LIMIT {TAIL_EVENTS}
) AS e
"""  # noqa: S608 - own names only

# The same over streams of which nothing is known yet, from behind their snapshots.
_HISTORIES = f"""
SELECT {_COLUMNS_OF_EVENT}
FROM unnest($1::text[], $2::text[], $3::text[]) AS s(stream_type, stream_id, tag)
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
JOIN unnest($1::text[], $2::text[], $3::text[]) AS s(stream_type, stream_id, tag)
USING (stream_type, stream_id, tag)
"""

# An expired key counts as free, also while its row is there.
STORED_COMMANDS = """
SELECT key_hash, request_hash, answer, position FROM ledger.command
WHERE key_hash = ANY($1::bytea[]) AND expires_at > $2::timestamptz
"""

READING = {
    "head": "SELECT position, revision, recorded_at FROM ledger.event_head",
    "lock_head": "SELECT last_position, last_revision, last_recorded_at FROM ledger.lock_head()",
    "stored_commands": STORED_COMMANDS,
    "live_keys": LIVE_KEYS,
    "tails": TAILS,
    "snapshots": _SNAPSHOTS,
    "histories": _HISTORIES,
    "transaction_at": "SELECT transaction_id FROM ledger.event WHERE position = $1::bigint",
}
"""What the functions below need prepared on a `Wire`."""


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


def lock_and_read(wire: Wire, wanted: Wanted) -> Basis:
    """Begins a transaction, takes the head lock and reads what is new."""
    # Each statement must see what was committed before it: the tails, while the lock was waited for.
    requests = [("BEGIN ISOLATION LEVEL READ COMMITTED", ()), ("lock_head", ()), *_requests(wanted)]
    wire.send(requests)
    return _basis(wire.receive()[1:])


def read(wire: Wire, wanted: Wanted) -> Basis:
    """The same as of one moment and without any lock, over `connect_to_read`."""
    wire.send([("head", ()), *_requests(wanted)])
    return _basis(wire.receive())


def read_histories(
    wire: Wire, streams: Iterable[tuple[StreamId, str]]
) -> tuple[list[SnapshotRow], list[EventRow]]:
    """Snapshots of streams under their tags and all events behind them, over `connect_to_read`."""
    names = [(stream.type, stream.id, tag) for stream, tag in streams]
    parameters = [text_array(column) for column in zip(*names, strict=True)]
    # Together: a snapshot written between the two statements would leave a hole between their answers.
    wire.send([("snapshots", parameters), ("histories", parameters)])
    snapshots, tails = wire.receive()
    return [SnapshotRow(*row) for row in snapshots], [row_from_columns(columns) for columns in tails]


def transaction_at(wire: Wire, position: int) -> UUID | None:
    """Which transaction wrote the event at a position, once no other transaction holds the head."""
    wire.send([("BEGIN", ()), ("lock_head", ()), ("transaction_at", [str(position)]), ("COMMIT", ())])
    rows = wire.receive()[2]
    return rows[0][0] if rows else None


def stored_command(columns: tuple[Any, ...]) -> StoredCommand:
    """Reads a row selected with `STORED_COMMANDS`."""
    key_hash, request_hash, answer, position = columns
    return StoredCommand(bytes(key_hash), bytes(request_hash), bytes(answer), position)


def _requests(wanted: Wanted) -> list[Request]:
    streams = [stream for stream, _ in wanted.versions]
    return [
        ("stored_commands", [bytes_array(wanted.key_hashes), wanted.at.isoformat()]),
        ("live_keys", [text_array(wanted.subjects)]),
        (
            "tails",
            [
                text_array([stream.type for stream in streams]),
                text_array([stream.id for stream in streams]),
                plain_array([version for _, version in wanted.versions]),
            ],
        ),
    ]


def _basis(results: list[list[tuple[Any, ...]]]) -> Basis:
    head, commands, keys, tails = results
    if not head:
        raise psycopg.errors.ObjectNotInPrerequisiteState("the ledger has no head row")
    position, revision, recorded_at = head[0]
    stored = [stored_command(columns) for columns in commands]
    return Basis(
        position=position,
        revision=revision,
        recorded_at=recorded_at,
        tails=[row_from_columns(columns) for columns in tails],
        commands={command.key_hash: command for command in stored},
        subject_keys=keys,
    )
