"""Appends over one connection: everything that one transaction writes, sent at once and heard of later.

It speaks to libpq itself, for psycopg's own pipelines wait for the answers before they let go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import generators, pq

from infrastructure.eventstore.literals import bytes_array, moment_array, plain_array, text_array
from infrastructure.eventstore.rows import EventRow
from infrastructure.eventstore.subject_keys import SubjectKeyRow

_EVENTS, _COMMANDS, _ANNOUNCEMENTS, _SUBJECT_KEYS = "append", "commands", "announcements", "subject_keys"

_PREPARE = {
    _EVENTS: """
SELECT ledger.append($1::bigint, $2::bigint, $3::timestamptz[], $4::text[], $5::text[], $6::text[],
    $7::integer[], $8::text[], $9::smallint[], $10::uuid[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[], $16::text[], $17::bytea[], $18::bytea[], $19::smallint[])
""",
    _COMMANDS: """
INSERT INTO ledger.command (key_hash, request_hash, answer, position, recorded_at, expires_at)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::timestamptz[],
    $6::timestamptz[])
""",
    _ANNOUNCEMENTS: """
INSERT INTO ledger.outbox (position, event_id, type)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[])
""",
    _SUBJECT_KEYS: """
INSERT INTO ledger.subject_key (key_id, subject, retention_class, master_key_id, wrapped_key, created_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
""",
}


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
class Append:
    """What one transaction writes, right behind the head as it stands at a revision and a position."""

    revision: int
    position: int
    events: Sequence[EventRow] = ()
    commands: Sequence[CommandRow] = ()
    announcements: Sequence[AnnouncementRow] = ()
    subject_keys: Sequence[SubjectKeyRow] = ()


class Appender:
    """Sends appends over a connection that nobody else uses meanwhile, one at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        for name, statement in _PREPARE.items():
            connection.execute(f"PREPARE {name} AS {statement}".encode())

    def send(self, append: Append) -> None:
        """Sends an append. In a transaction that is open it is that one's last act, else one of its own."""
        statements = [(_EVENTS, _event_parameters(append))]
        if append.commands:
            statements.append((_COMMANDS, _command_parameters(append.commands)))
        if append.announcements:
            statements.append((_ANNOUNCEMENTS, _announcement_parameters(append.announcements)))
        if append.subject_keys:
            statements.append((_SUBJECT_KEYS, _key_parameters(append.subject_keys)))
        encoded = [(name.encode(), [text.encode() for text in texts]) for name, texts in statements]
        pgconn = self.connection.pgconn
        is_open = pgconn.transaction_status == pq.TransactionStatus.INTRANS
        pgconn.enter_pipeline_mode()
        for name, parameters in encoded:
            pgconn.send_query_prepared(name, parameters)
        if is_open:
            pgconn.send_query_params(b"COMMIT", None)
        pgconn.pipeline_sync()
        self.connection.wait(generators.send(pgconn))

    def land(self) -> None:
        """Waits until what was sent is committed. Raises the first error, and nothing was written then.

        `psycopg.errors.SerializationFailure` is a head that is not, or no longer, where the append has it;
        after a lost connection it is not known what became of it.
        """
        pgconn = self.connection.pgconn
        failed: psycopg.Error | None = None
        while True:
            result = self.connection.wait(generators.fetch(pgconn))
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                break
            if result.status == pq.ExecStatus.FATAL_ERROR and failed is None:
                failed = psycopg.errors.error_from_result(result)
        pgconn.exit_pipeline_mode()
        if failed is not None:
            raise failed


def _event_parameters(append: Append) -> list[str]:
    events = append.events
    streams = [row.stream for row in events]
    return [
        str(append.revision),
        str(append.position + 1),
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


def _announcement_parameters(announcements: Sequence[AnnouncementRow]) -> list[str]:
    return [
        plain_array([row.position for row in announcements]),
        plain_array([row.event_id for row in announcements]),
        text_array([row.fact_type for row in announcements]),
    ]


def _key_parameters(keys: Sequence[SubjectKeyRow]) -> list[str]:
    return [
        plain_array([row.key_id for row in keys]),
        text_array([row.subject for row in keys]),
        text_array([row.retention_class for row in keys]),
        text_array([row.master_key_id for row in keys]),
        bytes_array([row.wrapped_key for row in keys]),
        moment_array([row.created_at for row in keys]),
    ]
