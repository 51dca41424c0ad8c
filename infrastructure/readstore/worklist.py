"""What the worker has to finish, from the rows of read models."""

from collections.abc import Callable
from typing import Any

from application.delivering import DueDelivery
from application.due_payments import DuePayment
from application.ports import Clock, ReadStoreUnavailable
from domain.documents.delivery import DeliveryOf
from domain.kernel.streams import StreamId
from infrastructure.eventstore.ledger import Pool, reading_connection
from infrastructure.readstore.compiling import compiled
from projections.deliveries import select_due_deliveries
from projections.documents_due import (
    Shard,
    select_documents_to_issue,
    select_documents_to_resume,
    select_documents_to_stamp,
)
from projections.projection import Query


class DocumentWorkList:
    """`WorkList` and `StampWorkList` (`application.ports`) on the read model; asked many times a second."""

    def __init__(self, pool: Pool, clock: Clock, shard: Shard) -> None:
        """`shard` is this process's part of the work."""
        self._pool = pool
        self._clock = clock
        self._shard = shard

    async def documents_to_issue(self, limit: int) -> list[str]:
        """Ids of numbered drafts whose time to be (re)tried has come, the longest due first."""
        return await _ids(self._pool, select_documents_to_issue(self._shard, self._clock.now(), limit))

    async def documents_to_stamp(self, authority: str, limit: int) -> list[str]:
        """Ids of numbered drafts that want this authority's stamp and whose time to ask has come."""
        query = select_documents_to_stamp(self._shard, authority, self._clock.now(), limit)
        return await _ids(self._pool, query)


class BlockedWorkList:
    """`application.ports.BlockedDocuments` on the documents' read model."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def documents_to_resume(self, limit: int) -> list[str]:
        """Ids of drafts that a profile blocked which was set since, the oldest first."""
        return await _ids(self._pool, select_documents_to_resume(limit))


class DeliveryWorkList:
    """`application.due_loop.DueList` on the deliveries' read model."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def due(self, limit: int) -> list[DueDelivery]:
        """Deliveries to be made, retried, or left by who died on the way; the longest due first."""
        rows = await _fetched(self._pool, select_due_deliveries(self._clock.now(), limit))
        return [
            DueDelivery(
                DeliveryOf(delivery_id=delivery_id, document_id=document_id, channel=channel),
                StreamId(stream_type, stream_id),
            )
            for delivery_id, document_id, channel, stream_type, stream_id in rows
        ]


class PaymentWorkList:
    """`application.due_loop.DueList` on a read model of payments, customers' or vendors'."""

    def __init__(self, pool: Pool, select_due: Callable[[int], Query]) -> None:
        """`select_due` asks for so many ids at most."""
        self._pool = pool
        self._select_due = select_due

    async def due(self, limit: int) -> list[DuePayment]:
        """Payments to ask the gateway about, or left by who died on the way; the longest due first."""
        return [DuePayment(each) for each in await _ids(self._pool, self._select_due(limit))]


async def _fetched(pool: Pool, query: Query) -> list[tuple[Any, ...]]:
    statement = compiled(query.statement)
    async with reading_connection(pool, ReadStoreUnavailable) as connection:
        cursor = await connection.execute(statement.text, {**statement.constants, **query.parameters})
        return await cursor.fetchall()


async def _ids(pool: Pool, query: Query) -> list[str]:
    return [name for (name,) in await _fetched(pool, query)]
