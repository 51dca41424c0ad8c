"""Recomputes leaf hashes of stored rows, and folds what can still be read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from eventsourcing.persistence import MapperDeserialisationError

from application.ports import Proof
from application.signing import KeyUnusable
from domain.kernel.registry import Registry, UnknownEvent
from domain.kernel.streams import StreamId
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.ledger import PostgresLedger
from infrastructure.eventstore.rows import EventRow, leaf_hash_of
from infrastructure.eventstore.sealing import SubjectKeyMissing

ResultT = TypeVar("ResultT")


def row_problem(row: EventRow, expected_version: int) -> str | None:
    """What is wrong with a stored row; None if nothing."""
    if row.originator_version != expected_version:
        return f"position {row.id}: version {row.originator_version} where {expected_version} was due"
    if leaf_hash_of(row) != row.leaf_hash:
        return f"position {row.id}: the row is not what was hashed when it was recorded"
    return None


@dataclass
class LedgerWalk:
    """Walks the whole ledger in position order and collects what is wrong with it."""

    position: int = 0
    recorded_at: datetime = datetime(1, 1, 1, tzinfo=UTC)
    versions: dict[StreamId, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, row: EventRow) -> None:
        """Looks at the next row."""
        if row.id != self.position + 1:
            self.problems.append(f"position {row.id} follows {self.position}: events are missing or added")
        if row.recorded_at < self.recorded_at:
            self.problems.append(f"position {row.id}: recorded before its predecessor")
        expected_version = self.versions.get(row.stream, 0) + 1
        problem = row_problem(row, expected_version)
        if problem is not None:
            self.problems.append(problem)
        self.position = row.id
        self.recorded_at = max(self.recorded_at, row.recorded_at)
        self.versions[row.stream] = row.originator_version

    def finish(self, head: int) -> None:
        """Compares the last row with the ledger's head."""
        if self.position != head:
            self.problems.append(f"the ledger ends at position {self.position}, its head is {head}")


class PostgresLedgerProof:
    """`application.ports.LedgerProof` on PostgreSQL."""

    def __init__(self, ledger: PostgresLedger, reader: EventReader, registry: Registry) -> None:
        self._ledger = ledger
        self._reader = reader
        self._registry = registry

    async def prove(self, stream: StreamId) -> Proof:
        """Recomputes the leaf hash of every stored row of a stream and folds it."""
        rows = await self._ledger.rows_of(stream)
        problems = [
            problem
            for expected_version, row in enumerate(rows, start=1)
            if (problem := row_problem(row, expected_version)) is not None
        ]
        parsed = [_attempt(row, problems, partial(self._reader.parse, [row])) for row in rows]
        keys = await self._ledger.keys_of([half for halves in parsed for half in halves])
        events = [
            event
            for row, halves in zip(rows, parsed, strict=True)
            if halves
            for event in _attempt(row, problems, partial(self._reader.opened, [row], halves, keys))
        ]
        if not rows:
            problems.append(f"no event of the {stream.type} is there")
        facts = tuple(event.fact for event in events)
        try:
            state = self._registry.fold(stream, facts)
        except (AssertionError, AttributeError, UnknownEvent):
            # A history with a missing or foreign event does not fold: the problems above say which.
            state = None
            problems.append(f"the {stream.type} does not fold")
        return Proof(facts, state, tuple(problems), erased=any(key is None for key in keys.values()))


def _attempt(row: EventRow, problems: list[str], read: Callable[[], list[ResultT]]) -> list[ResultT]:
    """What could be read of a row; nothing and one more problem where that is nothing."""
    try:
        return read()
    except (UnknownEvent, MapperDeserialisationError, SubjectKeyMissing, KeyUnusable):
        problems.append(f"position {row.id}: the event cannot be read")
        return []
