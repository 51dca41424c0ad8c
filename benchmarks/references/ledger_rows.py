"""What loaders read of the ledger, and what they make of it."""

from datetime import datetime
from typing import Any, NamedTuple


class Event(NamedTuple):
    """A row of the ledger as far as loaders look at it; `data` is its state's JSON."""

    position: int
    stream_type: str
    stream_id: str
    version: int
    name: str
    recorded_at: datetime
    actor: str
    role: str
    data: dict[str, Any]


Tables = dict[str, dict[Any, dict[str, Any]]]
"""By table, by key: the columns of a row."""
