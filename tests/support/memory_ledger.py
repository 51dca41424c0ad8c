"""A ledger in memory that keeps the port's promises, for tests of what stands above it."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from application.ledger import Answer, Command, Committed, EventFilter, IdempotencyClaim
from application.ports import Clock
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Stamp
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId, StreamType
from domain.streams import REGISTRY
from infrastructure.eventstore.mapper import LedgerMapper, Stored
from tests.support.subject_keys import MemoryKeys

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Announcement:
    """An outbound fact for the event at a position."""

    position: int
    fact_type: str


@dataclass
class MemoryTransaction:
    """Satisfies `application.ledger.Transaction`."""

    history: list[RecordedEvent]
    stamp: Stamp
    appended: list[tuple[StreamId, Fact]] = field(default_factory=list)
    announced: list[tuple[int, str]] = field(default_factory=list)
    expected: set[StreamId] = field(default_factory=set)

    def state(self, stream_type: StreamType[StateT], stream_id: str) -> StateT | None:
        """The state of a stream, this command's own facts included."""
        stream = stream_type.stream(stream_id)
        state: StateT | None = REGISTRY.fold(stream, self._facts(stream))
        return state

    def version(self, stream: StreamId) -> int:
        """How many facts the stream holds, this command's own included."""
        return len(self._facts(stream))

    def expect(self, streams: Iterable[StreamId]) -> None:
        """Everything is loaded; what a handler says is kept, to hold it against what it writes."""
        self.expected |= set(streams)

    def append(self, stream: StreamId, facts: Iterable[Fact]) -> None:
        """Adds facts to a stream."""
        self.appended.extend((stream, fact) for fact in facts)

    def announce(self, stream: StreamId, fact_type: str) -> None:
        """Announces the stream's newest event of this command."""
        indexes = [index for index, (of, _) in enumerate(self.appended) if of == stream]
        if not indexes:
            raise ValueError(f"nothing of this command is in stream {stream.type} to announce")
        self.announced.append((indexes[-1], fact_type))

    def _facts(self, stream: StreamId) -> list[Fact]:
        recorded = [event.fact for event in self.history if event.stream == stream]
        return recorded + [fact for of, fact in self.appended if of == stream]


