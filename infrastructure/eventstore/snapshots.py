"""Snapshots of long streams: the state as it was at a version, so that loading never takes a whole history.

They are disposable. Each is tagged by how its type's states are made, and one with another tag is not used.
States that hold personal data are never kept, so that an erasure has nothing to do here.
"""

import hashlib
import json
from functools import cached_property
from typing import Any, NamedTuple

from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId, StreamType
from infrastructure.eventstore.sealing import place_of


class SnapshotRow(NamedTuple):
    """A row of `ledger.snapshot`."""

    stream_type: str
    stream_id: str
    version: int
    tag: str
    state: bytes

    @property
    def stream(self) -> StreamId:
        """The stream whose state it holds."""
        return StreamId(self.stream_type, self.stream_id)


class SnapshotMapper:
    """Turns states into snapshot rows and back."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @cached_property
    def tags(self) -> dict[str, str]:
        """The tags of the stream types whose states may be kept, by name."""
        return {
            stream_type.name: _tag(stream_type)
            for stream_type in self._registry.stream_types()
            if stream_type.state is not None and place_of(stream_type.state) is None
        }

    def tag(self, stream_type: str) -> str:
        """How states of that type are made now; empty, which no snapshot bears, where they are not kept."""
        return self.tags.get(stream_type, "")

    def encode(self, stream: StreamId, version: int, state: Any) -> SnapshotRow:
        """The row that keeps a stream's state."""
        return SnapshotRow(
            stream.type,
            stream.id,
            version,
            self.tag(stream.type),
            state.model_dump_json(by_alias=True).encode(),
        )

    def decode(self, row: SnapshotRow) -> Any:
        """The state that a row keeps."""
        state = self._registry.stream_type(row.stream_type).state
        assert state is not None, "only types with a state class have tags"
        return state.model_validate_json(row.state, by_alias=True, by_name=False)


def _tag(stream_type: StreamType[Any]) -> str:
    assert stream_type.state is not None, "only types with a state class have tags"
    shape = json.dumps(stream_type.state.model_json_schema(by_alias=True), sort_keys=True)
    return f"{stream_type.evolve_version}:{hashlib.sha256(shape.encode()).hexdigest()[:16]}"
