"""Everything that one transaction of the ledger writes, as requests that are sent together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from infrastructure.eventstore.literals import bytes_array, moment_array, plain_array, text_array
from infrastructure.eventstore.rows import EventRow
from infrastructure.eventstore.subject_keys import SubjectKeyRow
from infrastructure.eventstore.wire import Request, Wire

APPENDING = {
    "append": """
SELECT ledger.append($1::bigint, $2::bigint, $3::timestamptz[], $4::text[], $5::text[], $6::text[],
    $7::integer[], $8::text[], $9::smallint[], $10::uuid[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::text[], $16::text[], $17::bytea[], $18::bytea[], $19::smallint[])
""",
    "store_commands": """
INSERT INTO ledger.command (key_hash, request_hash, answer, position, recorded_at, expires_at)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[], $5::timestamptz[],
    $6::timestamptz[])
""",
    "store_announcements": """
INSERT INTO ledger.outbox (position, event_id, type)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[])
""",
    "store_keys": """
INSERT INTO ledger.subject_key (key_id, subject, retention_class, master_key_id, wrapped_key, created_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
""",
}
"""What `send_append` needs prepared on a `Wire`."""


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


def send_append(wire: Wire, append: Append) -> None:
    """Sends an append. In a transaction that is open it is that one's last act, else one of its own.

    Receiving raises `psycopg.errors.SerializationFailure` where the ledger is not, or no longer, at that
    revision and position. After any server's error nothing was written; after a lost connection nobody knows.
    """
    requests: list[Request] = [("append", _event_parameters(append))]
    if append.commands:
        requests.append(("store_commands", _command_parameters(append.commands)))
    if append.announcements:
        requests.append(("store_announcements", _announcement_parameters(append.announcements)))
    if append.subject_keys:
        requests.append(("store_keys", _key_parameters(append.subject_keys)))
    if wire.in_transaction:
        requests.append(("COMMIT", ()))
    wire.send(requests)


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