class MemoryLedger:
    """Satisfies `application.ledger.Ledger`; what is stored went through the real stored form."""

    def __init__(self, clock: Clock) -> None:
        self.events: list[RecordedEvent] = []
        self.announcements: list[Announcement] = []
        self._clock = clock
        self._mapper = LedgerMapper(REGISTRY)
        self.keys = MemoryKeys()
        self._answers: dict[bytes, tuple[bytes, Committed]] = {}
        self._transactions = 0
        self.expected: frozenset[StreamId] = frozenset()

    async def commit(self, command: Command) -> Committed:
        """Decides and records a command; nothing is recorded where the handler raises."""
        claim = command.idempotency
        if claim is not None and (stored := await self.stored(claim)) is not None:
            return stored
        last = self.events[-1].recorded_at if self.events else self._clock.now()
        transaction = MemoryTransaction(self.events, Stamp(at=max(self._clock.now(), last)))
        answer = command.handler(transaction)
        self.expected = frozenset(transaction.expected)
        if command.dry_run:
            return Committed(answer, len(self.events))
        recorded = self._recorded(command, transaction)
        committed = Committed(answer, len(self.events) + len(recorded))
        if claim is not None and (200 <= answer.status < 400 or answer.status == 402):
            body = json.loads(json.dumps(answer.body))
            kept = Committed(Answer(answer.status, body), committed.position, replayed=True)
            self._answers[claim.key_hash] = (claim.request_hash, kept)
        first = len(self.events) + 1
        self.announcements += [Announcement(first + index, name) for index, name in transaction.announced]
        self.events += recorded
        return committed

    async def stored(self, claim: IdempotencyClaim) -> Committed | None:
        """The answer stored under a key."""
        if claim.key_hash not in self._answers:
            return None
        request_hash, committed = self._answers[claim.key_hash]
        if request_hash != claim.request_hash:
            raise DomainError("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another request.")
        return committed

    async def history(
        self,
        stream: StreamId,
        *,
        up_to_version: int | None = None,
        up_to_position: int | None = None,
        as_of: datetime | None = None,
    ) -> list[RecordedEvent]:
        """A stream's events in order; a position within a transaction means all of it."""
        through = up_to_position
        if through is not None and 0 < through <= len(self.events):
            transaction_id = self.events[through - 1].transaction_id
            through = max(event.position for event in self.events if event.transaction_id == transaction_id)
        return [
            event
            for event in self.events
            if event.stream == stream
            and (up_to_version is None or event.version <= up_to_version)
            and (through is None or event.position <= through)
            and (as_of is None or event.recorded_at <= as_of)
        ]

    async def histories(self, streams: Collection[StreamId]) -> dict[StreamId, list[RecordedEvent]]:
        """The events of each stream, in order; streams without any are left out."""
        found = {stream: await self.history(stream) for stream in streams}
        return {stream: events for stream, events in found.items() if events}

    async def search(self, event_filter: EventFilter) -> list[RecordedEvent]:
        """Events in position order."""
        found = [event for event in self.events if _wanted(event_filter, event)]
        return (found[::-1] if event_filter.descending else found)[: event_filter.limit]

    def read_again(self) -> list[RecordedEvent]:
        """Every event, its fact read anew from what is stored with the keys that are left."""
        return [
            event._replace(
                fact=self._mapper.decode(
                    event.stream, Stored(event.name, event.schema_version, event.state), self.keys
                )
            )
            for event in self.events
        ]

    async def head_position(self) -> int:
        """The last committed position."""
        return len(self.events)

    def _recorded(self, command: Command, transaction: MemoryTransaction) -> list[RecordedEvent]:
        self._transactions += 1
        audit = command.audit
        versions: dict[StreamId, int] = {}
        recorded: list[RecordedEvent] = []
        for stream, fact in transaction.appended:
            before = sum(event.stream == stream for event in self.events)
            versions[stream] = versions.get(stream, before) + 1
            stored = self._mapper.encode(stream, fact, self.keys)
            parsed = self._mapper.parse(stream, stored)
            name, schema_version, state = stored
            event = RecordedEvent(
                position=len(self.events) + len(recorded) + 1,
                stream=stream,
                version=versions[stream],
                name=name,
                schema_version=schema_version,
                transaction_id=UUID(int=self._transactions),
                tenant_id=audit.tenant_id,
                actor=audit.actor,
                role=audit.role,
                on_behalf_of=audit.on_behalf_of,
                operation=audit.operation,
                correlation_id=audit.correlation_id,
                causation_id=audit.causation_id,
                recorded_at=transaction.stamp.at,
                state=state,
                leaf_hash=b"",
                hash_version=1,
                fact=self._mapper.open(parsed, self.keys),
                sealed_for=parsed.sealed_for,
            )
            recorded.append(event)
        return recorded


def _wanted(wanted: EventFilter, event: RecordedEvent) -> bool:
    after = wanted.after_position
    beyond = after is None or (event.position < after if wanted.descending else event.position > after)
    conditions: tuple[Any, ...] = (
        beyond,
        wanted.recorded_from is None or event.recorded_at >= wanted.recorded_from,
        wanted.recorded_to is None or event.recorded_at <= wanted.recorded_to,
        not wanted.names or event.name in wanted.names,
        not wanted.positions or event.position in wanted.positions,
        wanted.actor is None or event.actor == wanted.actor,
        wanted.stream is None or event.stream == wanted.stream,
        not wanted.streams or event.stream in wanted.streams,
        wanted.stream_type is None or event.stream.type == wanted.stream_type,
    )
    return all(conditions)
