"""The closed registry: stored name and schema version ↔ event class, for every stream type there is.

Nothing is registered by importing it; `domain/streams.py` lists every stream type in one tuple.
"""

from collections.abc import Iterable
from typing import Any

from domain.kernel.facts import Fact
from domain.kernel.streams import EventType, StreamId, StreamType


class UnknownEvent(Exception):
    """A stored event, or one to be stored, that the registry does not list."""


class Registry:
    """Looks up stream types and event types, and refuses what is not listed or listed twice."""

    def __init__(self, stream_types: Iterable[StreamType[Any]]) -> None:
        self._stream_types: dict[str, StreamType[Any]] = {}
        self._by_name: dict[str, EventType] = {}
        self._by_fact: dict[type[Fact], EventType] = {}
        for stream_type in stream_types:
            if stream_type.name in self._stream_types:
                raise UnknownEvent(f"stream type {stream_type.name} is listed twice")
            self._stream_types[stream_type.name] = stream_type
            for event_type in stream_type.event_types:
                self._add(stream_type, event_type)

    def _add(self, stream_type: StreamType[Any], event_type: EventType) -> None:
        if not event_type.name.startswith(f"{stream_type.name}."):
            raise UnknownEvent(f"{event_type.name} does not belong to stream type {stream_type.name}")
        if event_type.name in self._by_name or event_type.fact in self._by_fact:
            raise UnknownEvent(f"{event_type.name} is listed twice")
        if set(event_type.upcasters) != set(range(1, event_type.schema_version)):
            raise UnknownEvent(f"{event_type.name} needs one upcaster for each older schema version")
        self._by_name[event_type.name] = event_type
        self._by_fact[event_type.fact] = event_type

    def stream_type(self, name: str) -> StreamType[Any]:
        """The stream type of that name. Raises `UnknownEvent`."""
        try:
            return self._stream_types[name]
        except KeyError:
            raise UnknownEvent(f"there is no stream type {name}") from None

    def stream_types(self) -> list[StreamType[Any]]:
        """Every stream type, in the order listed."""
        return list(self._stream_types.values())

    def has_stream_type(self, name: str) -> bool:
        """Whether there is a stream type of that name."""
        return name in self._stream_types

    def by_name(self, name: str) -> EventType:
        """The event type stored under that name. Raises `UnknownEvent`."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownEvent(f"there is no event {name}") from None

    def by_fact(self, fact: Fact) -> EventType:
        """How a fact is stored. Raises `UnknownEvent` for a class that is not listed, a subclass included."""
        try:
            return self._by_fact[type(fact)]
        except KeyError:
            raise UnknownEvent(f"{type(fact).__name__} is not in the registry") from None

    def event_types(self) -> list[EventType]:
        """Every event type, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def evolve(self, stream: StreamId, state: Any, fact: Fact) -> Any:
        """Folds one fact into a stream's state."""
        return self._stream_types[stream.type].evolve(state, fact)

    def fold(self, stream: StreamId, facts: Iterable[Fact], state: Any = None) -> Any:
        """Folds a stream's facts, oldest first."""
        evolve = self._stream_types[stream.type].evolve
        for fact in facts:
            state = evolve(state, fact)
        return state
