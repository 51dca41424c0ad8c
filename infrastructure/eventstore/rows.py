"""The event row, column by column, and the leaf hash that covers every one of them as stored."""

import hashlib
import struct
from dataclasses import dataclass
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
        if leaf_hash is None:
            columns["leaf_hash"] = leaf_hash_of(self)

    @property
    def stream(self) -> StreamId:
        """The stream that the event belongs to."""
        return stream_of(str(self.originator_id))


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


@lru_cache(maxsize=64)
def _moment(moment: datetime) -> bytes:
    """Events that are recorded together share it."""
    return rfc3339(moment).encode()


_ABSENT = struct.pack(">I", 0xFFFFFFFF)
_LENGTH = struct.Struct(">I")
_LENGTHS = [_LENGTH.pack(length) for length in range(256)]


def leaf_hash_of(row: EventRow) -> bytes:
    """SHA-256 over every stored column but the hash itself (hash version 1).

    The bytes hashed are 0x00 (RFC 6962's leaf prefix), then for each column of `COLUMNS` in order, without
    `leaf_hash`, its length as four bytes big-endian and its text in UTF-8: integers in decimal, times in
    RFC 3339 with microseconds and `Z`, UUIDs in lower-case hyphened form, `state` as its raw bytes; an
    absent value is the length 0xFFFFFFFF and no bytes. No two different rows give the same bytes.
    """
    stream = row.stream
    columns = (
        str(row.id).encode(),
        row.tenant_id.encode(),
        stream.type.encode(),
        stream.id.encode(),
        str(row.originator_version).encode(),
        row.topic.encode(),
        str(row.schema_version).encode(),
        str(row.transaction_id).encode(),
        row.actor.encode(),
        row.role.encode(),
        None if row.on_behalf_of is None else row.on_behalf_of.encode(),
        row.operation.encode(),
        row.correlation_id.encode(),
        None if row.causation_id is None else row.causation_id.encode(),
        _moment(row.recorded_at),
        row.state,
        str(row.hash_version).encode(),
    )
    pieces = [b"\x00"]
    for column in columns:
        if column is None:
            pieces.append(_ABSENT)
        else:
            length = len(column)
            pieces.append(_LENGTHS[length] if length < len(_LENGTHS) else _LENGTH.pack(length))
            pieces.append(column)
    return hashlib.sha256(b"".join(pieces)).digest()
