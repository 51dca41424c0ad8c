"""A stream is the history of one thing: its identity, the facts it may hold and the state they fold to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from domain.kernel.facts import Fact, Value

StateT = TypeVar("StateT")

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the stored JSON of one schema version into that of the next; stored bytes are never touched."""


class StreamId(NamedTuple):
    """`type` is one of the contract's stream types, `id` names the thing within it."""

    type: str
    id: str


@dataclass(frozen=True)
class EventType:
    """A stored event: its name, its newest schema version and the class it is read into.

    `upcasters[n]` lifts schema version n to n + 1, so there are `schema_version - 1` of them.
    """

    name: str
    fact: type[Fact]
    schema_version: int = 1
    upcasters: Mapping[int, Upcaster] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamType(Generic[StateT]):
    """A kind of stream. `evolve` folds one fact into the state and holds no rules: history always loads.

    `state` is the class of its states, where snapshots may be kept of them; `evolve_version` goes up whenever
    `evolve` makes another state of the same facts.
    """

    name: str
    event_types: tuple[EventType, ...]
    evolve: Callable[[StateT | None, Any], StateT]
    state: type[Value] | None = None
    evolve_version: int = 1

    def stream(self, stream_id: str) -> StreamId:
        """The identity of one stream of this type."""
        return StreamId(self.name, stream_id)
