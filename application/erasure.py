"""Erasing a person's data: keys that may go are destroyed at once, those the law keeps when their time comes.

A destroyed key makes what it sealed unreadable at once; a backup made before still holds it, wrapped, until
the master key there is gone. Then each stream that held such data is told by an event, for read models,
caches and the audit trail; a crash between the two is finished by the worker.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Protocol
from uuid import UUID

from application.ledger import (
    Answer,
    Audit,
    Command,
    Handler,
    IdempotencyClaim,
    Ledger,
    LedgerUnavailable,
    Transaction,
)
from application.mailing import KeptPapers
from application.operations.unrouted import ERASE_SUBJECT
from application.ports import Clock
from domain.kernel.facts import Utc, Value
from domain.kernel.privacy import PersonalDataErased, RetentionClass
from domain.kernel.recorded import RecordedEvent
from domain.kernel.registry import Registry
from domain.kernel.streams import StreamId

BATCH_KEYS = 100


class SubjectKeyState(Value):
    """A key of a subject: live, to be destroyed at a time (`erase_after`), or destroyed; times in UTC."""

    key_id: UUID
    subject: str
    retention_class: RetentionClass
    created_at: Utc
    erase_after: Utc | None
    erased_at: Utc | None
    redacted_at: Utc | None
    requested_by: str | None
    reason: str | None


class SubjectKeys(Protocol):
    """The key store, as far as erasing goes. Raises `LedgerUnavailable` where it cannot be reached."""

    async def of_subject(self, subject: str) -> list[SubjectKeyState]:
        """Every key that the subject ever had, oldest first."""
        ...

    async def destroy(self, key_id: UUID, at: datetime, requested_by: str, reason: str) -> None:
        """Destroys a key for good, and whatever is decided later knows; a destroyed one stays as it is."""
        ...

    async def defer(self, key_id: UUID, until: datetime, requested_by: str, reason: str) -> None:
        """Lets a key be destroyed at that time (UTC), never sooner, and nothing new be sealed under it."""
        ...

    async def due(self, at: datetime, limit: int) -> list[SubjectKeyState]:
        """Keys whose time to be destroyed has come."""
        ...

    async def to_redact(self, limit: int) -> list[SubjectKeyState]:
        """Destroyed keys of which the streams have not all been told yet."""
        ...

    async def mark_redacted(self, key_id: UUID, at: datetime) -> None:
        """Every stream has been told."""
        ...


class SubjectIndex(Protocol):
    """Where subjects' data is. Raises `ReadStoreUnavailable`."""

    async def shows(self, position: int) -> bool:
        """Whether it knows all that was recorded up to a position; waits for it a while."""
        ...

    async def streams_of(self, key_id: UUID) -> list[StreamId]:
        """The streams that hold something sealed under a key."""
        ...

    async def retain_until(self, key_id: UUID) -> date | None:
        """The last day on which the law still wants what a key sealed; None where it wants none of it."""
        ...


class OldReadModels(Protocol):
    """Read models that nobody tells of an erasure: of older versions, and of rebuilds that died.

    Raises `ReadStoreUnavailable`.
    """

    async def drop(self) -> None:
        """Drops all there are."""
        ...


class Erasure:
    """Takes requests to erase, and finishes what they call for."""

    def __init__(
        self,
        keys: SubjectKeys,
        index: SubjectIndex,
        old_read_models: OldReadModels,
        papers: KeptPapers,
        ledger: Ledger,
        registry: Registry,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._old_read_models = old_read_models
        self._papers = papers
        self._ledger = ledger
        self._registry = registry
        self._index = index
        self._clock = clock

    async def erase(self, subject: str, requested_by: str, reason: str) -> list[SubjectKeyState]:
        """Destroys or defers every live key of a subject; the same again changes nothing.

        Returns its keys as they are then; none where nothing personal was ever recorded of it. Raises
        `LedgerUnavailable` also where the index of subjects is not up to date, for then nobody knows how long
        the law wants a key.
        """
        now = self._clock.now()
        live = [key for key in await self._keys.of_subject(subject) if key.erased_at is None]
        if not await self._index.shows(await self._ledger.head_position()):
            raise LedgerUnavailable("the index of subjects is not up to date")
        for key in live:
            await self._destroy_or_defer(key, now, requested_by, reason)
        return await self._keys.of_subject(subject)

    async def step(self) -> int:
        """Destroys what is due and tells the streams of destroyed keys; returns how many keys it finished."""
        await self._destroy_due()
        finished = 0
        if keys := await self._keys.to_redact(BATCH_KEYS):
            # At once, even where processes of an older version still run: they may know nothing of erasures.
            await self._old_read_models.drop()
        for key in keys:
            # Nothing is sealed under a destroyed key: once the index shows this moment, it is complete.
            if not await self._index.shows(await self._ledger.head_position()):
                break
            for stream in await self._index.streams_of(key.key_id):
                await self._tell(key, stream)
            await self._papers.forget(key.subject)
            await self._keys.mark_redacted(key.key_id, self._clock.now())
            finished += 1
        return finished

    async def _destroy_due(self) -> None:
        """What was recorded since a key was deferred, a credit of what it sealed, may have moved its time."""
        now = self._clock.now()
        due = await self._keys.due(now, BATCH_KEYS)
        if due and await self._index.shows(await self._ledger.head_position()):
            for key in due:
                await self._destroy_or_defer(key, now, key.requested_by or "", key.reason or "")

    async def _destroy_or_defer(
        self, key: SubjectKeyState, now: datetime, requested_by: str, reason: str
    ) -> None:
        until = await self._kept_until(key)
        if until is None or until <= now:
            await self._keys.destroy(key.key_id, now, requested_by, reason)
        elif key.erase_after is None or key.erase_after < until:
            await self._keys.defer(key.key_id, until, requested_by, reason)

    async def _kept_until(self, key: SubjectKeyState) -> datetime | None:
        """When the law lets go of what the key sealed; None where it does not care."""
        if key.retention_class != "FISCAL":
            return None
        until = await self._index.retain_until(key.key_id)
        return None if until is None else datetime.combine(until, time.max, UTC)

    async def _tell(self, key: SubjectKeyState, stream: StreamId) -> None:
        history = await self._ledger.history(stream)
        name = f"{stream.type}.personal-data-erased"
        fact_type = self._registry.by_name(name).fact
        fact = fact_type.model_validate(
            {
                "subject": key.subject,
                "retentionClass": key.retention_class,
                "keyId": str(key.key_id),
                "positions": _positions(history, key.key_id),
            }
        )
        assert isinstance(fact, PersonalDataErased), f"{name} is of that shape"
        audit = Audit(
            tenant_id=history[0].tenant_id,
            actor=key.requested_by or "system:worker",
            role="SYSTEM",
            operation=ERASE_SUBJECT.name,
            correlation_id=str(key.key_id),
        )
        act = f"{ERASE_SUBJECT.name}/{key.key_id}/{stream.type}/{stream.id}"
        once = hashlib.sha256(act.encode()).digest()
        claim = IdempotencyClaim(once, once, never_expires=True)
        await self._ledger.commit(Command(audit, _append(stream, fact), frozenset({stream}), claim))


def _positions(history: Sequence[RecordedEvent], key_id: UUID) -> tuple[int, ...]:
    return tuple(
        event.position for event in history if any(part.key_id == key_id for part in event.sealed_for)
    )


def _append(stream: StreamId, fact: PersonalDataErased) -> Handler:
    def handle(transaction: Transaction) -> Answer:
        transaction.append(stream, (fact,))
        return Answer(200, None)

    return handle
