"""The words between commands and the ledger: who acts, what a command reads and writes, what it answers.

A handler is a function of a `Transaction`: it reads states, appends the facts that deciders return, and
answers. It runs under the ledger's head lock, so it does no I/O, and it sees every fact committed before it
and every fact it appended itself.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from application.operations.unrouted import UnroutedOperation
from domain.kernel.facts import Fact, Stamp
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId, StreamType

StateT = TypeVar("StateT")


@dataclass(frozen=True)
class Audit:
    """Who did it, as which role, by which operation, within which trace: stored with every event."""

    tenant_id: str
    actor: str
    role: str
    operation: str
    correlation_id: str
    causation_id: str | None = None
    on_behalf_of: str | None = None


def worker_audit(first: RecordedEvent, operation: UnroutedOperation) -> Audit:
    """The worker, which acts on a document within the trace of the document's first event."""
    return Audit(
        tenant_id=first.tenant_id,
        actor="system:worker",
        role="SYSTEM",
        operation=operation.name,
        correlation_id=first.correlation_id,
        causation_id=str(first.position),
    )


@dataclass(frozen=True)
class Answer:
    """What a command returns: an HTTP-like status and a JSON-ready body.

    A refusal that leaves facts behind has its `DomainError` for a body; it is not kept for repeats.
    """

    status: int
    body: Any


@dataclass(frozen=True)
class IdempotencyClaim:
    """A client's key, scoped to caller and operation and hashed, and the keyed hash of its request."""

    key_hash: bytes
    request_hash: bytes
    never_expires: bool = False


@dataclass(frozen=True)
class Committed:
    """A command's outcome. `position` is that of its own last event, or the head's where it wrote none."""

    answer: Answer
    position: int
    replayed: bool = False


class Transaction(Protocol):
    """One command's view of the ledger, under the head lock."""

    @property
    def stamp(self) -> Stamp:
        """The moment of this commit (UTC), never before any recorded one."""
        ...

    def state(self, stream_type: StreamType[StateT], stream_id: str) -> StateT | None:
        """The state of a stream, this command's own facts included; None if it has no history."""
        ...

    def version(self, stream: StreamId) -> int:
        """How many facts the stream holds, this command's own included."""
        ...

    def expect(self, streams: Iterable[StreamId]) -> None:
        """Says what will be read next, so that what is not loaded yet is loaded at once."""
        ...

    def append(self, stream: StreamId, facts: Iterable[Fact]) -> None:
        """Adds facts to a stream; they are committed together with everything else of this command."""
        ...

    def announce(self, stream: StreamId, fact_type: str) -> None:
        """Puts an outbound fact for the stream's newest event into the outbox (contract §9)."""
        ...


Handler = Callable[[Transaction], Answer]


@dataclass(frozen=True)
class Command:
    """One command on its way to the ledger.

    `streams` names what the handler will read, and `subjects` whose personal data its facts will hold, as far
    as known; whatever else it turns out to need is loaded and the command decided again. A `dry_run` is
    decided like any other, on the states as they are then, and leaves nothing behind (contract §2).
    """

    audit: Audit
    handler: Handler
    streams: frozenset[StreamId] = field(default_factory=frozenset)
    idempotency: IdempotencyClaim | None = None
    subjects: frozenset[str] = field(default_factory=frozenset)
    dry_run: bool = False


@dataclass(frozen=True)
class EventFilter:
    """Which events an auditor asks for; times are inclusive, UTC."""

    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    names: Sequence[str] = ()
    actor: str | None = None
    stream: StreamId | None = None
    streams: Sequence[StreamId] = ()
    stream_type: str | None = None
    positions: Sequence[int] = ()
    after_position: int | None = None
    descending: bool = False
    limit: int = 50


class LedgerUnavailable(Exception):
    """The ledger cannot be reached now; nothing is known to have changed. Try again."""


class Ledger(Protocol):
    """The write side and the history."""

    async def commit(self, command: Command) -> Committed:
        """Decides and records a command. Raises `DomainError` where a rule says no, `LedgerUnavailable`."""
        ...

    async def stored(self, claim: IdempotencyClaim) -> Committed | None:
        """The answer stored under a key. Raises `IDEMPOTENCY_KEY_REUSED` if it was for another request."""
        ...

    async def history(
        self,
        stream: StreamId,
        *,
        up_to_version: int | None = None,
        up_to_position: int | None = None,
        as_of: datetime | None = None,
    ) -> list[RecordedEvent]:
        """A stream's events in order, up to a version, a position or a recorded time (inclusive)."""
        ...

    async def histories(self, streams: Collection[StreamId]) -> dict[StreamId, list[RecordedEvent]]:
        """The events of each stream, in order; streams without any are left out."""
        ...

    async def search(self, event_filter: EventFilter) -> list[RecordedEvent]:
        """Events in position order."""
        ...

    async def head_position(self) -> int:
        """The last committed position; 0 in an empty ledger."""
        ...

    async def outbox_pending(self) -> int:
        """How many outbound facts have not been delivered yet."""
        ...
