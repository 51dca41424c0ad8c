"""A document's audit timeline: what was done to it and with it, by whom (S3 §6.3).

From where it was taken is personal: it stays in the ledger, sealed, and whoever may see it reads it there.
"""

from typing import Any, cast

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.documents.access import DocumentDownloaded
from domain.documents.delivery import (
    DeliveryBounced,
    DeliveryFact,
    DeliveryFailed,
    DeliveryUnconfirmed,
    DocumentDelivered,
    DocumentResent,
)
from domain.documents.document_facts import (
    DocumentIssued,
    DocumentIssueFailed,
    DocumentLinked,
    DocumentReplaced,
    DocumentRetryAsked,
    DocumentStamped,
    DocumentVoided,
)
from domain.kernel.recorded import RecordedEvent
from domain.receivables.receipt_facts import ReceiptPrinted, ReceiptReprinted
from projections.projection import METADATA, Key, Projection, Query, Row, one_row

DOCUMENT_EVENT_TABLE = Table(
    "document_event_v5",
    METADATA,
    # The ledger gives it; a sequence of its own would tie a rebuilt table to the live one.
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("document_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("timestamp_utc", DateTime(timezone=True), nullable=False),
    Column("metadata", JSONB, nullable=False),
)
Index(
    "document_event_v5_timeline",
    DOCUMENT_EVENT_TABLE.c.document_id,
    DOCUMENT_EVENT_TABLE.c.position,
)
Index(
    "document_event_v5_type",
    DOCUMENT_EVENT_TABLE.c.event_type,
    DOCUMENT_EVENT_TABLE.c.timestamp_utc,
)

_TYPES = {
    "document.stamped": "STAMPED",
    "document.issued": "ISSUED",
    "document.issue-failed": "ISSUE_FAILED",
    "document.retry-asked": "RETRY_ASKED",
    "document.linked": "LINKED",
    "document.voided": "VOIDED",
    "document.replaced": "REPLACED",
    "document-access.downloaded": "DOWNLOADED",
    "document-access.resent": "RESENT",
    "document-access.delivered": "DELIVERED",
    "document-access.delivery-failed": "DELIVERY_FAILED",
    "document-access.delivery-unconfirmed": "DELIVERY_UNCONFIRMED",
    "document-access.delivery-bounced": "DELIVERY_BOUNCED",
    "receipt.printed": "PRINTED",
    "receipt.reprinted": "REPRINTED",
    "receipt.delivery-sent": "DELIVERED",
    "receipt.delivery-failed": "DELIVERY_FAILED",
    "receipt.delivery-unconfirmed": "DELIVERY_UNCONFIRMED",
    "receipt.delivery-bounced": "DELIVERY_BOUNCED",
}


def _key(event: RecordedEvent) -> Key:
    return (event.position,)


def _fold(_: Row | None, event: RecordedEvent) -> Row:
    return {
        "position": event.position,
        "document_id": _document_id(event),
        "event_type": _TYPES[event.name],
        "actor_id": event.actor,
        "actor_role": event.role,
        "timestamp_utc": event.recorded_at,
        "metadata": _metadata(event),
    }


def _document_id(event: RecordedEvent) -> str:
    if event.stream.type == "document":
        return event.stream.id
    fact = cast(DocumentDownloaded | DeliveryFact | ReceiptPrinted | ReceiptReprinted, event.fact)
    return fact.document_id


def _metadata(event: RecordedEvent) -> dict[str, Any]:
    match event.fact:
        case DocumentIssued() as issued:
            return {"sha256Pdf": issued.seal.sha256_pdf, "sha256Json": issued.seal.sha256_json}
        case DocumentIssueFailed() as failed:
            return failed.model_dump(mode="json", by_alias=True, exclude_none=True)
        case DocumentRetryAsked() as asked:
            return asked.model_dump(mode="json", by_alias=True)
        case DocumentStamped(stamp=stamp):
            return {"authority": stamp.authority, "uuid": stamp.uuid}
        case DocumentLinked(linked_document=linked):
            return linked.model_dump(mode="json", by_alias=True)
        case DocumentVoided(reason_code=reason_code):
            return {"reasonCode": reason_code}
        case DocumentReplaced() as replaced:
            return {
                "reasonCode": replaced.reason_code,
                "replacedByDocumentId": replaced.replaced_by_document_id,
            }
        case DocumentDownloaded() as downloaded:
            return {"format": downloaded.file_format}
        case DocumentResent() as resent:
            return {"channel": resent.channel, "deliveryId": resent.delivery_id}
        case ReceiptPrinted():
            return {"channel": "PRINT"}
        case ReceiptReprinted() as copied:
            copy = {"channel": copied.channel, "copyNumber": copied.copy_number}
            return copy | ({} if copied.reason_code is None else {"reasonCode": copied.reason_code})
        case DocumentDelivered() | DeliveryFailed() | DeliveryUnconfirmed() | DeliveryBounced() as attempted:
            told = attempted.model_dump(mode="json", by_alias=True, exclude_none=True)
            return {name: value for name, value in told.items() if name != "documentId"}
        case _:
            raise ValueError(f"{event.name} is not part of a document's timeline")


DOCUMENT_EVENTS = Projection(
    name="document-events",
    event_names=frozenset(_TYPES),
    row_folds=(one_row(DOCUMENT_EVENT_TABLE, _key, _fold),),
    version=5,
)


_TIMELINE = (
    select(DOCUMENT_EVENT_TABLE)
    .where(
        DOCUMENT_EVENT_TABLE.c.document_id == bindparam("document_id", type_=Text),
        DOCUMENT_EVENT_TABLE.c.position > bindparam("after_position", type_=BigInteger),
    )
    .order_by(DOCUMENT_EVENT_TABLE.c.position)
    .limit(bindparam("limit", type_=Integer))
)


def select_timeline(document_id: str, after_position: int, limit: int) -> Query:
    """A document's timeline, oldest first, behind a cursor's position."""
    return Query(_TIMELINE, {"document_id": document_id, "after_position": after_position, "limit": limit})
