"""The states of streams that the committer knows already, and what is missing of those a batch reads."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId
from infrastructure.eventstore.basis import TAIL_EVENTS, read_histories
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.rows import EventRow
from infrastructure.eventstore.snapshots import SnapshotMapper
from infrastructure.eventstore.transaction import NOTHING, Folded
from infrastructure.eventstore.wire import Wire

CACHED_STREAMS = 2_000
"""Enough for the streams that many commands share (series); an order of 600 lines is not kept for long."""


class KnownStreams:
    """States as they were when last seen. What others have appended since comes as tails and is folded in."""

    def __init__(self, registry: Registry, reader: EventReader) -> None:
        self._registry = registry
        self._reader = reader
        self._snapshots = SnapshotMapper(registry)
        self._cache: OrderedDict[StreamId, Folded] = OrderedDict()
        self._long: set[StreamId] = set()

    def long_among(self, streams: Iterable[StreamId]) -> set[StreamId]:
        """Those of the streams whose tails were found too long for deciding: they are to be loaded."""
        return self._long.intersection(streams) if self._long else set()

    def load(self, wire: Wire, streams: set[StreamId]) -> None:
        """Loads whole streams from their snapshots on, outside any lock."""
        snapshots, tails = read_histories(
            wire, [(stream, self._snapshots.tag(stream.type)) for stream in streams]
        )
        loaded = dict.fromkeys(streams, NOTHING)
        for row in snapshots:
            loaded[row.stream] = Folded(row.version, self._snapshots.decode(row))
        self._fold(wire, loaded, tails)
        self._long -= streams
        self.remember(loaded)

    def of(self, streams: Iterable[StreamId], ahead: Mapping[StreamId, Folded]) -> dict[StreamId, Folded]:
        """What is known of these streams; `ahead` are those that a batch under way leaves."""
        cache = self._cache
        return {stream: ahead.get(stream) or cache.get(stream, NOTHING) for stream in streams}

    def fold_tails(self, wire: Wire, known: dict[StreamId, Folded], tails: Sequence[EventRow]) -> None:
        """Brings what is known up to date. A stream with more behind it than a tail holds is not known."""
        self._fold(wire, known, tails)
        if len(tails) >= TAIL_EVENTS:
            for stream, count in Counter(row.stream for row in tails).items():
                if count >= TAIL_EVENTS:
                    del known[stream]
                    self._long.add(stream)

    def remember(self, states: Mapping[StreamId, Folded]) -> None:
        """Keeps states that are committed."""
        for stream, folded in states.items():
            if folded.version:
                self._cache[stream] = folded
                self._cache.move_to_end(stream)
        while len(self._cache) > CACHED_STREAMS:
            self._cache.popitem(last=False)

    def forget(self) -> None:
        """Knows nothing any more."""
        self._cache.clear()
        self._long.clear()

    def _fold(self, wire: Wire, known: dict[StreamId, Folded], rows: Sequence[EventRow]) -> None:
        if not rows:
            return
        for event in self._reader.read(wire.connection, rows):
            folded = known[event.stream]
            if event.version != folded.version + 1:
                raise RuntimeError(f"{event.stream.type} stream has a hole after version {folded.version}")
            state = self._registry.evolve(event.stream, folded.state, event.fact)
            known[event.stream] = Folded(event.version, state)
