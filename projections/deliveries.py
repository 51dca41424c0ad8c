"""What has to be brought to its reader by e-mail or post, and when: the deliverer's work list."""

from datetime import datetime
from typing import cast

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Table, Text, bindparam, select

from domain.documents.access import access_stream
from domain.documents.delivery import (
    DeliveryBounced,
    DeliveryFact,
    DeliveryFailed,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
    DocumentResent,
    first_delivery_id,
)
from domain.documents.document_facts import DocumentDrafted
from domain.kernel.recorded import RecordedEvent
from domain.receivables.receipt_facts import ReceiptDeliveryRequested
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

DELIVERY_TABLE = Table(
    "delivery_v2",
    METADATA,
    Column("delivery_id", Text, primary_key=True),
    Column("document_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # DRAFTED: its document is not issued yet.
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    # Where it is recorded: a month of its document's accesses, or a receipt.
    Column("stream_type", Text),
    Column("stream_id", Text),
    # When there is something to do; an attempt under way is somebody's, or was left by who died on the way.
    Column("due_at", DateTime(timezone=True)),
    Column("position", BigInteger, nullable=False),
)
Index("delivery_v2_due", DELIVERY_TABLE.c.due_at, postgresql_where=DELIVERY_TABLE.c.due_at.is_not(None))


def _drafted(_: Row, event: RecordedEvent) -> Row | None:
    method = cast(DocumentDrafted, event.fact).delivery_method
    if method == "PORTAL":
        return None
    return {
        "delivery_id": first_delivery_id(event.stream.id),
        "document_id": event.stream.id,
        "channel": method,
        "status": "DRAFTED",
        "attempts": 0,
        "stream_type": None,
        "stream_id": None,
        "due_at": None,
        "position": event.position,
    }


def _issued(row: Row, event: RecordedEvent) -> Row | None:
    if not row:
        return None
    waiting = row | {"status": "WAITING", "due_at": event.recorded_at}
    if row["stream_type"] is not None:
        return waiting
    stream = access_stream(event.stream.id, event.recorded_at)
    return waiting | {"stream_type": stream.type, "stream_id": stream.id}


def _voided(row: Row, _: RecordedEvent) -> Row | None:
    """What was never issued goes nowhere; of what waits still, the deliverer finds out by itself."""
    return None if not row or row["status"] == "DRAFTED" else row


def _resent(row: Row, event: RecordedEvent) -> Row | None:
    fact = cast(DocumentResent, event.fact)
    if fact.channel != "EMAIL":
        return row or None
    return {
        "delivery_id": fact.delivery_id,
        "document_id": fact.document_id,
        "channel": "EMAIL",
        "status": "WAITING",
        "attempts": 0,
        "stream_type": event.stream.type,
        "stream_id": event.stream.id,
        "due_at": event.recorded_at,
        "position": event.position,
    }


def _receipt_requested(_: Row, event: RecordedEvent) -> Row:
    """What waits for its seal is called as its document's first delivery is, so that the issue finds it."""
    fact = cast(ReceiptDeliveryRequested, event.fact)
    return {
        "delivery_id": fact.delivery_id,
        "document_id": fact.document_id,
        "channel": "EMAIL",
        "status": "DRAFTED" if fact.waits_for_seal else "WAITING",
        "attempts": 0,
        "stream_type": event.stream.type,
        "stream_id": event.stream.id,
        "due_at": None if fact.waits_for_seal else event.recorded_at,
        "position": event.position,
    }


def _attempted(row: Row, event: RecordedEvent) -> Row | None:
    if not row:
        return None
    match event.fact:
        case DeliveryStarted(attempt=attempt):
            after: Row = {"status": "STARTED", "attempts": attempt, "due_at": event.recorded_at}
        case DeliveryFailed(attempt=attempt, retry_at=retry_at):
            after = {"status": "FAILED", "attempts": attempt, "due_at": retry_at}
        case DeliveryUnconfirmed(attempt=attempt):
            after = {"status": "UNCONFIRMED", "attempts": attempt, "due_at": None}
        case DocumentDelivered(attempt=attempt):
            after = {"status": "DELIVERED", "attempts": attempt, "due_at": None}
        case DeliveryBounced():
            after = {"status": "BOUNCED", "due_at": None}
        case _:
            raise ValueError(f"{event.name} is no attempt")
    return row | after


_FOLDS = {
    "document.drafted": _drafted,
    "document.issued": _issued,
    "document.voided": _voided,
    "document-access.resent": _resent,
    "document-access.delivery-started": _attempted,
    "document-access.delivered": _attempted,
    "document-access.delivery-failed": _attempted,
    "document-access.delivery-unconfirmed": _attempted,
    "document-access.delivery-bounced": _attempted,
    "receipt.delivery-requested": _receipt_requested,
    "receipt.delivery-started": _attempted,
    "receipt.delivery-sent": _attempted,
    "receipt.delivery-failed": _attempted,
    "receipt.delivery-unconfirmed": _attempted,
    "receipt.delivery-bounced": _attempted,
}


def _key(event: RecordedEvent) -> Key:
    if event.stream.type == "document":
        return (first_delivery_id(event.stream.id),)
    return (cast(DeliveryFact | ReceiptDeliveryRequested, event.fact).delivery_id,)


DELIVERIES = Projection(
    name="deliveries",
    event_names=frozenset(_FOLDS),
    row_folds=(one_row(DELIVERY_TABLE, _key, fold_by_name(_FOLDS)),),
    version=2,
)


_DUE = (
    select(
        DELIVERY_TABLE.c.delivery_id,
        DELIVERY_TABLE.c.document_id,
        DELIVERY_TABLE.c.channel,
        DELIVERY_TABLE.c.stream_type,
        DELIVERY_TABLE.c.stream_id,
    )
    .where(DELIVERY_TABLE.c.due_at <= bindparam("now", type_=DateTime(timezone=True)))
    .order_by(DELIVERY_TABLE.c.due_at)
    .limit(bindparam("limit", type_=Integer))
)


def select_due_deliveries(now: datetime, limit: int) -> Query:
    """Deliveries with something to do at that time, the longest due first."""
    return Query(_DUE, {"now": now, "limit": limit})
