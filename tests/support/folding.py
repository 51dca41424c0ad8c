"""Read models in memory: histories recorded by the real deciders, and the rows that folds make of them."""

import copy
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from application.handlers.documents import issue_document, record_failure
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.ledger import Answer, Audit, Command, Handler, Transaction
from domain.documents.access import DocumentDownloaded, access_stream
from domain.documents.keys import document_id, document_key
from domain.kernel.recorded import RecordedEvent
from projections.projection import Key, Projection, Row
from tests.support.clocks import SetClock
from tests.support.facts import issued, refund_data
from tests.support.memory_ledger import MemoryLedger
from tests.support.snapshots import order_data

Rows = dict[str, dict[Key, Row]]
"""By table, by primary key."""


def receipt_id(order_id: str) -> str:
    """The id of the receipt of an order of the platform."""
    return document_id(document_key((order_id,), "RECEIPT", "platform-gb", 1))


class History:
    """A ledger in memory to which things happen a second apart."""

    def __init__(self) -> None:
        self._clock = SetClock()
        self._ledger = MemoryLedger(self._clock)

    @property
    def events(self) -> list[RecordedEvent]:
        """Everything that was recorded."""
        return self._ledger.events

    async def pay(self, order_id: str, **changes: Any) -> None:
        """The order is paid; its receipt has a number."""
        await self._receive("orders.PAID_IN_ESCROW", order_data(order_id, **changes), f"paid/{order_id}")

    async def refund(self, order_id: str, refund_id: str, amount: int) -> None:
        """A part of the order is refunded."""
        snapshot_id = f"snap-{order_id}-{refund_id}-{amount}"
        data = refund_data(refund_id, amount, order_id=order_id, snapshotId=snapshot_id)
        await self._receive("payments.REFUND_EXECUTED", data, f"refund:{order_id}:{refund_id}:{amount}")

    async def issue(self, order_id: str) -> None:
        """The order's receipt is issued."""
        await self._commit(issue_document(receipt_id(order_id), issued()))

    async def fail(self, order_id: str, seconds: int = 60) -> None:
        """An attempt to issue the order's receipt fails; it is tried again after so many seconds."""
        retry_at = self._clock.now() + timedelta(seconds=seconds)
        await self._commit(record_failure(receipt_id(order_id), "vault_unavailable", retry_at))

    async def download(self, order_id: str, ip: str | None = None) -> None:
        """Somebody takes the receipt's PDF."""
        downloaded = DocumentDownloaded(document_id=receipt_id(order_id), file_format="PDF", ip=ip)

        def handle(transaction: Transaction) -> Answer:
            transaction.append(access_stream(downloaded.document_id, transaction.stamp.at), (downloaded,))
            return Answer(200, None)

        await self._commit(handle)

    async def _receive(self, event_type: str, data: dict[str, Any], event_id: str) -> None:
        event = CloudEvent(specversion="1.0", id=event_id, source="urn:s", type=event_type, data=data)
        await self._commit(receive_fact(read_fact(event)))

    async def _commit(self, handler: Handler) -> None:
        audit = Audit("default", "ana", "SYSTEM", "inbound.receive-events", "trace-1")
        await self._ledger.commit(Command(audit, handler))
        self._clock.move(1)


def folded(projection: Projection, events: Iterable[RecordedEvent], rows: Rows | None = None) -> Rows:
    """The rows after one batch, as the runner folds it; what was given stays as it is."""
    after = copy.deepcopy(rows) if rows is not None else {}
    known = [event for event in events if event.name in projection.event_names]
    for row_fold in projection.row_folds:
        table = after.setdefault(row_fold.table.name, {})
        for event in known:
            key = row_fold.key(event)
            if key is not None and (row := row_fold.fold(table.get(key), event)) is not None:
                table[key] = row
    return after


def in_batches(projection: Projection, events: Sequence[RecordedEvent], ends: Iterable[int]) -> Rows:
    """The rows after several batches, which end before these indexes."""
    rows: Rows = {}
    start = 0
    for end in (*sorted(ends), len(events)):
        rows = folded(projection, events[start:end], rows)
        start = end
    return rows


async def busy_history() -> History:
    """Three orders in two countries: refunds before, after and beyond, failures, issues and downloads."""
    history = History()
    await history.refund("o-1", "r-early", 100)
    await history.refund("o-2", "r-beyond", 9000)
    for order_id in ("o-1", "o-2"):
        await history.pay(order_id)
    await history.fail("o-1", 1)
    await history.pay("o-3", countryCode="IE")
    await history.fail("o-1", 4)
    for order_id in ("o-1", "o-3"):
        await history.issue(order_id)
    await history.download("o-1", "192.0.2.7")
    await history.fail("o-2")
    await history.download("o-1")
    await history.refund("o-3", "r-late", 200)
    return history
