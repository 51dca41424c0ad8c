"""A document's audit timeline: what was done to it and with it, by whom (S3 §6.3)."""

from typing import Any, cast

from sqlalchemy import BigInteger, Column, DateTime, Index, Select, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB

from domain.documents.access import DocumentDownloaded
from domain.documents.document import DocumentIssued, DocumentIssueFailed
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Row, RowFold

DOCUMENT_EVENT_TABLE = Table(
    "document_event_v1",
    METADATA,
    # The ledger gives it; a sequence of its own would tie a rebuilt table to the live one.
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("document_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_role", Text, nullable=False),
    Column("ip", Text),
    Column("device", Text),
    Column("timestamp_utc", DateTime(timezone=True), nullable=False),
    Column("metadata", JSONB, nullable=False),
)
Index(
    "document_event_v1_timeline",
    DOCUMENT_EVENT_TABLE.c.document_id,
    DOCUMENT_EVENT_TABLE.c.position,
)
Index(
    "document_event_v1_type",
    DOCUMENT_EVENT_TABLE.c.event_type,
    DOCUMENT_EVENT_TABLE.c.timestamp_utc,
)

_TYPES = {
    "document.issued": "ISSUED",
    "document.issue-failed": "ISSUE_FAILED",
    "document-access.downloaded": "DOWNLOADED",
}


def _key(event: RecordedEvent) -> Key:
    return (event.position,)


def _fold(_: Row | None, event: RecordedEvent) -> Row:
    document_id, ip, device, metadata = event.stream.id, None, None, _metadata(event)
    if event.name == "document-access.downloaded":
        downloaded = cast(DocumentDownloaded, event.fact)
        document_id, ip, device = downloaded.document_id, downloaded.ip, downloaded.device
    return {
        "position": event.position,
        "document_id": document_id,
        "event_type": _TYPES[event.name],
        "actor_id": event.actor,
        "actor_role": event.role,
        "ip": ip,
        "device": device,
        "timestamp_utc": event.recorded_at,
        "metadata": metadata,
    }


def _metadata(event: RecordedEvent) -> dict[str, Any]:
    match event.fact:
        case DocumentIssued() as issued:
            return {"sha256Pdf": issued.seal.sha256_pdf, "sha256Json": issued.seal.sha256_json}
        case DocumentIssueFailed() as failed:
            return failed.model_dump(mode="json", by_alias=True)
        case DocumentDownloaded() as downloaded:
            return {"format": downloaded.file_format}
        case _:
            raise ValueError(f"{event.name} is not part of a document's timeline")


DOCUMENT_EVENTS = Projection(
    name="document-events",
    event_names=frozenset(_TYPES),
    row_folds=(RowFold(DOCUMENT_EVENT_TABLE, _key, _fold),),
)


def select_timeline(document_id: str, after_position: int, limit: int) -> Select[Any]:
    """A document's timeline, oldest first, behind a cursor's position."""
    event = DOCUMENT_EVENT_TABLE.c
    return (
        select(DOCUMENT_EVENT_TABLE)
        .where(event.document_id == document_id, event.position > after_position)
        .order_by(event.position)
        .limit(limit)
    )
