"""One command's overlay on one batch's overlay on the cache: states as they are when it is committed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.kernel.facts import Fact, Stamp
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId, StreamType

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Folded:
    """A stream's state and how many facts it was folded from; version 0 is a stream without history."""

    version: int
    state: Any


NOTHING = Folded(0, None)


class NotLoaded(Exception):
    """A handler reads streams that were not loaded for it; they are loaded and the command decided again."""

    def __init__(self, *streams: StreamId) -> None:
        super().__init__(", ".join(f"{stream.type}:{stream.id}" for stream in streams))
        self.streams = frozenset(streams)


@dataclass(frozen=True)
class NewEvent:
    """A fact on its way into the ledger."""

    stream: StreamId
    version: int
    fact: Fact


@dataclass(frozen=True)
class NewAnnouncement:
    """An outbound fact for the event at that index of the command's events."""

    event_index: int
    fact_type: str


class OpenTransaction:
    """The `application.ledger.Transaction` that a handler gets. Nothing leaks out unless it is kept."""

    def __init__(self, registry: Registry, known: dict[StreamId, Folded], stamp: Stamp) -> None:
        self._registry = registry
        self._known = known
        self._stamp = stamp
        self._changed: dict[StreamId, Folded] = {}
        self.events: list[NewEvent] = []
        self.announcements: list[NewAnnouncement] = []

    @property
    def stamp(self) -> Stamp:
        """The moment of this commit."""
        return self._stamp

    def state(self, stream_type: StreamType[StateT], stream_id: str) -> StateT | None:
        """The state of a stream. Raises `NotLoaded`."""
        state: StateT | None = self._folded(stream_type.stream(stream_id)).state
        return state

    def version(self, stream: StreamId) -> int:
        """The version of a stream. Raises `NotLoaded`."""
        return self._folded(stream).version

    def expect(self, streams: Iterable[StreamId]) -> None:
        """Raises `NotLoaded` for those that are not loaded, together."""
        absent = [each for each in streams if each not in self._changed and each not in self._known]
        if absent:
            raise NotLoaded(*absent)

    def append(self, stream: StreamId, facts: Iterable[Fact]) -> None:
        """Adds facts to a stream. Raises `NotLoaded`, for a version must be known to be counted on."""
        folded = self._folded(stream)
        for fact in facts:
            folded = Folded(folded.version + 1, self._registry.evolve(stream, folded.state, fact))
            self.events.append(NewEvent(stream, folded.version, fact))
        self._changed[stream] = folded

    def announce(self, stream: StreamId, fact_type: str) -> None:
        """Announces the stream's newest event of this command."""
        for index in range(len(self.events) - 1, -1, -1):
            if self.events[index].stream == stream:
                self.announcements.append(NewAnnouncement(index, fact_type))
                return
        raise ValueError(f"nothing of this command is in stream {stream.type} to announce")

    def keep(self) -> None:
        """Lets the following commands of the batch see what this one appended."""
        self._known.update(self._changed)

    @property
    def changed(self) -> dict[StreamId, Folded]:
        """The streams that this command appended to, as they stand after it."""
        return self._changed

    def _folded(self, stream: StreamId) -> Folded:
        folded = self._changed.get(stream) or self._known.get(stream)
        if folded is None:
            raise NotLoaded(stream)
        return folded
