"""The event row, column by column, and the leaf hash that covers every one of them as stored."""

import hashlib
import struct
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString
from uuid import UUID

from eventsourcing.persistence import Notification

from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId

HASH_VERSION = 1

COLUMNS: tuple[LiteralString, ...] = (
    "position",
    "tenant_id",
    "stream_type",
    "stream_id",
    "version",
    "name",
    "schema_version",
    "transaction_id",
    "actor",
    "role",
    "on_behalf_of",
    "operation",
    "correlation_id",
    "causation_id",
    "recorded_at",
    "state",
    "leaf_hash",
    "hash_version",
)
SELECT_COLUMNS: LiteralString = ", ".join(COLUMNS)


@dataclass(frozen=True, init=False)
class EventRow(Notification):
    """A row of `ledger.event`, as a `Notification` of the eventsourcing library.

    `id` is the position, `originator_id` is `type:id` of the stream, `originator_version` counts from 1,
    `topic` is the stored event name.
    """

    tenant_id: str
    schema_version: int
    transaction_id: UUID
    actor: str
    role: str
    on_behalf_of: str | None
    operation: str
    correlation_id: str
    causation_id: str | None
    recorded_at: datetime
    leaf_hash: bytes
    hash_version: int
    stream: StreamId = field(init=False, compare=False)
    """The stream that the event belongs to: `originator_id` in its parts."""

    def __init__(
        self,
        *,
        id: int,  # noqa: A002 - the library's name
        originator_id: str,
        originator_version: int,
        topic: str,
        state: bytes,
        tenant_id: str,
        schema_version: int,
        transaction_id: UUID,
        actor: str,
        role: str,
        on_behalf_of: str | None,
        operation: str,
        correlation_id: str,
        causation_id: str | None,
        recorded_at: datetime,
        leaf_hash: bytes | None = None,
        hash_version: int = HASH_VERSION,
    ) -> None:
        """Without `leaf_hash` it is computed: a row that is about to be recorded."""
        # A frozen dataclass would set each of the columns through object.__setattr__, at twice the cost.
        columns = self.__dict__
        columns.update(locals())
        del columns["self"], columns["columns"]
        columns["stream"] = stream_of(originator_id)
        if leaf_hash is None:
            columns["leaf_hash"] = leaf_hash_of(self)


def originator_id(stream: StreamId) -> str:
    """The eventsourcing library's name for a stream."""
    return f"{stream.type}:{stream.id}"


def stream_of(originator: str) -> StreamId:
    """The reverse of `originator_id`; stream types hold no colon."""
    stream_type, _, stream_id = originator.partition(":")
    return StreamId(stream_type, stream_id)


def row_from_columns(columns: tuple[Any, ...]) -> EventRow:
    """Reads a row selected with `SELECT_COLUMNS`."""
    (position, tenant_id, stream_type, stream_id, version, name, *rest) = columns
    (schema_version, transaction_id, actor, role, on_behalf_of, operation, correlation_id, *tail) = rest
    (causation_id, recorded_at, state, leaf_hash, hash_version) = tail
    return EventRow(
        id=position,
        originator_id=f"{stream_type}:{stream_id}",
        originator_version=version,
        topic=name,
        state=bytes(state),
        tenant_id=tenant_id,
        schema_version=schema_version,
        transaction_id=transaction_id,
        actor=actor,
        role=role,
        on_behalf_of=on_behalf_of,
        operation=operation,
        correlation_id=correlation_id,
        causation_id=causation_id,
        recorded_at=recorded_at,
        leaf_hash=bytes(leaf_hash),
        hash_version=hash_version,
    )


def columns_from_row(row: EventRow) -> tuple[Any, ...]:
    """The values of `COLUMNS`, in order."""
    stream = row.stream
    return (
        row.id,
        row.tenant_id,
        stream.type,
        stream.id,
        row.originator_version,
        row.topic,
        row.schema_version,
        row.transaction_id,
        row.actor,
        row.role,
        row.on_behalf_of,
        row.operation,
        row.correlation_id,
        row.causation_id,
        row.recorded_at,
        row.state,
        row.leaf_hash,
        row.hash_version,
    )


_ABSENT = struct.pack(">I", 0xFFFFFFFF)
_LENGTH = struct.Struct(">I")
_LENGTHS = [_LENGTH.pack(length) for length in range(256)]


def _piece(column: bytes) -> bytes:
    length = len(column)
    return (_LENGTHS[length] if length < len(_LENGTHS) else _LENGTH.pack(length)) + column


@lru_cache(maxsize=4096)
def _shared(column: str | int | datetime | None) -> bytes:
    """The piece of a column that has the same value in many rows."""
    if column is None:
        return _ABSENT
    text = rfc3339(column) if isinstance(column, datetime) else str(column)
    return _piece(text.encode())


def leaf_hash_of(row: EventRow) -> bytes:
    """SHA-256 over every stored column but the hash itself (hash version 1).

    The bytes hashed are 0x00 (RFC 6962's leaf prefix), then for each column of `COLUMNS` in order, without
    `leaf_hash`, its length as four bytes big-endian and its text in UTF-8: integers in decimal, times in
    RFC 3339 with microseconds and `Z`, UUIDs in lower-case hyphened form, `state` as its raw bytes; an
    absent value is the length 0xFFFFFFFF and no bytes. No two different rows give the same bytes.
    """
    stream = row.stream
    pieces = (
        b"\x00",
        _piece(str(row.id).encode()),
        _shared(row.tenant_id),
        _shared(stream.type),
        _piece(stream.id.encode()),
        _shared(row.originator_version),
        _shared(row.topic),
        _shared(row.schema_version),
        _piece(str(row.transaction_id).encode()),
        _shared(row.actor),
        _shared(row.role),
        _shared(row.on_behalf_of),
        _shared(row.operation),
        _shared(row.correlation_id),
        _shared(row.causation_id),
        _shared(row.recorded_at),
        _piece(row.state),
        _shared(row.hash_version),
    )
    return hashlib.sha256(b"".join(pieces)).digest()
