"""Reads stored rows into recorded events, what is sealed in them opened with keys fetched at that moment.

Keys are never remembered across reads without asking the database for them, so that an erased one is gone
for every reader at once; a key store that cannot be reached is an error, never taken for an erasure.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from domain.kernel.facts import Fact
from domain.kernel.recorded import RecordedEvent
from infrastructure.eventstore.mapper import NO_KEYS, LedgerMapper, Parsed, Stored
from infrastructure.eventstore.rows import EventRow
from infrastructure.eventstore.sealing import OpeningKeys
from infrastructure.eventstore.subject_keys import SELECT_KEYS_BY_ID, SubjectKeyWrap


class UnopenedEvent(RecordedEvent):
    """A recorded event whose fact nobody opened: as it is stored, and for whom parts of it are sealed."""

    __slots__ = ()

    @property
    def fact(self) -> Fact:
        """Raises `LookupError`: nothing was opened, so that nothing can be taken for erased."""
        raise LookupError(f"{self.name} was not opened")


class EventReader:
    """Reads rows over whatever connection it is given."""

    def __init__(self, mapper: LedgerMapper, wrap: SubjectKeyWrap) -> None:
        self._mapper = mapper
        self._wrap = wrap

    def parse(self, rows: Iterable[EventRow]) -> list[Parsed]:
        """The rows as far as they can be read without keys. Raises what `LedgerMapper.parse` does."""
        return [self._parse(row) for row in rows]

    def read(
        self, connection: psycopg.Connection[tuple[Any, ...]], rows: Sequence[EventRow]
    ) -> list[RecordedEvent]:
        """The rows as recorded events. Raises what `LedgerMapper.open` does, `KeyUnusable`."""
        parsed = self.parse(rows)
        return self.opened(rows, parsed, self.keys(connection, parsed))

    async def read_async(
        self, connection: psycopg.AsyncConnection[tuple[Any, ...]], rows: Sequence[EventRow]
    ) -> list[RecordedEvent]:
        """The same over an asynchronous connection."""
        parsed = self.parse(rows)
        return self.opened(rows, parsed, await self.keys_async(connection, parsed))

    def keys(self, connection: psycopg.Connection[tuple[Any, ...]], parsed: Iterable[Parsed]) -> OpeningKeys:
        """The keys that parsed events take, as they are now."""
        wanted = _key_ids(parsed)
        return self._wrap.opening(connection.execute(SELECT_KEYS_BY_ID, (wanted,))) if wanted else NO_KEYS

    async def keys_async(
        self, connection: psycopg.AsyncConnection[tuple[Any, ...]], parsed: Iterable[Parsed]
    ) -> OpeningKeys:
        """The same over an asynchronous connection."""
        wanted = _key_ids(parsed)
        if not wanted:
            return NO_KEYS
        cursor = await connection.execute(SELECT_KEYS_BY_ID, (wanted,))
        return self._wrap.opening(await cursor.fetchall())

    def opened(
        self, rows: Iterable[EventRow], parsed: Iterable[Parsed], keys: OpeningKeys
    ) -> list[RecordedEvent]:
        """Parsed rows as recorded events, with the keys at hand."""
        return [
            _recorded(RecordedEvent, row, half, self._mapper.open(half, keys))
            for row, half in zip(rows, parsed, strict=True)
        ]

    def unopened(self, rows: Iterable[EventRow]) -> list[RecordedEvent]:
        """Rows for who asks no event for its fact: no key is fetched. Raises what `parse` does."""
        return [_recorded(UnopenedEvent, row, self._parse(row), None) for row in rows]

    def _parse(self, row: EventRow) -> Parsed:
        return self._mapper.parse(row.stream, Stored(row.topic, row.schema_version, row.state))


def _recorded(kind: type[RecordedEvent], row: EventRow, half: Parsed, fact: Any) -> RecordedEvent:
    return kind(
        row.id,
        row.tenant_id,
        half.stream,
        row.originator_version,
        row.topic,
        row.schema_version,
        row.transaction_id,
        row.actor,
        row.role,
        row.on_behalf_of,
        row.operation,
        row.correlation_id,
        row.causation_id,
        row.recorded_at,
        row.state,
        row.leaf_hash,
        row.hash_version,
        fact,
        half.sealed_for,
    )


def _key_ids(parsed: Iterable[Parsed]) -> list[UUID]:
    return list({sealed.key_id for half in parsed for sealed in half.sealed_for})
