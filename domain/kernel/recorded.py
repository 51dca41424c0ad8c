"""A fact as the ledger keeps it: at its position, with who recorded it, when, and the hash that proves it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.facts import Fact
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class RecordedEvent:
    """One stored event as auditors see it: every column, and the fact it is read into."""

    position: int
    tenant_id: str
    stream: StreamId
    version: int
    name: str
    schema_version: int
    transaction_id: UUID
    actor: str
    role: str
    on_behalf_of: str | None
    operation: str
    correlation_id: str
    causation_id: str | None
    recorded_at: datetime
    state: bytes
    leaf_hash: bytes
    hash_version: int
    fact: Fact
