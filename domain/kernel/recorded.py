"""A fact as the ledger keeps it: at its position, with who recorded it, when, and the hash that proves it."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from domain.kernel.facts import Fact
from domain.kernel.privacy import SealedFor
from domain.kernel.streams import StreamId


class RecordedEvent(NamedTuple):
    """One stored event as auditors see it: every column, and the fact it is read into.

    `state` is what is stored; what is personal in it is sealed for `sealed_for`, and open in `fact`.
    """

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
    sealed_for: tuple[SealedFor, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """What is stored, sealed parts opened: for whoever may read the whole ledger."""
        if self.sealed_for:
            return self.fact.model_dump(mode="json", by_alias=True, exclude_none=True)
        stored: dict[str, Any] = json.loads(self.state)
        return stored
